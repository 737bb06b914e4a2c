import static java.nio.charset.StandardCharsets.UTF_8;

import io.libwal.Log;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Path;

/**
 * Kills a writer in the middle of its work and shows that nothing acknowledged is lost. The program starts itself a second
 * time; that process appends numbers and prints each one after it was acknowledged, until it is killed.
 */
public class Recover {
    public static void main(String[] arguments) throws Exception {
        Path path = Path.of(arguments.length > 0 ? arguments[0] : "numbers.wal");
        if (arguments.length > 1 && arguments[1].equals("write")) {
            write(path);
        }

        long acknowledged = 0;
        Process writer = new ProcessBuilder(
                        ProcessHandle.current().info().command().get(), "-cp", System.getProperty("java.class.path"),
                        System.getProperty("recover.source", "examples/java/Recover.java"), path.toString(), "write")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        BufferedReader lines = new BufferedReader(new InputStreamReader(writer.getInputStream()));
        for (String line = lines.readLine(); line != null && line.matches("\\d+"); line = lines.readLine()) {
            acknowledged = Long.parseLong(line);
            if (acknowledged % 1000 == 0) {
                // SIGKILL: the process has no chance to tidy up. What it still printed is read on.
                writer.toHandle().destroyForcibly();
            }
        }
        writer.waitFor();

        try (Log log = Log.open(path)) {
            System.out.println("recovered in " + log.recovery().duration() + ": " + log.recovery().caseLabel());
            log.recovery().cut().ifPresent(cut -> System.out.println("cut " + cut.bytes() + " bytes: " + cut.reason()));
            for (long number = 1; number <= acknowledged; number++) {
                String found = new String(log.read(number).bytes(), UTF_8);
                if (!found.equals(Long.toString(number))) {
                    throw new AssertionError("record " + number + " is " + found);
                }
            }
            System.out.println("all " + acknowledged + " acknowledged records are there, the next LSN is " + log.nextLsn());
        }
    }

    /** Appends the next numbers for ever: record n is the number n. */
    private static void write(Path path) throws Exception {
        try (Log log = Log.open(path)) {
            while (true) {
                long number = log.nextLsn();
                log.append(Long.toString(number).getBytes(UTF_8));
                System.out.println(number);
            }
        }
    }
}
