package io.libwal;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Another JVM, and what it does. */
final class Child {
    final Process process;

    private Child(Process process) {
        this.process = process;
    }

    /** Starts one with these options for the JVM; the class path is the tests' unless the options have one. */
    static Child start(List<String> options, String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx128m");
        command.addAll(options);
        if (!options.contains("-cp")) {
            command.add("-cp");
            command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        }
        command.add(Child.class.getName());
        command.addAll(Arrays.asList(arguments));
        return new Child(new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    static List<String> options() {
        return List.of("-Xcheck:jni", "-Dio.libwal.library=" + System.getProperty("io.libwal.library"));
    }

    /** All it prints, once it has ended. */
    String output() throws Exception {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }

    public static void main(String[] arguments) throws Exception {
        Path path = new File(arguments[1]).toPath();
        switch (arguments[0]) {
            case "append":
                Log.open(path).append(new byte[1]);
                System.out.println("appended");
                break;
            case "exit":
                exitWithAppendsInFlight(path);
                break;
            case "forever":
                appendForEver(path);
                break;
            default:
                throw new IllegalArgumentException(arguments[0]);
        }
    }

    /** The JVM ends while threads append, wait and follow. */
    private static void exitWithAppendsInFlight(Path path) throws Exception {
        Log log = Log.open(path);
        for (int i = 0; i < 3; i++) {
            Thread thread = new Thread(() -> {
                try {
                    while (true) {
                        log.append(new byte[100]);
                        log.appendAsync(new byte[100]);
                    }
                } catch (Exception e) {
                    System.out.println("wrong: " + e);
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
        Thread follower = new Thread(() -> {
            try (Follower following = log.follow(Position.end())) {
                while (true) {
                    following.next();
                }
            } catch (Exception e) {
                System.out.println("wrong: " + e);
            }
        });
        follower.setDaemon(true);
        follower.start();
        Thread.sleep(100);
        System.out.println("appended " + log.append(new byte[1]));
        System.exit(7);
    }

    private static void appendForEver(Path path) throws Exception {
        Log log = Log.open(path);
        while (true) {
            System.out.println(log.append(new byte[100]));
            System.out.println(log.appendAsync(new byte[100]).get());
        }
    }
}
