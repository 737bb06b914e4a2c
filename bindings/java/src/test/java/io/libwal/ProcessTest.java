package io.libwal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What other JVMs do, and what is left when they are gone. */
@Timeout(120)
class ProcessTest {
    @TempDir Path directory;

    private static final Path CLASSES = Path.of(Log.class.getProtectionDomain().getCodeSource().getLocation().getPath());
    private static final Path TESTS = Path.of(Child.class.getProtectionDomain().getCodeSource().getLocation().getPath());

    private String log() {
        return directory.resolve("log").toString();
    }

    @Test
    void a_jvm_that_exits_with_appends_in_flight_ends_in_order_and_loses_nothing_acknowledged() throws Exception {
        for (int round = 0; round < 3; round++) {
            Child child = Child.start(Child.options(), "exit", log());
            String output = child.output();
            assertEquals(7, child.process.exitValue(), output);
            assertFalse(output.contains("wrong"), output);
            assertFalse(output.contains("WARNING in native method"), output);
            long acknowledged = Long.parseLong(output.replaceAll("(?s).*appended (\\d+).*", "$1"));
            try (Log log = Log.open(directory.resolve("log"))) {
                assertTrue(log.lastLsn().getAsLong() >= acknowledged);
            }
        }
    }

    @Test
    void a_killed_jvm_loses_nothing_acknowledged() throws Exception {
        for (int round = 0; round < 3; round++) {
            Child child = Child.start(Child.options(), "forever", log());
            BufferedReader lines = new BufferedReader(new InputStreamReader(child.process.getInputStream()));
            long acknowledged = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.matches("\\d+")) {
                    acknowledged = Long.parseLong(line);
                    if (acknowledged % 200 == 0) {
                        // Through the handle: what it still printed is read on.
                        child.process.toHandle().destroyForcibly();
                    }
                }
            }
            child.process.waitFor();
            try (Log log = Log.open(directory.resolve("log"))) {
                assertTrue(acknowledged > 0 && log.lastLsn().getAsLong() >= acknowledged);
            }
        }
    }

    @Test
    void the_library_is_loaded_from_the_jar_and_leaves_no_file_behind() throws Exception {
        Path scratch = Files.createDirectory(directory.resolve("scratch"));
        Path natives = Path.of(System.getProperty("io.libwal.library")).getParent().getParent().getParent().getParent();
        String classPath = CLASSES + ":" + TESTS + ":" + natives;
        Child child = Child.start(List.of("-Djava.io.tmpdir=" + scratch, "-cp", classPath), "append", log());
        String output = child.output();
        assertTrue(output.contains("appended"), output);
        try (var left = Files.list(scratch)) {
            assertEquals(0, left.filter(path -> path.getFileName().toString().startsWith("libwal")).count());
        }
    }

    @Test
    void a_missing_platform_jar_is_told_with_the_remedy() throws Exception {
        Child child = Child.start(List.of("-cp", CLASSES + ":" + TESTS), "append", log());
        String output = child.output();
        assertTrue(output.contains("UnsatisfiedLinkError") && output.contains("with the classifier linux-x86_64"), output);
        assertTrue(output.contains("-Dio.libwal.library="), output);
    }

    @Test
    void an_override_that_is_not_there_is_not_replaced_by_another_library() throws Exception {
        Child child = Child.start(List.of("-Dio.libwal.library=/nowhere/libwal_java.so"), "append", log());
        String output = child.output();
        assertTrue(output.contains("UnsatisfiedLinkError") && output.contains("/nowhere/libwal_java.so"), output);
    }

    @Test
    void a_directory_that_cannot_be_written_is_told_with_the_remedy() throws Exception {
        Path natives = Path.of(System.getProperty("io.libwal.library")).getParent().getParent().getParent().getParent();
        String classPath = CLASSES + ":" + TESTS + ":" + natives;
        Child child = Child.start(List.of("-Djava.io.tmpdir=/proc/nowhere", "-cp", classPath), "append", log());
        String output = child.output();
        assertTrue(output.contains("-Djava.io.tmpdir=") && output.contains("/proc/nowhere"), output);
    }

    @Test
    void a_directory_that_runs_nothing_is_told_with_the_remedy() throws Exception {
        Path mounted = Files.createDirectory(directory.resolve("noexec"));
        Process mount = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", mounted.toString()).start();
        Assumptions.assumeTrue(mount.waitFor() == 0, "NOT RUN: mounting needs root");
        try {
            Path natives = Path.of(System.getProperty("io.libwal.library")).getParent().getParent().getParent().getParent();
            String classPath = CLASSES + ":" + TESTS + ":" + natives;
            Child child = Child.start(List.of("-Djava.io.tmpdir=" + mounted, "-cp", classPath), "append", log());
            String output = child.output();
            assertTrue(output.contains("probably mounted noexec") && output.contains("-Dio.libwal.library="), output);
        } finally {
            assertEquals(0, new ProcessBuilder("umount", mounted.toString()).start().waitFor());
        }
    }

    @Test
    void a_library_of_another_version_is_refused() throws Exception {
        Path other = Files.createDirectories(directory.resolve("other/io/libwal"));
        Files.writeString(other.resolve("version.properties"), "version=9.9.9\n");
        String classPath = directory.resolve("other") + ":" + CLASSES + ":" + TESTS;
        String library = "-Dio.libwal.library=" + System.getProperty("io.libwal.library");
        String output = Child.start(List.of(library, "-cp", classPath), "append", log()).output();
        assertTrue(output.contains("9.9.9") && output.contains("use the jars of one version"), output);
    }
}
