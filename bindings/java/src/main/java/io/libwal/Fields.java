package io.libwal;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Function;

/** Takes a report of the native library apart: numbers and texts, in the order in which it put them there. */
final class Fields {
    private final long[] numbers;
    private final String[] texts;
    private int nextNumber;
    private int nextText;

    Fields(Object[] parts) {
        this.numbers = (long[]) parts[0];
        this.texts = new String[((Object[]) parts[1]).length];
        System.arraycopy(parts[1], 0, texts, 0, texts.length);
    }

    boolean hasNumbers() {
        return nextNumber < numbers.length;
    }

    long number() {
        return numbers[nextNumber++];
    }

    boolean yes() {
        return number() != 0;
    }

    OptionalLong optional() {
        long number = number();
        return number < 0 ? OptionalLong.empty() : OptionalLong.of(number);
    }

    Duration duration() {
        return Duration.ofNanos(number());
    }

    Instant instant() {
        return Times.instant(number());
    }

    Optional<Instant> optionalInstant() {
        long nanos = number();
        return nanos < 0 ? Optional.empty() : Optional.of(Times.instant(nanos));
    }

    UUID uuid() {
        return new UUID(number(), number());
    }

    String text() {
        return texts[nextText++];
    }

    Optional<Path> path() {
        return Optional.ofNullable(text()).map(Path::of);
    }

    WalException error() {
        long[] error = new long[7];
        for (int i = 0; i < error.length; i++) {
            error[i] = number();
        }
        Exception exception = new ErrorDetails(error, text(), text()).toException();
        return exception instanceof WalException
                ? (WalException) exception
                : new WalInternalException(new ErrorDetails(error, exception.getMessage(), null));
    }

    <T> List<T> list(Function<Fields, T> element) {
        int count = (int) number();
        List<T> list = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            list.add(element.apply(this));
        }
        return List.copyOf(list);
    }
}
