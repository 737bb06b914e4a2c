//! The manual pages and completions in `pages/`, which installing copies: this test writes them
//! from the command line, so that the command itself carries nothing that writes them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args::Cli;

#[test]
fn the_pages_are_what_the_command_line_says() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pages");
    let pages = pages();
    assert!(pages.len() > 15, "{:?}", pages.keys());
    if std::env::var_os("WAL_UPDATE_PAGES").is_some() {
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("created");
        for (name, text) in &pages {
            fs::write(directory.join(name), text).expect("written");
        }
    }
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(&directory).expect("pages/") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        found.insert(name, fs::read_to_string(&path).expect("UTF-8"));
    }
    for (name, text) in &pages {
        assert!(found.remove(name).as_ref() == Some(text), "pages/{name} is old: {HINT}");
    }
    assert!(found.is_empty(), "no page of the command: {:?}: {HINT}", found.keys());
}

/// Every file by its name.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for (shell, name) in
        [(Shell::Bash, "wal.bash"), (Shell::Zsh, "_wal"), (Shell::Fish, "wal.fish")]
    {
        let mut text = Vec::new();
        generate(shell, &mut Cli::command(), "wal", &mut text);
        pages.insert(name.to_owned(), clean(text));
    }
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let names: Vec<String> = std::iter::once(&command)
        .chain(command.get_subcommands())
        .map(|command| command.get_display_name().unwrap_or("wal").to_owned())
        .collect();
    for command in std::iter::once(&command).chain(command.get_subcommands()) {
        let name = command.get_display_name().unwrap_or("wal");
        pages.insert(format!("{name}.1"), page(command, name, &names));
    }
    pages
}

fn page(command: &Command, name: &str, names: &[String]) -> String {
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    let mut write = || -> std::io::Result<()> {
        // Written here: an empty date would be left out, and the version taken for it.
        writeln!(text, ".TH {name} 1 \"\" \"libwal {VERSION}\" \"libwal\"")?;
        man.render_name_section(&mut text)?;
        man.render_synopsis_section(&mut text)?;
        man.render_description_section(&mut text)?;
        man.render_options_section(&mut text)?;
        if command.has_subcommands() {
            man.render_subcommands_section(&mut text)?;
        }
        text.write_all(ends(name, names).as_bytes())
    };
    write().expect("memory takes everything");
    clean(text)
}

/// What every page ends with: the exit codes of docs/CLI.md, and the other pages.
fn ends(name: &str, names: &[String]) -> String {
    let mut roff = Roff::default();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        roff.control("TP", []);
        roff.text([bold(code)]);
        roff.text([roman(meaning)]);
    }
    roff.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for other in names.iter().filter(|other| *other != name) {
        line.extend([bold(other), roman("(1), ")]);
    }
    line.extend([bold("libwal"), roman("(3)")]);
    roff.text(line);
    roff.to_roff()
}

/// As the checkout keeps texts: no blanks at the ends of lines, one newline at the end. Every
/// section of a page comes with the two lines that define the apostrophe; once is enough.
fn clean(text: Vec<u8>) -> String {
    let text = String::from_utf8(text).expect("UTF-8");
    let is_apostrophe = |line: &str| line.contains(".ds Aq ");
    let kept =
        text.lines().enumerate().filter(|(number, line)| *number < 3 || !is_apostrophe(line));
    let lines: Vec<&str> = kept.map(|(_, line)| line.trim_end()).collect();
    lines.join("\n").trim_end().replace("\n.br\n\n.br\n", "\n.sp\n") + "\n"
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

const EXIT_CODES: [(&str, &str); 4] = [
    ("0", "Fine."),
    ("1", "Something is wrong with the data: damage, or a stream that does not fit."),
    ("2", "The command line is wrong."),
    ("3", "The log is locked, missing or not accessible; no room on the disk; no such key."),
];

const HINT: &str = "run this test with WAL_UPDATE_PAGES=1";
