//! The manual page libwal(3) is written from the header: its introduction and one line a function.

#[path = "contract/header.rs"]
mod contract;

use std::fmt::Write;

#[test]
fn the_manual_page_says_what_the_header_says() {
    contract::compare("bindings/c/libwal.3", &page(&contract::header()));
}

fn page(header: &str) -> String {
    let mut page = String::from(START);
    page.push_str(&format!(".TH libwal 3 \"\" \"libwal {}\" \"libwal\"\n", VERSION));
    page.push_str(SYNOPSIS);
    introduction(header, &mut page);
    page.push_str(".SH FUNCTIONS\nThe header says of each who owns what, which threads may call ");
    page.push_str("it, whether it\nblocks and how it fails.\n");
    let functions = contract::functions(header);
    assert!(functions.len() > 60, "{}", functions.len());
    for function in functions {
        let _ = write!(page, ".TP\n.BR {} ()\n{}\n", function.name, escaped(&function.summary()));
    }
    page.push_str(END);
    page
}

/// The comment at the head of the header, as sections.
fn introduction(header: &str, page: &mut String) {
    let mut lines = header.lines().skip_while(|line| !line.starts_with("/**"));
    let first = lines.next().expect("an introduction");
    let texts = contract::comment(first, &mut lines);
    let texts: Vec<&String> = texts.iter().skip(2).collect();
    let mut is_example = false;
    for (number, text) in texts.iter().enumerate() {
        let starts = number == 0 || texts[number - 1].is_empty();
        let example = text.starts_with("    ");
        if example != is_example && !text.is_empty() {
            page.push_str(if example { ".PP\n.EX\n" } else { ".EE\n" });
            is_example = example;
        }
        if text.is_empty() {
            continue;
        }
        match text.split_once(". ") {
            Some((title, rest)) if starts && !title.contains(' ') => {
                let _ = write!(page, ".SS {title}\n{}\n", escaped(rest));
            }
            _ if starts && !example => {
                let _ = write!(page, ".PP\n{}\n", escaped(text));
            }
            _ => {
                let _ = writeln!(page, "{}", escaped(text));
            }
        }
    }
}

/// A line of text as roff takes it literally.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('`', "");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

const START: &str = ".\\\" Generated from include/wal.h: run the tests with WAL_UPDATE_HEADER=1.\n";

const SYNOPSIS: &str = "\
.SH NAME
libwal \\- an embeddable, crash\\-safe write\\-ahead log
.SH SYNOPSIS
.nf
.B #include <wal.h>
.PP
.B cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs libwal)
.fi
.SH DESCRIPTION
";

const END: &str = "\
.SH FILES
.TP
.I wal.h
Every function with its documentation.
.TP
.I /usr/share/doc/libwal*/examples
Programs that append, batch, follow and recover.
.SH SEE ALSO
.BR wal (1)
";
