//! The committed headers are what the sources say, and every C and C++ compiler takes them.

use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn the_header_is_the_one_the_sources_say() {
    compare(&include_dir().join("wal.h"), &render(&config()));
}

#[test]
fn the_header_for_php_is_the_one_the_sources_say() {
    let text = render_for_php();
    assert!(!text.contains('#'), "PHP has no preprocessor");
    assert!(!text.contains("/*"), "comments are left out");
    compare(&include_dir().join("wal_php.h"), &text);
}

/// What `ffi.preload` of php.ini reads: the same, with the names PHP wants to know it by.
#[test]
fn the_header_in_the_php_package_is_the_same_one() {
    let names = format!(
        "#define FFI_SCOPE \"libwal\"\n#define FFI_LIB \"libwal.so.{}\"\n\n",
        env!("CARGO_PKG_VERSION_MAJOR")
    );
    let path = root().join("bindings/php/resources/libwal.h");
    compare(&path, &(names + &render_for_php()));
}

#[test]
fn the_headers_declare_the_same_functions() {
    let (full, plain) = (functions(&render(&config())), functions(&render_for_php()));
    assert_eq!(full, plain);
    assert!(full.len() > 60, "{full:?}");
}

#[test]
fn every_function_says_what_a_caller_must_know() {
    let header = render(&config());
    for name in functions(&header) {
        let doc = doc_of(&header, &name);
        for word in
            ["- Ownership: ", "- Thread-safety: ", "- Blocking: ", "- Errors: ", "- Since: "]
        {
            assert!(doc.contains(word), "{name} does not say `{word}`");
        }
    }
}

#[test]
fn the_manual_names_every_function() {
    let manual = std::fs::read_to_string(root().join("docs/C_API.md")).expect("the manual");
    for name in functions(&render(&config())) {
        assert!(manual.contains(&format!("`{name}`")), "docs/C_API.md does not name {name}");
    }
}

#[test]
fn the_header_compiles_in_every_dialect_without_a_warning() {
    let directory = tempfile::tempdir().expect("a directory");
    let source = "#include <wal.h>\n#include <wal.h>\n\
                  int main(void) { wal_error e = WAL_ERROR_INIT; (void)e; return WAL_OK; }\n";
    for (compiler, dialect, extension) in [
        ("cc", "c99", "c"),
        ("cc", "c11", "c"),
        ("cc", "c2x", "c"),
        ("c++", "c++17", "cpp"),
        ("c++", "c++20", "cpp"),
    ] {
        let file = directory.path().join(format!("main.{extension}"));
        std::fs::write(&file, source).expect("written");
        let output = Command::new(compiler)
            .arg(format!("-std={dialect}"))
            .args(["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"])
            .args(["-fsyntax-only", "-I"])
            .arg(include_dir())
            .arg(&file)
            .output()
            .unwrap_or_else(|error| panic!("{compiler} does not run, install gcc, g++: {error}"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{compiler} -std={dialect}: {stderr}");
    }
}

#[test]
fn the_header_for_php_is_c_once_its_types_are_known() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("main.c");
    let source = "#include <stddef.h>\n#include <stdint.h>\n#include <wal_php.h>\n\
                  int main(void) { return WAL_OK; }\n";
    std::fs::write(&file, source).expect("written");
    let output = Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I"])
        .arg(include_dir())
        .arg(&file)
        .output()
        .expect("cc runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The sources in the order a reader meets them.
const SOURCES: [&str; 24] = [
    "version",
    "codes",
    "error",
    "options",
    "recovery",
    "log",
    "append",
    "watermark",
    "notify",
    "completions",
    "read",
    "record",
    "position",
    "cursor",
    "follow",
    "replay",
    "packed",
    "trim",
    "copy",
    "values",
    "stats",
    "check",
    "verify",
    "logging",
];

fn render(config: &cbindgen::Config) -> String {
    let mut builder = cbindgen::Builder::new().with_config(config.clone());
    for source in SOURCES {
        builder = builder.with_src(crate_dir().join(format!("src/{source}.rs")));
    }
    let bindings = builder.generate().expect("cbindgen understands the sources");
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    without_safety(&String::from_utf8(bytes).expect("UTF-8"))
}

fn config() -> cbindgen::Config {
    let mut config =
        cbindgen::Config::from_file(crate_dir().join("cbindgen.toml")).expect("cbindgen.toml");
    let preamble = std::fs::read_to_string(crate_dir().join("preamble.h")).expect("preamble.h");
    let preamble = preamble
        .replace("@MAJOR@", env!("CARGO_PKG_VERSION_MAJOR"))
        .replace("@MINOR@", env!("CARGO_PKG_VERSION_MINOR"))
        .replace("@PATCH@", env!("CARGO_PKG_VERSION_PATCH"))
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"));
    config.after_includes = Some(format!("\n{}", preamble.trim_end()));
    config
}

fn render_for_php() -> String {
    let mut config = config();
    config.cpp_compat = false;
    config.documentation = false;
    config.include_guard = None;
    config.sys_includes = Vec::new();
    config.after_includes = None;
    config.autogen_warning = None;
    render(&config)
}

/// Leaves out the `# Safety` sections: what C must promise stands in the preamble.
fn without_safety(header: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut is_inside = false;
    for line in header.lines() {
        if line.trim() == "* # Safety" {
            is_inside = true;
            if kept.last().is_some_and(|last| last.trim() == "*") {
                kept.pop();
            }
        } else if line.trim() == "*/" {
            is_inside = false;
        }
        if !is_inside {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}

fn compare(path: &Path, expected: &str) {
    if std::env::var_os("WAL_UPDATE_HEADER").is_some() {
        std::fs::write(path, expected).expect("the header is writable");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    let line = found.lines().zip(expected.lines()).position(|(a, b)| a != b);
    assert!(
        found == expected,
        "{} differs from the sources (first at line {:?}): run this test with WAL_UPDATE_HEADER=1",
        path.display(),
        line.map(|line| line + 1),
    );
}

/// The names of the declared functions, in order.
fn functions(header: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in header.lines() {
        let is_declaration = line.starts_with(|c: char| c.is_ascii_lowercase())
            && !line.starts_with("typedef")
            && !line.starts_with("struct wal_") | line.contains('(');
        let Some((before, _)) = line.split_once('(') else { continue };
        let name = before.rsplit([' ', '*']).next().unwrap_or_default();
        if is_declaration && name.starts_with("wal_") {
            names.push(name.to_owned());
        }
    }
    names.sort();
    names
}

/// The comment right before the declaration of a function.
fn doc_of(header: &str, name: &str) -> String {
    let declaration = header
        .match_indices(&format!("{name}("))
        .map(|(at, _)| at)
        .find(|at| {
            let line = header[..*at].rsplit('\n').next().unwrap_or_default();
            line.starts_with(|c: char| c.is_ascii_lowercase())
        })
        .expect("declared");
    let before = &header[..declaration];
    let start = before.rfind("/**").expect("a comment");
    let comment = &before[start..];
    let end = comment.find("*/").expect("the comment ends");
    assert!(!comment[end..].contains(';'), "{name} has no comment of its own");
    comment[..end].to_owned()
}

fn crate_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> PathBuf {
    crate_dir().join("..")
}

fn include_dir() -> PathBuf {
    root().join("include")
}
