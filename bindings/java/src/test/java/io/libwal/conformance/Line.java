package io.libwal.conformance;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One operation of a scenario. Words are taken out by name; what nobody took is a mistake of the scenario. */
final class Line {
    final String text;
    final String name;
    private final Map<String, String> words = new LinkedHashMap<>();
    private final Set<String> taken = new HashSet<>();

    Line(String text) {
        String[] parts = text.split(" ", -1);
        this.text = text;
        this.name = parts[0];
        for (int i = 1; i < parts.length; i++) {
            int at = parts[i].indexOf('=');
            if (at < 0) {
                throw new Misread("no operation: " + text);
            }
            words.put(parts[i].substring(0, at), parts[i].substring(at + 1));
        }
    }

    /** The scenario is wrong, or a file cannot be handled. */
    static final class Misread extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Misread(String message) {
            super(message);
        }
    }

    String optional(String key, String otherwise) {
        taken.add(key);
        return words.getOrDefault(key, otherwise);
    }

    boolean has(String key) {
        taken.add(key);
        return words.containsKey(key);
    }

    String word(String key) {
        String value = optional(key, null);
        if (value == null) {
            throw new Misread("lacks " + key + "=: " + text);
        }
        return value;
    }

    long number(String key) {
        return Long.parseUnsignedLong(word(key));
    }

    boolean yes(String key, boolean otherwise) {
        return optional(key, otherwise ? "1" : "0").equals("1");
    }

    byte[] bytes(String key) {
        return Literal.read(word(key));
    }

    List<String> items(String key) {
        String list = word(key);
        return list.isEmpty() ? List.of() : List.of(list.split(",", -1));
    }

    List<byte[]> manyBytes(String key) {
        List<byte[]> many = new ArrayList<>();
        for (String item : items(key)) {
            many.add(Literal.read(item));
        }
        return many;
    }

    void checkAllTaken() {
        Set<String> left = new HashSet<>(words.keySet());
        left.removeAll(taken);
        if (!left.isEmpty()) {
            throw new Misread("does not know " + left + ": " + text);
        }
    }
}
