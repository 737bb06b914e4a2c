package io.libwal;

import java.util.function.BooleanSupplier;

/** Waiting in tests. */
final class Waits {
    private Waits() {}

    static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    static boolean until(BooleanSupplier condition) {
        for (int i = 0; i < 1000; i++) {
            if (condition.getAsBoolean()) {
                return true;
            }
            sleep(10);
        }
        return false;
    }
}
