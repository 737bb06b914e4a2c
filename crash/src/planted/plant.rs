//! Bugs in the text of a source, each behind its switch.

use std::ops::Range;

use super::Bug;

/// A source with its bugs planted.
///
/// A bug's `replace` is what stands for its `find` while the bug is switched on. Where that is not
/// enough, `replace` writes the switch itself: then it stands there always, `planted!()` in it says
/// whether the bug is on, and `original!()` is the text it replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted(pub String);

/// Where a text stands in another one, however often.
pub fn places(text: &str, find: &str) -> usize {
    text.matches(find).count()
}

impl Planted {
    /// Plants these bugs, which come with their numbers, in the text of a file.
    ///
    /// # Errors
    ///
    /// A text that does not stand there exactly once, and bugs that get in each other's way.
    pub fn of(text: &str, bugs: &[(usize, &Bug)]) -> Result<Planted, String> {
        let mut edits = Vec::new();
        for &(number, bug) in bugs {
            edits.push(Edit { range: range_of(text, bug)?, number, bug });
        }
        // The outer ones first; of those at the same place the first one of the bank.
        edits.sort_by_key(|edit| (edit.range.start, usize::MAX - edit.range.end, edit.number));
        render(text, 0..text.len(), &edits).map(Planted)
    }
}

struct Edit<'a> {
    range: Range<usize>,
    number: usize,
    bug: &'a Bug,
}

fn range_of(text: &str, bug: &Bug) -> Result<Range<usize>, String> {
    match places(text, &bug.find) {
        1 => {}
        count => {
            return Err(format!(
                "`{}`: {} has its text {count} times instead of once",
                bug.name, bug.file
            ));
        }
    }
    let start = text.find(&bug.find).unwrap_or_default();
    Ok(start..start + bug.find.len())
}

/// The text of a range with the edits that lie in it.
fn render(text: &str, range: Range<usize>, edits: &[Edit<'_>]) -> Result<String, String> {
    let mut out = String::new();
    let mut at = range.start;
    let mut rest = edits;
    while let [outer, others @ ..] = rest {
        let is_inside = |edit: &&Edit<'_>| edit.range.start < outer.range.end;
        let count = others.iter().take_while(is_inside).count();
        let (inner, after) = others.split_at(count);
        if let Some(other) = inner.iter().find(|edit| edit.range.end > outer.range.end) {
            return Err(format!("`{}` and `{}` overlap", outer.bug.name, other.bug.name));
        }
        let original = render(text, outer.range.clone(), inner)?;
        out.push_str(&text[at..outer.range.start]);
        out.push_str(&switched(outer, &original, inner)?);
        at = outer.range.end;
        rest = after;
    }
    out.push_str(&text[at..range.end]);
    Ok(out)
}

fn switched(edit: &Edit<'_>, original: &str, inner: &[Edit<'_>]) -> Result<String, String> {
    let Edit { number, bug, .. } = edit;
    let switch = format!("crate::planted::is_on({number} /* {} */)", bug.name);
    if bug.replace.contains(SWITCH) {
        if let Some(lost) = inner.first().filter(|_| !bug.replace.contains(ORIGINAL)) {
            return Err(format!("`{}` leaves out the place of `{}`", bug.name, lost.bug.name));
        }
        return Ok(bug.replace.replace(SWITCH, &switch).replace(ORIGINAL, original));
    }
    let replace = &bug.replace;
    let is_statement = bug.find.trim_end().ends_with([';', '}']);
    Ok(match is_statement {
        true => format!("if {switch} {{ {replace} }} else {{ {original} }}"),
        false => format!("(if {switch} {{ {replace} }} else {{ {original} }})"),
    })
}

const SWITCH: &str = "planted!()";
const ORIGINAL: &str = "original!()";

#[cfg(test)]
mod tests {
    use super::*;

    fn bug(name: &str, find: &str, replace: &str) -> Bug {
        Bug {
            name: name.into(),
            promise: String::new(),
            file: "file.rs".into(),
            find: find.into(),
            replace: replace.into(),
            rung: String::new(),
            args: Vec::new(),
            in_slice: false,
            hangs: false,
            tries: 1,
        }
    }

    fn planted(text: &str, bugs: &[Bug]) -> Result<String, String> {
        let bugs: Vec<_> = bugs.iter().enumerate().map(|(n, bug)| (n + 1, bug)).collect();
        let on = |text: String| text.replace("crate::planted::is_on", "on");
        Planted::of(text, &bugs).map(|planted| on(planted.0))
    }

    #[test]
    fn what_is_not_there_exactly_once_is_refused() {
        for text in ["a b", "a sync(); b sync(); c"] {
            let error = planted(text, &[bug("x", "sync();", "")]).expect_err("refused");
            assert!(error.contains("instead of once"), "{error}");
        }
    }

    #[test]
    fn bugs_that_overlap_are_refused_by_their_names() {
        let bugs = [bug("x", "a b", ""), bug("y", "b c", "")];
        assert_eq!(planted("a b c", &bugs), Err("`x` and `y` overlap".into()));
        let bugs = [bug("x", "a b", "planted!()"), bug("y", "b", "")];
        assert!(planted("a b c", &bugs).is_err_and(|error| error.contains("the place of `y`")));
    }

    #[test]
    fn statements_and_expressions_are_switched() {
        let text = "f(); let a = g(1)?;";
        let bugs = [bug("x", "f();", ""), bug("y", "g(1)?", "2"), bug("z", "let a", "let a")];
        assert_eq!(
            planted(text, &bugs[..2]),
            Ok("if on(1 /* x */) {  } else { f(); } let a = \
                (if on(2 /* y */) { 2 } else { g(1)? });"
                .into())
        );
    }

    #[test]
    fn a_replacement_may_write_its_switch_itself() {
        let bugs = [bug("x", "if a {", "if a && !planted!() {")];
        assert_eq!(planted("if a { b }", &bugs), Ok("if a && !on(1 /* x */) { b }".into()));
        let bugs = [bug("x", "a", "max(planted!() as u64, original!())")];
        assert_eq!(planted("a", &bugs), Ok("max(on(1 /* x */) as u64, a)".into()));
    }

    #[test]
    fn bugs_at_the_same_place_and_inside_each_other_are_nested() {
        let bugs =
            [bug("x", "a()", "b()"), bug("y", "a()", "c()"), bug("z", "let d = a();", "e();")];
        assert_eq!(
            planted("let d = a(); f", &bugs),
            Ok("if on(3 /* z */) { e(); } else { let d = (if on(1 /* x */) { b() } else { \
                (if on(2 /* y */) { c() } else { a() }) }); } f"
                .into())
        );
    }
}
