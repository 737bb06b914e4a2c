//! Sizes in bytes, as people write and read them.

/// Reads `65536`, `64K`, `64KiB`, `64MiB`, `1G`, `64kB`. A bare letter and the `i` forms count in
/// powers of 1024; `kB`, `MB` and `GB` in powers of 1000.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let number: u64 = digits.parse().map_err(|_| problem(text))?;
    let factor = unit_bytes(unit.trim()).ok_or_else(|| problem(text))?;
    number.checked_mul(factor).ok_or_else(|| format!("`{text}` is too large"))
}

/// A size with three significant digits and a binary unit: `64.0 MiB`, `512 B`.
pub fn format_bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// A number with its thousands apart: `12,345,678`.
pub fn format_count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn unit_bytes(unit: &str) -> Option<u64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return None,
    })
}

fn problem(text: &str) -> String {
    format!("`{text}` is not a size: write bytes, or a number with K, KiB, MiB, GiB, kB, MB or GB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "K", "12X", "-1", "1.5M", "64 KiB x", "99999999999999999999", "17179869184G"]
        {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_usual_forms_are_read() {
        for (text, bytes) in [
            ("0", 0),
            ("65536", 65536),
            ("64K", 65536),
            ("64k", 65536),
            ("64KiB", 65536),
            ("64 KiB", 65536),
            ("64kB", 64000),
            ("64MiB", 64 << 20),
            ("1G", 1 << 30),
            ("1GB", 1_000_000_000),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn sizes_and_counts_read_well() {
        assert_eq!(format_bytes(1023), "1023 B");
        assert_eq!(format_bytes(64 << 20), "64.0 MiB");
        assert_eq!(format_count(0), "0");
        assert_eq!(format_count(999), "999");
        assert_eq!(format_count(1_234_567), "1,234,567");
    }
}
