//! The files that may do what others may not, each with its reason. A path that ends in `/` means
//! everything below it.

use crate::finding::Finding;
use crate::tree::Tree;

/// Whether a file may hold `unsafe` code.
pub fn may_be_unsafe(path: &str) -> bool {
    listed(UNSAFE, path)
}

/// Whether a file of the engine may call files and the wall clock of the system directly.
pub fn may_touch_the_system(path: &str) -> bool {
    listed(SYSTEM, path)
}

/// Whether a file of the engine may ask how much time has passed. That decides how long somebody
/// waits, never what is on disk, so a simulated crash need not control it.
pub fn may_measure_time(path: &str) -> bool {
    listed(TIMERS, path)
}

/// Finds exceptions for files that are gone: a list that only grows is no list.
///
/// # Errors
/// None; the signature is that of every check.
pub fn check(tree: &Tree) -> Result<Vec<Finding>, String> {
    let stale = UNSAFE.iter().chain(SYSTEM).chain(TIMERS).filter(|(path, _)| !tree.has(path));
    Ok(stale
        .map(|(path, _)| {
            let text = format!("`{path}` is gone: remove the exception");
            Finding::of_file("ci/xtask/src/exceptions.rs", text)
        })
        .collect())
}

fn listed(list: &[(&str, &str)], path: &str) -> bool {
    list.iter().any(|(entry, _)| match entry.ends_with('/') {
        true => path.starts_with(entry),
        false => path == *entry,
    })
}

/// Where `unsafe` is needed.
const UNSAFE: &[(&str, &str)] = &[
    ("bench/examples/io_uring.rs", "hands buffers to the kernel and waits for them"),
    ("bench/src/kernel.rs", "processor time, advice and limits are system calls"),
    ("bench/src/peers/walrus.rs", "sets the environment variables that peer is configured by"),
    ("bindings/java/native/src/", "every native takes references and addresses from the JVM"),
    ("bindings/node/src/call.rs", "reads the memory of typed arrays, makes objects"),
    ("bindings/node/src/cursor.rs", "has the engine fill memory that is not initialised"),
    ("bindings/node/src/desk.rs", "calls JavaScript, and is called by Node"),
    ("bindings/node/src/mailbox.rs", "rings a threadsafe function of Node"),
    ("bindings/python/src/record.rs", "makes named tuples, which are made through C alone"),
    ("crash/src/processes/", "tracing, signals and shared memory are system calls"),
    ("crash/src/disks/", "mounts, loop devices and files in memory are system calls"),
    ("crash/src/machines/", "a port, mounts, modules and the parent's death are system calls"),
    ("crash/src/environment/", "umasks, limits and devices are system calls"),
    ("crash/src/hostile/memory.rs", "an allocator that counts"),
    ("crash/src/hostile/packed.rs", "calls the C ABI as C does"),
    ("wal-core/src/packed.rs", "sees memory it has filled as bytes"),
    ("wal-core/src/append/submit.rs", "copies records into the claim it holds"),
    ("wal-core/src/append/commit.rs", "reads a group that was published whole from the ring"),
    ("wal-core/src/append/serve.rs", "gives the memory of an empty ring back"),
    ("wal-core/src/append/batch.rs", "writes frames into the ring that its claim owns"),
    ("wal-core/src/append/pages.rs", "owns what the allocator gave"),
    ("wal-core/src/append/ring.rs", "one buffer that many threads fill at once"),
    ("wal-core/src/append/writer.rs", "sees aligned blocks as the bytes they are"),
    (
        "wal-core/src/background/pool.rs",
        "one pool per process, behind a pointer that survives a fork",
    ),
    ("wal-core/src/views.rs", "what one thread at a time has to itself, without a lock"),
    ("wal-core/src/memory.rs", "bytes and what keeps them alive, without a borrow between them"),
    ("wal-core/src/recovery/open.rs", "puts an opening frame into a ring nobody else has"),
    ("wal-core/src/vfs/", "mappings, locks and direct writes are system calls"),
    ("wal-ffi/src/", "every exported function takes pointers from C"),
];

/// Where the engine meets the system.
const SYSTEM: &[(&str, &str)] = &[("wal-core/src/vfs/", "it is the way to the system")];

/// Where time is measured.
const TIMERS: &[(&str, &str)] = &[
    ("wal-core/src/append/", "waits have limits, flushes are timed"),
    ("wal-core/src/background/pool.rs", "timers"),
    ("wal-core/src/fixture.rs", "waits in tests"),
    ("wal-core/src/follow.rs", "waits have limits"),
    ("wal-core/src/models.rs", "explorations have limits"),
    ("wal-core/src/read_only.rs", "waits have limits, a look is timed"),
    ("wal-core/src/recovery/", "locks are waited for, opening is timed"),
    ("wal-core/src/sync/", "stands in for the clock of simulations"),
    ("wal-core/src/spares.rs", "zeroing leaves the disk to others for as long as it had it"),
    ("wal-core/src/vfs/", "locks are waited for"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_means_a_file_or_what_is_below_a_directory() {
        let list = &[("a/b.rs", ""), ("c/", "")];
        assert!(listed(list, "a/b.rs") && listed(list, "c/d/e.rs"));
        assert!(!listed(list, "a/b.rs.rs") && !listed(list, "cc/d.rs"));
    }

    #[test]
    fn an_exception_for_a_file_that_is_gone_is_found() {
        let scratch = tempfile::tempdir().unwrap();
        let tree = Tree::of_directory(scratch.path()).unwrap();
        let count = UNSAFE.len() + SYSTEM.len() + TIMERS.len();
        assert_eq!(check(&tree).unwrap().len(), count);
    }
}
