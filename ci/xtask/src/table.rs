//! `bindings/codes.toml`, read: the one list of codes, enums and options.

use toml::{Table, Value};

/// The list.
pub struct Codes {
    /// What functions return besides 0.
    pub codes: Vec<Code>,
    /// The enums of options.
    pub enums: Vec<Enum>,
    /// The options of opening.
    pub options: Vec<OpenOption>,
}

/// One error code.
pub struct Code {
    /// Its name without the prefix `WAL_ERR_`.
    pub name: String,
    /// Its number, below zero.
    pub number: i64,
    /// The engine's kind; `None` for a code of the C ABI itself.
    pub kind: Option<String>,
    /// What the caller does next.
    pub next: String,
}

/// One enum of options.
pub struct Enum {
    /// Its name in every language.
    pub name: String,
    /// The engine's type.
    pub rust: String,
    /// Name, number and the engine's variant of each value.
    pub values: Vec<(String, i64, String)>,
}

/// One option of opening.
pub struct OpenOption {
    /// Its name in every language.
    pub name: String,
    /// Its type in the words of the list.
    pub kind: String,
    /// The unit of a duration.
    pub unit: Option<String>,
    /// What it is when it is left out.
    pub default: Option<Value>,
}

impl OpenOption {
    /// Its name where durations are plain numbers: the unit stands last.
    pub fn plain_name(&self) -> String {
        match &self.unit {
            Some(unit) => format!("{}_{unit}", self.name),
            None => self.name.clone(),
        }
    }
}

impl Codes {
    /// Reads the list.
    ///
    /// # Errors
    /// Text that is not the list: the place that is missing or wrong.
    pub fn parse(text: &str) -> Result<Codes, String> {
        let table: Table = text.parse().map_err(|error| format!("{LIST}: {error}"))?;
        Ok(Codes {
            codes: each(&table, "code", code)?,
            enums: each(&table, "enum", enumeration)?,
            options: each(&table, "option", option)?,
        })
    }

    /// The table of codes for the documents.
    pub fn markdown(&self) -> String {
        let mut text = String::from("| code | number | what to do next |\n|---|---|---|\n");
        text.push_str("| `WAL_OK` | 0 | Nothing: the call did what it says. |\n");
        for code in &self.codes {
            let row = format!("| `WAL_ERR_{}` | {} | {} |\n", code.name, code.number, code.next);
            text.push_str(&row);
        }
        text
    }
}

fn each<T>(
    table: &Table,
    key: &str,
    read: impl Fn(&Table) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let list = table.get(key).and_then(Value::as_array).ok_or(format!("{LIST}: no [[{key}]]"))?;
    list.iter()
        .map(|entry| {
            let entry = entry.as_table().ok_or(format!("{LIST}: [[{key}]] is no table"))?;
            read(entry).map_err(|error| format!("{LIST}: [[{key}]] {error}"))
        })
        .collect()
}

fn code(table: &Table) -> Result<Code, String> {
    Ok(Code {
        name: text(table, "name")?,
        number: number(table, "number")?,
        kind: table.get("kind").and_then(Value::as_str).map(str::to_owned),
        next: text(table, "next")?,
    })
}

fn enumeration(table: &Table) -> Result<Enum, String> {
    let values = table.get("values").and_then(Value::as_array).ok_or("lacks `values`")?;
    let value = |value: &Value| {
        let value = value.as_table().ok_or("has a value that is no table")?;
        Ok::<_, String>((text(value, "name")?, number(value, "number")?, text(value, "rust")?))
    };
    Ok(Enum {
        name: text(table, "name")?,
        rust: text(table, "rust")?,
        values: values.iter().map(value).collect::<Result<_, _>>()?,
    })
}

fn option(table: &Table) -> Result<OpenOption, String> {
    Ok(OpenOption {
        name: text(table, "name")?,
        kind: text(table, "type")?,
        unit: table.get("unit").and_then(Value::as_str).map(str::to_owned),
        default: table.get("default").cloned(),
    })
}

fn text(table: &Table, key: &str) -> Result<String, String> {
    let value = table.get(key).and_then(Value::as_str);
    value.map(str::to_owned).ok_or(format!("lacks the text `{key}`"))
}

fn number(table: &Table, key: &str) -> Result<i64, String> {
    table.get(key).and_then(Value::as_integer).ok_or(format!("lacks the number `{key}`"))
}

/// Where the list lies.
pub const LIST: &str = "bindings/codes.toml";
