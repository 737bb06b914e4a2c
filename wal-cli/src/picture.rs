//! A small picture of a log, in ASCII, coloured where a terminal shows it.

use std::io::{IsTerminal, stdout};

use wal_core::check::Info;
use wal_core::{Lsn, SegmentStats};

use crate::sizes::{format_bytes, format_count};
use crate::times::format_time;

/// `LSN 1-9`, or `no records`.
pub fn format_range(first: Option<Lsn>, last: Option<Lsn>) -> String {
    match (first, last) {
        (Some(first), Some(last)) if first <= last => format!("LSN {first}-{last}"),
        _ => "no records".to_owned(),
    }
}

/// The usual form of 128 bits of identity.
pub fn format_uuid(uuid: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in uuid.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// Draws everything `wal info` knows.
pub fn draw(info: &Info) -> Vec<String> {
    let paint = Paint { is_on: stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() };
    let mut lines = facts(info);
    lines.push(String::new());
    let shown = shown_segments(&info.segments);
    for segment in shown.0 {
        lines.push(segment_line(segment, info, paint));
    }
    if shown.1 > 0 {
        lines.push(format!("        ... {} more segments ...", format_count(shown.1)));
    }
    for segment in shown.2 {
        lines.push(segment_line(segment, info, paint));
    }
    if info.spares > 0 {
        lines.push(format!("  {:>6} [{}] spare", info.spares, " ".repeat(BAR_CELLS)));
    }
    if !info.segments.is_empty() {
        lines.push(String::new());
        lines.push("        # durable  + valid, not yet known to be durable  . room".to_owned());
    }
    lines
}

fn facts(info: &Info) -> Vec<String> {
    let state = match (info.writer_alive, info.clean) {
        (true, _) => "a writer has it open",
        (false, true) => "closed cleanly",
        (false, false) => "not closed cleanly: the next opening recovers",
    };
    let count = match (info.first_lsn, info.last_lsn) {
        (Some(first), Some(last)) => last.get() - first.get() + 1,
        _ => 0,
    };
    let mut facts = vec![
        ("log", format!("{}, epoch {}", format_uuid(&info.uuid), info.epoch)),
        ("state", state.to_owned()),
        (
            "records",
            format!(
                "{} ({}), next LSN {}",
                format_count(count),
                format_range(info.first_lsn, info.last_lsn),
                info.next_lsn
            ),
        ),
        ("durable", format!("through {}", info.durable_through)),
    ];
    if let (Some(first), Some(last)) = (info.first_time, info.last_time) {
        facts.push(("times", format!("{} to {}", format_time(first), format_time(last))));
    }
    facts.push((
        "size",
        format!(
            "{} on disk, {} in use, {} segments, {} spares, {} values",
            format_bytes(info.disk_bytes),
            format_bytes(info.valid_bytes),
            format_count(info.segments.len() as u64),
            info.spares,
            info.values
        ),
    ));
    facts.push(("opening", format!("would be `{}`", info.recovery.case)));
    if let Some(cut) = &info.recovery.cut {
        let bytes = format_bytes(cut.bytes);
        facts.push(("", format!("and cut {bytes} at {}: {}", cut.place, cut.reason)));
    }
    for note in &info.recovery.notes {
        facts.push(("note", note.clone()));
    }
    facts.into_iter().map(|(name, fact)| format!("{name:<8}{fact}")).collect()
}

/// The first and the last segments, and how many between them are left out.
fn shown_segments(segments: &[SegmentStats]) -> (&[SegmentStats], u64, &[SegmentStats]) {
    if segments.len() <= SEGMENTS_SHOWN_MAX {
        return (segments, 0, &[]);
    }
    let half = SEGMENTS_SHOWN_MAX / 2;
    let (head, rest) = segments.split_at(half);
    let (left_out, tail) = rest.split_at(rest.len() - half);
    (head, left_out.len() as u64, tail)
}

fn segment_line(segment: &SegmentStats, info: &Info, paint: Paint) -> String {
    let durable = match segment.id.cmp(&info.durable_through.segment) {
        std::cmp::Ordering::Less => segment.end.0,
        std::cmp::Ordering::Equal => info.durable_through.offset.0.min(segment.end.0),
        std::cmp::Ordering::Greater => 0,
    };
    let cells = |bytes: u64| {
        let share = bytes as f64 / segment.file_bytes.max(1) as f64;
        ((share * BAR_CELLS as f64).ceil() as usize).min(BAR_CELLS)
    };
    let (durable, valid) = (cells(durable), cells(segment.end.0));
    let bar = format!(
        "{}{}{}",
        paint.green(&"#".repeat(durable)),
        paint.yellow(&"+".repeat(valid.saturating_sub(durable))),
        ".".repeat(BAR_CELLS - valid.max(durable)),
    );
    format!(
        "  {:>6} [{bar}] {:<6} epoch {} {} of {} {}",
        segment.id,
        if segment.sealed { "sealed" } else { "active" },
        segment.epoch,
        format_bytes(segment.end.0),
        format_bytes(segment.file_bytes),
        match segment.last_lsn {
            Some(last) => format_range(Some(segment.first_lsn), Some(last)),
            None => format!("no records, next is LSN {}", segment.first_lsn),
        },
    )
}

/// Escape sequences, or nothing.
#[derive(Clone, Copy)]
struct Paint {
    is_on: bool,
}

impl Paint {
    fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.is_on && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

const BAR_CELLS: usize = 32;
/// More segments than this are summed up in the middle.
const SEGMENTS_SHOWN_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_usual_form() {
        let uuid: [u8; 16] = std::array::from_fn(|index| index as u8 * 0x11);
        assert_eq!(format_uuid(&uuid), "00112233-4455-6677-8899-aabbccddeeff");
    }

    #[test]
    fn an_empty_range_is_no_records() {
        assert_eq!(format_range(None, None), "no records");
        assert_eq!(format_range(Lsn::new(5), Lsn::new(4)), "no records");
        assert_eq!(format_range(Lsn::new(5), Lsn::new(9)), "LSN 5-9");
    }
}
