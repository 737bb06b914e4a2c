//! Operations a language has nothing for, each with the reason.

use std::collections::BTreeMap;

/// Operations and why they are missing.
#[derive(Debug, Default)]
pub struct Exceptions(BTreeMap<String, String>);

impl Exceptions {
    /// Reads lines of `OPERATION: why`.
    ///
    /// # Errors
    /// A line without a reason, and an operation named twice.
    pub fn parse(text: &str) -> Result<Exceptions, String> {
        let mut exceptions = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let parts = line.split_once(": ").filter(|(_, why)| !why.trim().is_empty());
            let (operation, why) = parts.ok_or_else(|| format!("no reason is given: {line}"))?;
            if exceptions.insert(operation.to_owned(), why.to_owned()).is_some() {
                return Err(format!("{operation} is named twice"));
            }
        }
        Ok(Exceptions(exceptions))
    }

    /// The operations and why they are missing.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(operation, why)| (&**operation, &**why))
    }

    /// The transcript a language with these exceptions has to print: in the place of the results of
    /// an operation it has nothing for stands that it has nothing for it.
    pub fn apply(&self, expected: &str) -> String {
        let mut adapted = String::new();
        let mut is_missing = false;
        for line in expected.lines() {
            if let Some(call) = line.strip_prefix("> ") {
                let operation = call.split(' ').next().unwrap_or_default();
                is_missing = self.0.contains_key(operation);
                adapted.push_str(&format!("{line}\n"));
                if is_missing {
                    adapted.push_str(&format!("UNSUPPORTED {operation}\n"));
                }
            } else if !is_missing {
                adapted.push_str(&format!("{line}\n"));
            }
        }
        adapted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_without_a_reason_is_refused() {
        for wrong in ["notifier", "notifier:", "notifier:  ", "notifier: a\nnotifier: b"] {
            assert!(Exceptions::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_missing_operation_is_expected_to_be_told_and_others_stay() {
        let exceptions = Exceptions::parse("# why\nread_many: has no such call\n").expect("read");
        let expected =
            "> read lsn=1\nok lsn=1\n> read_many lsns=1,2\nrecord\nrecord\nok\n> close\n";
        let adapted =
            "> read lsn=1\nok lsn=1\n> read_many lsns=1,2\nUNSUPPORTED read_many\n> close\n";
        assert_eq!(exceptions.apply(expected), adapted);
        assert_eq!(Exceptions::default().apply(expected), expected);
    }
}
