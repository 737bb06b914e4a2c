package io.libwal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Properties;

/** Finds and loads the native library: the file named by a property, or the one in the platform's jar. */
final class NativeLibrary {
    /** The file to load instead of the one in the jar. */
    private static final String OVERRIDE = "io.libwal.library";

    private NativeLibrary() {}

    static void load() {
        String override = System.getProperty(OVERRIDE);
        if (override != null) {
            // No fallback: who names a file means that one.
            System.load(Path.of(override).toAbsolutePath().toString());
        } else {
            loadFromJar();
        }
        String wanted = version();
        if (!wanted.equals(Native.version())) {
            throw new UnsatisfiedLinkError("the native library is of libwal " + Native.version() + ", the classes are of "
                    + wanted + ": use the jars of one version");
        }
        EventLog.start();
    }

    /** The version of these classes. */
    private static String version() {
        Properties properties = new Properties();
        try (InputStream in = NativeLibrary.class.getResourceAsStream("version.properties")) {
            properties.load(in);
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
        return properties.getProperty("version");
    }

    private static void loadFromJar() {
        String platform = platform();
        String resource = "/META-INF/native/" + platform + "/libwal_java.so";
        Path directory = null;
        Path file = null;
        try (InputStream in = find(resource)) {
            if (in == null) {
                throw new UnsatisfiedLinkError("there is no " + resource + " on the class path: add io.libwal:libwal with the"
                        + " classifier " + platform + ", or name the library with -D" + OVERRIDE + "=/path/libwal_java.so");
            }
            directory = Files.createTempDirectory("libwal-");
            file = directory.resolve("libwal_java.so");
            Files.copy(in, file);
            loadExtracted(file);
        } catch (IOException e) {
            UnsatisfiedLinkError error = new UnsatisfiedLinkError("the native library cannot be unpacked to "
                    + System.getProperty("java.io.tmpdir") + ": choose another directory with -Djava.io.tmpdir=, or name"
                    + " the library with -D" + OVERRIDE + "=/path/libwal_java.so");
            error.initCause(e);
            throw error;
        } finally {
            // What is loaded needs no name.
            delete(file);
            delete(directory);
        }
    }

    private static void loadExtracted(Path file) {
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            String message = String.valueOf(e.getMessage());
            if (!message.contains("failed to map segment") && !message.contains("ermission denied")
                    && !message.contains("not permitted")) {
                throw e;
            }
            UnsatisfiedLinkError error = new UnsatisfiedLinkError("libraries cannot be run from " + file.getParent()
                    + ", its file system is probably mounted noexec: choose another directory with -Djava.io.tmpdir=, or"
                    + " name the library with -D" + OVERRIDE + "=/path/libwal_java.so");
            error.initCause(e);
            throw error;
        }
    }

    /** Resources of an automatic module, which the platform's jar is on a module path, are found by the class loader alone. */
    private static InputStream find(String resource) {
        InputStream in = NativeLibrary.class.getResourceAsStream(resource);
        return in != null ? in : ClassLoader.getSystemResourceAsStream(resource.substring(1));
    }

    private static String platform() {
        String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        return os.replace(' ', '-') + "-" + (arch.equals("amd64") ? "x86_64" : arch.equals("arm64") ? "aarch64" : arch);
    }

    private static void delete(Path path) {
        try {
            if (path != null) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            // It is a temporary file: whoever cleans the directory takes it along.
            path.toFile().deleteOnExit();
        }
    }
}
