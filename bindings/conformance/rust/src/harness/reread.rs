//! Golden logs, read once more by a program that knows only the document of the format.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::suite::Suite;
use crate::golden::unpack;

/// Has `docs/reader.py` read every golden log and compares the LSN and the length of each record
/// with what the transcript `golden-<name>` says; a log without one has to be refused. Returns how
/// many logs there are, and what differs.
///
/// # Errors
/// Files that cannot be read, and no Python.
pub fn reread(suite: &Suite, reader: &Path) -> Result<(usize, Vec<String>), String> {
    let directory = suite.directory().join("golden");
    let told = |error: std::io::Error| format!("{}: {error}", directory.display());
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(&directory).map_err(told)? {
        let path = entry.map_err(told)?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if path.extension().is_none_or(|extension| extension != "golden") {
            continue;
        }
        count += 1;
        let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
        let log = scratch.path().join("log");
        unpack(&fs::read_to_string(&path).map_err(told)?, &log)?;
        let output = Command::new("python3").arg(reader).arg("--lsn").arg(&log).output();
        let output = output.map_err(|error| format!("python3: {error}"))?;
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        let transcript = suite.directory().join(format!("scenarios/golden-{name}.expected"));
        let expected = fs::read_to_string(transcript).ok().and_then(|text| records(&text));
        match expected {
            Some(expected) if output.status.success() && found == expected => {}
            None if !output.status.success() => {}
            expected => {
                let expected = expected.unwrap_or("a refusal\n".to_owned());
                failures.push(format!("{name}: expected\n{expected}but read\n{found}"));
            }
        }
    }
    Ok((count, failures))
}

/// LSN and length of the records a reader is shown; `None` where nobody is shown any.
fn records(transcript: &str) -> Option<String> {
    let (_, shown) = transcript.split_once("> iterate log=reader from=first\n")?;
    let lines = shown.lines().map_while(|line| line.strip_prefix("record lsn="));
    let record = |line: &str| {
        let (lsn, bytes) = (line.split(' ').next()?, line.split("bytes=").nth(1)?);
        let length = match bytes.strip_prefix("hex:") {
            Some(digits) => (digits.len() / 2).to_string(),
            None => bytes.split(':').next()?.to_owned(),
        };
        Some(format!("{lsn}\t{length}\n"))
    };
    lines.map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_of_a_transcript_are_those_of_its_reader() {
        let text = "> iterate log=reader from=first\nrecord lsn=4 more=1 bytes=hex:00ff\n\
                    record lsn=5 more=0 bytes=60000:00000000\nok count=2\n> next\nrecord lsn=9\n";
        assert_eq!(records(text).as_deref(), Some("4\t2\n5\t60000\n"));
        assert_eq!(records("> open\nerror corrupt\n"), None);
    }
}
