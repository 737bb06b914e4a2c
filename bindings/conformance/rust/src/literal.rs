//! Bytes as scenarios write them and transcripts print them.

use crate::generator::pattern;

/// The bytes of `text:`, `hex:`, `zeros:` or `pattern:`; `None` for anything else.
pub fn read_bytes(literal: &str) -> Option<Vec<u8>> {
    let (kind, rest) = literal.split_once(':')?;
    match kind {
        "text" => Some(rest.as_bytes().to_vec()),
        "hex" => read_hex(rest),
        "zeros" => Some(vec![0; rest.parse().ok()?]),
        "pattern" => {
            let (seed, len) = rest.split_once(':')?;
            Some(pattern(seed.parse().ok()?, len.parse().ok()?))
        }
        _ => None,
    }
}

/// The bytes two hexadecimal digits each stand for.
pub fn read_hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pairs = digits.chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Two small hexadecimal digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Short bytes as they are, long ones as their length and checksum.
pub fn print_bytes(bytes: &[u8]) -> String {
    if bytes.len() <= SHORT_BYTES_MAX {
        return format!("hex:{}", hex(bytes));
    }
    format!("{}:{:08x}", bytes.len(), crc32fast::hash(bytes))
}

const SHORT_BYTES_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_literal_is_refused() {
        for wrong in ["hello", "hex:0", "hex:0g", "hex:+1", "zeros:x", "pattern:1", "bytes:1"] {
            assert_eq!(read_bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_kind_of_literal_is_read() {
        assert_eq!(read_bytes("text:a:b").as_deref(), Some(&b"a:b"[..]));
        assert_eq!(read_bytes("text:").as_deref(), Some(&b""[..]));
        assert_eq!(read_bytes("hex:00ff").as_deref(), Some(&[0, 255][..]));
        assert_eq!(read_bytes("zeros:3").as_deref(), Some(&[0, 0, 0][..]));
        assert_eq!(read_bytes("pattern:7:9"), Some(pattern(7, 9)));
    }

    #[test]
    fn long_bytes_are_printed_as_length_and_checksum() {
        assert_eq!(print_bytes(b""), "hex:");
        assert_eq!(print_bytes(&[0xab; 32]), format!("hex:{}", "ab".repeat(32)));
        assert_eq!(print_bytes(&[0; 33]), format!("33:{:08x}", crc32fast::hash(&[0; 33])));
    }
}
