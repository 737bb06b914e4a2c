package io.libwal;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/** Hands the engine's events to the {@link System.Logger} {@code io.libwal}, on a daemon thread of its own. */
final class EventLog {
    static final Logger LOGGER = System.getLogger("io.libwal");

    /**
     * By the native library's numbers, less one. Openings and closings, its level 3, are nothing that a program which has not
     * set up any logging should print.
     */
    private static final Level[] LEVELS = {Level.ERROR, Level.WARNING, Level.DEBUG, Level.DEBUG, Level.TRACE};

    private EventLog() {}

    static void start() {
        hear();
        Thread thread = new Thread(EventLog::run, "libwal-events");
        thread.setDaemon(true);
        thread.setContextClassLoader(null);
        thread.start();
    }

    /** Asks for what the logger would take now: its level may have been changed. */
    static void hear() {
        int heard = 0;
        while (heard < LEVELS.length && LOGGER.isLoggable(LEVELS[heard])) {
            heard++;
        }
        Native.hear(heard);
    }

    private static void run() {
        while (true) {
            Fields events = new Fields(Native.events());
            while (events.hasNumbers()) {
                Level level = LEVELS[(int) events.number() - 1];
                String target = events.text();
                try {
                    LOGGER.log(level, "{0}: {1}", target, events.text());
                } catch (RuntimeException e) {
                    // A logger that fails must not end all logging; there is nobody to tell.
                    continue;
                }
            }
        }
    }
}
