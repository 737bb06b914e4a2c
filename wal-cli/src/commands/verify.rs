//! `wal verify`: checks everything and changes nothing.

use std::path::PathBuf;

use serde::Serialize;
use wal_core::check::{self, Finding, VerifyReport};

use super::info::CutJson;
use crate::failure::{Code, Failure, require_directory};
use crate::output::Output;
use crate::picture::format_range;
use crate::progress::Progress;
use crate::sizes::{format_bytes, format_count};

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory.
    dir: PathBuf,
    /// Print a JSON object instead; its keys are documented and stay.
    #[arg(long)]
    json: bool,
}

/// Runs it; findings make the exit code 1.
pub fn run(args: Args) -> Result<(), Failure> {
    require_directory(&args.dir)?;
    let progress = Progress::bytes("verifying", Some(0));
    let verified = check::verify(&args.dir, |done, total| progress.set(done, total));
    progress.finish();
    let report = verified?;
    let mut output = Output::stdout();
    if args.json {
        output.json(&VerifyJson::of(&report))?;
    } else {
        print(&report, &mut output)?;
    }
    output.flush()?;
    if report.findings.is_empty() { Ok(()) } else { Err(Failure::silent(Code::Data)) }
}

fn print(report: &VerifyReport, output: &mut Output) -> Result<(), Failure> {
    for finding in &report.findings {
        let stake =
            if finding.records_at_stake { "records at stake" } else { "no record at stake" };
        output.line(&format!("{stake}: {}", finding.error))?;
    }
    if let Some(cut) = &report.torn_tail {
        output.line(&format!(
            "torn tail, no damage: the next opening for writing cuts {} at {}: {}",
            format_bytes(cut.bytes),
            cut.place,
            cut.reason
        ))?;
    }
    output.line(&format!(
        "{}: {} records ({}) in {} commits and {} segments, {} checked",
        match report.findings.len() {
            0 => "fine".to_owned(),
            1 => "1 finding".to_owned(),
            count => format!("{count} findings"),
        },
        format_count(report.records),
        format_range(report.first_lsn, report.last_lsn),
        format_count(report.commits),
        format_count(report.segments),
        format_bytes(report.bytes),
    ))?;
    if !report.findings.is_empty() {
        output.line("what can be saved shows `wal repair --dry-run`")?;
    }
    Ok(())
}

#[derive(Serialize)]
struct VerifyJson {
    ok: bool,
    findings: Vec<FindingJson>,
    torn_tail: Option<CutJson>,
    segments: u64,
    commits: u64,
    records: u64,
    bytes: u64,
    first_lsn: Option<u64>,
    last_lsn: Option<u64>,
}

#[derive(Serialize)]
struct FindingJson {
    kind: &'static str,
    message: String,
    file: Option<String>,
    segment: Option<u64>,
    offset: Option<u64>,
    first_lsn: Option<u64>,
    last_lsn: Option<u64>,
    records_at_stake: bool,
}

impl VerifyJson {
    fn of(report: &VerifyReport) -> VerifyJson {
        VerifyJson {
            ok: report.findings.is_empty(),
            findings: report.findings.iter().map(FindingJson::of).collect(),
            torn_tail: report.torn_tail.as_ref().map(CutJson::of),
            segments: report.segments,
            commits: report.commits,
            records: report.records,
            bytes: report.bytes,
            first_lsn: report.first_lsn.map(|lsn| lsn.get()),
            last_lsn: report.last_lsn.map(|lsn| lsn.get()),
        }
    }
}

impl FindingJson {
    fn of(finding: &Finding) -> FindingJson {
        let error = &finding.error;
        FindingJson {
            kind: error.kind().name(),
            message: error.message().to_owned(),
            file: error.path().map(|path| path.display().to_string()),
            segment: error.segment().map(|segment| segment.0),
            offset: error.offset().map(|offset| offset.0),
            first_lsn: error.lsns().map(|lsns| lsns.first.get()),
            last_lsn: error.lsns().map(|lsns| lsns.final_.get()),
            records_at_stake: finding.records_at_stake,
        }
    }
}
