package io.libwal.conformance;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is done to files without the library. */
final class Files {
    private Files() {}

    static String take(Line line, Path directory, Path scratch, Path golden) throws IOException {
        switch (line.name) {
            case "golden":
                unpack(golden.resolve(line.word("name") + ".golden"), directory);
                return "ok";
            case "snapshot":
                copy(directory, scratch.resolve(line.word("to")));
                return "ok";
            case "damage":
                try (RandomAccessFile file = new RandomAccessFile(directory.resolve(line.word("file")).toFile(), "rw")) {
                    file.seek(line.number("offset"));
                    int changed = file.read() ^ (int) line.number("xor");
                    file.seek(line.number("offset"));
                    file.write(changed);
                }
                return "ok";
            case "cut_file":
                try (RandomAccessFile file = new RandomAccessFile(directory.resolve(line.word("file")).toFile(), "rw")) {
                    file.setLength(line.number("length"));
                }
                return "ok";
            case "remove_file":
                java.nio.file.Files.delete(directory.resolve(line.word("file")));
                return "ok";
            case "remove_dir":
                remove(directory);
                return "ok";
            case "make_file":
                java.nio.file.Files.createFile(directory);
                return "ok";
            case "exists":
                return "ok exists=" + (java.nio.file.Files.exists(directory) ? 1 : 0);
            default:
                return null;
        }
    }

    private static void unpack(Path golden, Path directory) throws IOException {
        java.nio.file.Files.createDirectory(directory);
        RandomAccessFile file = null;
        for (String text : java.nio.file.Files.readAllLines(golden)) {
            if (text.isEmpty() || text.startsWith("#")) {
                continue;
            }
            String[] words = text.split(" ");
            if (words[0].equals("file")) {
                close(file);
                file = new RandomAccessFile(directory.resolve(words[1]).toFile(), "rw");
                file.setLength(Long.parseLong(words[2]));
            } else {
                file.seek(Long.parseLong(words[0]));
                file.write(Literal.hex(words[1]));
            }
        }
        close(file);
    }

    private static void close(RandomAccessFile file) throws IOException {
        if (file != null) {
            file.close();
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        java.nio.file.Files.createDirectory(to);
        for (Path file : list(from)) {
            try {
                java.nio.file.Files.copy(file, to.resolve(file.getFileName()));
            } catch (NoSuchFileException e) {
                // It went away meanwhile.
            }
        }
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> files = java.nio.file.Files.list(directory)) {
            return files.collect(Collectors.toList());
        }
    }

    private static void remove(Path directory) throws IOException {
        try (Stream<Path> files = java.nio.file.Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder()).forEach(path -> {
                try {
                    java.nio.file.Files.delete(path);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
