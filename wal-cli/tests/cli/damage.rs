//! `wal verify` names the damage, `wal repair` says what it costs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{arg, wal, wal_fed};
use crate::sample::numbered;

/// A log of several segments with a flipped byte in a record of the oldest one.
fn damaged_log() -> (tempfile::TempDir, PathBuf, u64) {
    let dir = tempfile::tempdir().expect("a directory");
    wal_fed(["append", arg(dir.path()), "--segment-bytes", "64KiB"], &numbered(20_000)).fine();
    let (file, offset) = find(dir.path(), b"record 1234");
    let mut bytes = fs::read(&file).expect("a segment");
    bytes[offset] ^= 0x20;
    fs::write(&file, bytes).expect("a segment");
    (dir, file, offset as u64)
}

/// The file and offset where these bytes stand.
fn find(dir: &Path, wanted: &[u8]) -> (PathBuf, usize) {
    let mut files: Vec<_> =
        fs::read_dir(dir).expect("a directory").flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
        .into_iter()
        .find_map(|file| {
            let bytes = fs::read(&file).ok()?;
            let offset = bytes.windows(wanted.len()).position(|window| window == wanted)?;
            Some((file, offset))
        })
        .expect("the record is somewhere")
}

fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("a directory")
        .flatten()
        .filter_map(|entry| Some((entry.path(), fs::read(entry.path()).ok()?)))
        .collect();
    files.sort();
    files
}

#[test]
fn a_flipped_byte_is_named_by_file_offset_and_lsn() {
    let (dir, file, offset) = damaged_log();
    let log = arg(dir.path());
    let run = wal(["verify", log]);
    assert_eq!(run.code, 1);
    assert!(run.text().contains(&file.display().to_string()), "{}", run.text());
    let report = wal(["verify", log, "--json"]);
    assert_eq!(report.code, 1);
    let report = report.json();
    assert_eq!(report["ok"], false);
    let finding = &report["findings"][0];
    assert_eq!(finding["kind"], "corrupt");
    assert_eq!(finding["file"], file.display().to_string());
    assert_eq!(finding["records_at_stake"], true);
    let found = finding["offset"].as_u64().expect("a place");
    assert!(found <= offset && offset - found < 65_536, "{found} for {offset}");
    let lsns = (finding["first_lsn"].as_u64(), finding["last_lsn"].as_u64());
    if let (Some(first), Some(last)) = lsns {
        assert!(first <= 1234 && 1234 <= last, "{first}-{last}");
    }
}

#[test]
fn a_damaged_record_is_never_printed() {
    let (dir, file, _) = damaged_log();
    let run = wal(["cat", arg(dir.path())]);
    assert_eq!(run.code, 1);
    let last = run.stderr.lines().last().expect("an explanation");
    assert!(last.starts_with("wal: corrupt") && last.contains("wal verify"), "{last}");
    assert!(last.contains(&file.display().to_string()), "{last}");
    let whole = numbered(1233);
    assert!(whole.starts_with(&run.stdout) || run.stdout.is_empty(), "only what is whole");
}

#[test]
fn a_dry_run_changes_nothing_and_a_repair_keeps_what_it_changes() {
    let (dir, ..) = damaged_log();
    let log = arg(dir.path());
    let before = snapshot(dir.path());
    let dry = wal(["repair", log, "--dry-run"]);
    assert_eq!(dry.code, 1);
    assert!(dry.text().contains("would be lost"), "{}", dry.text());
    assert!(snapshot(dir.path()) == before, "a dry run changes nothing");

    let run = wal(["repair", log]).fine();
    assert!(run.text().contains("lost: "), "{}", run.text());
    assert!(run.text().contains("is kept in "), "{}", run.text());
    wal(["verify", log]).fine();
    let cat = wal(["cat", log]).fine();
    assert!(numbered(20_000).ends_with(&cat.stdout) || numbered(1233).starts_with(&cat.stdout));

    let again = wal(["repair", log]).fine();
    assert_eq!(again.text(), "nothing to repair\n");
    wal(["repair", log, "--dry-run"]).fine();
    wal_fed(["append", log], b"life goes on\n").fine();
    wal(["verify", log]).fine();
}

#[test]
fn an_unharmed_log_has_no_findings() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log, "--segment-bytes", "64KiB"], &numbered(20_000)).fine();
    let run = wal(["verify", log]).fine();
    assert!(run.text().starts_with("fine: 20,000 records (LSN 1-20000) in "), "{}", run.text());
    let report = wal(["verify", log, "--json"]).fine().json();
    assert_eq!(report["ok"], true);
    assert_eq!(report["findings"], Value::Array(Vec::new()));
    assert_eq!(report["records"], 20_000);
    assert_eq!(wal(["repair", log]).fine().text(), "nothing to repair\n");
}
