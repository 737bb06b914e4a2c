package io.libwal.conformance;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.FileDescriptor;
import java.io.PrintStream;
import java.nio.file.Path;

/** The runner in Java: {@code run SCENARIO SCRATCH}, {@code write DIR COUNT SEED}, {@code read DIR}. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)), false, "US-ASCII");
        String command = arguments.length > 0 ? arguments[0] : "";
        int failure = command.equals("run") ? 2 : 1;
        try {
            if (command.equals("run") && arguments.length == 3) {
                new Scenario(Path.of(arguments[1]), Path.of(arguments[2]), out).run();
            } else if (command.equals("write") && arguments.length == 4) {
                Killed.write(Path.of(arguments[1]), Long.parseLong(arguments[2]), Long.parseUnsignedLong(arguments[3]), out);
            } else if (command.equals("read") && arguments.length == 2) {
                Killed.read(Path.of(arguments[1]), out);
            } else {
                throw new IllegalArgumentException("run SCENARIO SCRATCH | write DIR COUNT SEED | read DIR");
            }
            out.flush();
        } catch (Exception e) {
            out.flush();
            System.err.println("runner: " + e);
            System.exit(failure);
        }
    }
}
