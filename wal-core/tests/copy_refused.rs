//! A copy that finds no room fails as a copy, and says nothing against the log.
//!
//! The copy is a log of its own, and a buffered one: it was poisoned by the first write that
//! failed, and `copy_to` handed that `Poisoned` on, which told its caller to open the healthy log
//! again.

use wal_core::{ErrorKind, Log, Options};

/// Alone in its process: the limit is the process's.
#[test]
fn a_copy_that_fails_is_not_taken_for_a_poisoned_log() {
    let directory = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(directory.path().join("log"), Options::default()).unwrap();
    for number in 0..60 {
        log.append(&[number; 30_000]).unwrap();
    }
    file_size_limited(1 << 20);
    let refused = log.copy_to(directory.path().join("copy")).unwrap_err();
    file_size_limited(libc::RLIM_INFINITY);
    assert_eq!(refused.kind(), ErrorKind::Full, "{refused:?}");
    log.append(b"the log goes on").unwrap();
    assert_eq!(log.copy_to(directory.path().join("other copy")).unwrap().records, 61);
}

fn file_size_limited(bytes: libc::rlim_t) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: ignores a signal and sets a limit; the structure lives through the call.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
    }
}
