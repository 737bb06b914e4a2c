package io.libwal.bench;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * How {@code wal-bench languages} asks, and the size of what it asks for (see bench/README.md): lines
 * {@code WORKLOAD DIRECTORY}, answered with {@code RECORDS NANOSECONDS} or {@code none}.
 */
abstract class Asked {
    static final byte[] RECORD = new byte[100];
    static final int BATCH = 1000;
    static final int BURST = 20_000;
    static final int BURSTS = 20;
    static final int READ = 100_000;
    static final int PASSES = 3;
    static final int OS = 20_000;
    static final int DURABLE = 300;
    static final int DURABLE_BATCHES = 50;
    static final int ASYNC = 40_000;
    static final int IN_FLIGHT = 256;

    private long started;
    private long taken;

    interface Work {
        void run() throws Exception;
    }

    /** Does a workload in a directory that is not there yet; returns how many records, 0 for one that is not known. */
    abstract long measured(String workload, Path directory) throws Exception;

    final void start() {
        started = System.nanoTime();
    }

    final void stop() {
        taken += System.nanoTime() - started;
    }

    /** Calls one after the other; returns how many records. */
    final long timed(int calls, int recordsEach, Work call) throws Exception {
        start();
        for (int n = 0; n < calls; n++) {
            call.run();
        }
        stop();
        return (long) calls * recordsEach;
    }

    static void expect(long found) {
        if (found != READ) {
            throw new IllegalStateException(found + " of " + READ + " records were read");
        }
    }

    /** Answers until nothing more is asked. */
    final void serve() throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] asked = line.split(" ", 2);
            taken = 0;
            long records = measured(asked[0], Path.of(asked[1]));
            System.out.println(records == 0 ? "none" : records + " " + taken);
        }
    }
}
