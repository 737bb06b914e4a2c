//! The keys a program may read are the documented ones, no more and no fewer.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::run::{arg, wal, wal_fed};
use crate::sample::numbered;

/// The keys in the first column of the table under a heading of `docs/CLI.md`; `a[].b` and `a.b`
/// are keys inside `a`.
fn documented(heading: &str) -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/CLI.md");
    let text = std::fs::read_to_string(path).expect("docs/CLI.md");
    let section = text.split(&format!("\n### {heading}\n")).nth(1).expect(heading);
    let section = section.split("\n#").next().unwrap_or_default();
    let keys: BTreeSet<String> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    assert!(!keys.is_empty(), "no table under {heading}");
    keys
}

/// The keys of a value and of what is inside it.
fn keys(value: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                keys(value, &name, found);
                found.insert(name);
            }
        }
        Value::Array(items) => {
            for item in items {
                keys(item, &format!("{prefix}[]"), found);
            }
        }
        _ => {}
    }
}

fn keys_of(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    keys(value, "", &mut found);
    found
}

/// Everything shown is documented, and everything documented at the top is always shown.
fn assert_documented(value: &Value, heading: &str) {
    let (shown, documented) = (keys_of(value), documented(heading));
    let surprises: Vec<_> = shown.difference(&documented).collect();
    assert!(surprises.is_empty(), "{heading} shows undocumented {surprises:?}");
    let missing: Vec<_> = documented
        .difference(&shown)
        .filter(|key| !key.contains("[]") && !key.contains("cut.") && !key.contains("tail."))
        .collect();
    assert!(missing.is_empty(), "{heading} lacks {missing:?}");
    for key in shown {
        let plain = key.replace("[]", "");
        assert!(
            plain.bytes().all(|byte| byte == b'.'
                || byte == b'_'
                || byte.is_ascii_lowercase()
                || byte.is_ascii_digit()),
            "{key}"
        );
    }
}

#[test]
fn info_shows_the_documented_keys() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log, "--segment-bytes", "64KiB"], &numbered(10_000)).fine();
    wal(["set", log, "key", "value"]).fine();
    let info = wal(["info", log, "--json"]).fine().json();
    assert_documented(&info, "`wal info --json`");
    assert_eq!(info["first_lsn"], 1);
    assert_eq!(info["last_lsn"], 10_000);
    assert_eq!(info["next_lsn"], 10_001);
    assert_eq!(info["clean"], true);
    assert_eq!(info["writer_alive"], false);
    assert_eq!(info["values"], 1);
    assert_eq!(info["uuid"].as_str().map(str::len), Some(36));
    let segments = info["segments"].as_array().expect("segments");
    assert!(segments.len() > 1);
    let mut next = 1;
    for segment in segments {
        assert_eq!(segment["first_lsn"], next);
        next = segment["last_lsn"].as_u64().map_or(next, |last| last + 1);
    }
    assert_eq!(next, 10_001);
    let text = wal(["info", log]).fine();
    assert!(text.text().is_ascii() && !text.text().contains('\x1b'), "no colours in a pipe");
    assert!(text.text().contains("10,000 (LSN 1-10000), next LSN 10001"), "{}", text.text());
}

#[test]
fn verify_shows_the_documented_keys() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], &numbered(10)).fine();
    assert_documented(&wal(["verify", log, "--json"]).fine().json(), "`wal verify --json`");
}

#[test]
fn bench_shows_the_documented_keys_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let place = dir.path().join("bench");
    let args = ["bench", arg(&place), "--seconds", "1", "--size", "1K", "--threads", "2"];
    let json = wal(args.into_iter().chain(["--json", "--durability", "os"])).fine().json();
    assert_documented(&json, "`wal bench --json`");
    assert_eq!(json["size"], 1024);
    assert_eq!(json["threads"], 2);
    assert_eq!(json["durability"], "os");
    assert!(json["records"].as_u64() > Some(0));
    assert!(json["p50_ns"].as_u64() <= json["p99_ns"].as_u64());
    assert!(json["p99_ns"].as_u64() <= json["max_ns"].as_u64());
    assert!(!place.exists());
    let text = wal(args).fine();
    assert!(text.text().contains("latency: p50 ") && text.text().contains("|#"), "{}", text.text());
}

#[test]
fn jsonl_shows_the_documented_keys() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = arg(dir.path());
    wal_fed(["append", log], b"say \"hi\"\n\xff\xfe\n").fine();
    let run = wal(["cat", log, "--format", "jsonl"]).fine();
    let lines: Vec<Value> =
        run.lines().into_iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let shown: BTreeSet<String> = lines.iter().flat_map(keys_of).collect();
    assert_eq!(shown, documented("`--format jsonl`"));
    assert_eq!(lines[0]["lsn"], 1);
    assert_eq!(lines[0]["bytes"], 8);
    assert_eq!(lines[0]["text"], "say \"hi\"");
    assert_eq!(lines[1]["base64"], "//4=");
    let time = lines[0]["time"].as_str().expect("a time");
    let age = humantime::parse_rfc3339(time).expect("RFC 3339").elapsed().expect("in the past");
    assert!(age.as_secs() < 60, "{time}");
}
