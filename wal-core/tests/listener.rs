//! What hosts for other languages hear of the engine's events.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;

use wal_core::listener::{Told, hear, listen};
use wal_core::{Log, Options};

static TOLD: Mutex<Vec<(u8, String, String)>> = Mutex::new(Vec::new());

fn keep(told: &Told<'_>) {
    let mut kept = TOLD.lock().expect("nobody panics here");
    kept.push((told.level, told.target.to_owned(), told.text.to_owned()));
}

fn taken() -> Vec<(u8, String, String)> {
    std::mem::take(&mut *TOLD.lock().expect("nobody panics here"))
}

/// One test: a process has one listener.
#[test]
fn what_is_asked_for_is_told_and_nothing_else_and_whoever_comes_first_stays() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("log");
    let open_and_close = || {
        let (log, _) = Log::open(&path, Options::default()).expect("it opens");
        log.append(b"record").expect("it is appended");
        log.close().expect("it closes");
    };

    open_and_close();
    assert!(listen(keep), "nobody was here before");
    open_and_close();
    assert!(taken().is_empty(), "nothing is told before it is asked for");

    hear(3);
    open_and_close();
    let told = taken();
    assert!(!told.is_empty(), "openings are worth telling");
    for (level, target, text) in &told {
        assert!((1..=3).contains(level), "{level} {text}");
        assert_eq!(target, "wal");
        assert!(!text.is_empty());
    }
    let names_the_log = |text: &String| text.contains(&*path.to_string_lossy());
    assert!(told.iter().any(|(_, _, text)| names_the_log(text)), "{told:?}");

    hear(2);
    open_and_close();
    assert!(taken().is_empty(), "a log that is well is no warning");

    // Bytes behind the commit of five bytes, as a crash leaves them.
    std::fs::remove_dir_all(&path).expect("it is removed");
    let (log, _) = Log::open(&path, Options::default()).expect("it opens");
    log.append(b"whole").expect("it is appended");
    let segment = newest_segment(&path);
    let copy = directory.path().join("copy");
    copy_directory(&path, &copy);
    drop(log);
    let file = std::fs::OpenOptions::new().write(true).open(copy.join(segment)).expect("a file");
    file.write_all_at(&[0xAB; 100], 2 * 4096 + 88).expect("it is written");
    taken();
    let (log, report) = Log::open(&copy, Options::default()).expect("it opens");
    assert!(report.cut.is_some(), "{report:?}");
    let warned = taken();
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert_eq!((warned[0].0, &*warned[0].1), (2, "wal"));
    assert!(warned[0].2.starts_with("cut off a torn tail "), "{warned:?}");

    hear(3);
    let record = vec![7; 40_000];
    for _ in 0..4 {
        log.append(&record).expect("it is appended");
    }
    drop(log);
    let options = Options { segment_bytes: 65_536, ..Options::default() };
    let (log, _) = Log::open(&copy, options).expect("it opens");
    for _ in 0..4 {
        log.append(&record).expect("it is appended");
    }
    assert!(taken().iter().any(|(_, _, text)| text.starts_with("rotated ")));
    drop(log);

    hear(0);
    taken();
    open_and_close();
    assert!(taken().is_empty(), "silence is silence");

    assert!(listen(keep), "the same may come again");
    assert!(!listen(|_| {}), "another may not");
}

/// The name of the segment that was made last.
fn newest_segment(path: &Path) -> std::ffi::OsString {
    let names =
        std::fs::read_dir(path).expect("a directory").map(|entry| entry.expect("it").file_name());
    let segments = names.filter(|name| Path::new(name).extension().is_some_and(|end| end == "wal"));
    segments.max().expect("a log has a segment")
}

fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("it is made");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("it is read");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("it is copied");
    }
}
