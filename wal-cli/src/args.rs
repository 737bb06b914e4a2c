//! The command line: one subcommand per file of `commands/`.

use clap::{Parser, Subcommand, ValueEnum};
use wal_core::{Level, Lsn, Position};

use crate::commands::{
    append, bench, cat, copy, export, follow, get, import, info, repair, set, trim, truncate,
    verify,
};

/// Appends to, reads, inspects, verifies and repairs write-ahead logs.
///
/// A log is a directory. Reading commands run beside a live writer; writing ones need the log for
/// themselves. Exit codes: 0 fine, 1 something is wrong with the data, 2 wrong usage, 3 locked or
/// not available.
#[derive(Debug, Parser)]
#[command(name = "wal", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Append records, one per line of the files or of standard input.
    Append(append::Args),
    /// Print records.
    Cat(cat::Args),
    /// Print records as they are appended, also by another process.
    Follow(follow::Args),
    /// Show segments, watermarks, sizes and times.
    Info(info::Args),
    /// Check every checksum, chain, header and footer.
    Verify(verify::Args),
    /// Make a damaged log usable again, keeping a copy of what is changed.
    Repair(repair::Args),
    /// Drop the records before an LSN (the head).
    Trim(trim::Args),
    /// Drop the records after an LSN (the tail).
    Truncate(truncate::Args),
    /// Print a value of the log's key-value state.
    Get(get::Args),
    /// Set or delete a value of the log's key-value state.
    Set(set::Args),
    /// Write the log as a checksummed stream to standard output.
    Export(export::Args),
    /// Make or continue a log from a stream on standard input.
    Import(import::Args),
    /// Make a consistent copy, also beside a live writer.
    Copy(copy::Args),
    /// Measure rate and latency of appends in a directory.
    Bench(bench::Args),
}

/// What an acknowledgement promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// The record survives power loss.
    #[default]
    Disk,
    /// The record survives the death of the process.
    Os,
    /// The record is in memory.
    Buffered,
}

impl Durability {
    /// The engine's word for it.
    pub fn level(self) -> Level {
        match self {
            Durability::Disk => Level::Disk,
            Durability::Os => Level::Os,
            Durability::Buffered => Level::Buffered,
        }
    }

    /// The option's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Durability::Disk => "disk",
            Durability::Os => "os",
            Durability::Buffered => "buffered",
        }
    }
}

/// Reads an LSN.
pub fn parse_lsn(text: &str) -> Result<Lsn, String> {
    text.parse()
        .ok()
        .and_then(Lsn::new)
        .ok_or_else(|| format!("`{text}` is not an LSN: write a number from 1 to {}", Lsn::MAX))
}

/// Reads an LSN, `start` or `end`.
pub fn parse_position(text: &str) -> Result<Position, String> {
    match text {
        "start" => Ok(Position::First),
        "end" => Ok(Position::End),
        _ => {
            parse_lsn(text).map(Position::At).map_err(|problem| format!("{problem}, start or end"))
        }
    }
}

/// Reads the one byte that ends a record: itself, or `\n`, `\t`, `\r`, `\0`, `\\` or `\xHH`.
pub fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] => Ok(*byte),
        br"\n" => Ok(b'\n'),
        br"\t" => Ok(b'\t'),
        br"\r" => Ok(b'\r'),
        br"\0" => Ok(0),
        br"\\" => Ok(b'\\'),
        [b'\\', b'x', ..] => text
            .get(2..)
            .filter(|digits| digits.len() == 2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .ok_or_else(|| format!("`{text}` is not a byte: write \\xHH")),
        _ => Err(format!(r"`{text}` is not one byte: write it, or \n, \t, \r, \0, \\ or \xHH")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn delimiters_are_exactly_one_byte() {
        for text in ["", "ab", r"\q", r"\x1", r"\x123", r"\xzz"] {
            assert!(parse_delimiter(text).is_err(), "{text}");
        }
        for (text, byte) in [(";", b';'), (r"\n", b'\n'), (r"\x1e", 0x1e), ("\\", b'\\')] {
            assert_eq!(parse_delimiter(text), Ok(byte), "{text}");
        }
    }

    #[test]
    fn zero_is_not_an_lsn() {
        assert!(parse_lsn("0").is_err());
        assert!(parse_lsn("-1").is_err());
        assert!(parse_position("begin").is_err());
        assert_eq!(parse_position("7"), Ok(Position::At(Lsn::new(7).expect("7 is in range"))));
    }
}
