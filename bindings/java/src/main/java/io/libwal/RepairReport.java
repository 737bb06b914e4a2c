package io.libwal;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a repair did, or would do.
 *
 * @since 0.1.0
 */
public final class RepairReport {
    private final List<String> actions;
    private final List<LsnRange> lost;
    private final Optional<Path> backup;
    private final boolean isChanged;

    RepairReport(Fields fields) {
        this.actions = fields.list(Fields::text);
        this.lost = fields.list(f -> new LsnRange(f.number(), f.number()));
        this.backup = fields.path();
        this.isChanged = fields.yes();
    }

    /**
     * What was (or would be) changed, a sentence each; empty when there was nothing to do.
     *
     * @return the actions
     */
    public List<String> actions() {
        return actions;
    }

    /**
     * The records that are lost by it, as far as the readable bytes tell.
     *
     * @return their LSNs
     */
    public List<LsnRange> lost() {
        return lost;
    }

    /**
     * The directory with copies of every file that was changed or removed, as they were.
     *
     * @return the directory, if anything was changed
     */
    public Optional<Path> backup() {
        return backup;
    }

    /**
     * Whether anything was changed.
     *
     * @return whether it is so
     */
    public boolean isChanged() {
        return isChanged;
    }
}
