//! A directory with arbitrary files.

use super::Input;
use super::survive::{Image, survive};

/// Builds the files that the bytes describe, and does everything with them. Runs of one byte are
/// written short, so that a log of some hundred kilobytes takes some hundred bytes.
pub fn directory(bytes: &[u8]) {
    survive(&unpacked(bytes));
}

/// The files that these bytes describe.
pub(super) fn unpacked(bytes: &[u8]) -> Image {
    let mut input = Input::new(bytes);
    let mut image = Image::new();
    let mut room = TOTAL_BYTES_MAX;
    while !input.is_empty() && image.len() < FILES_MAX {
        let name = match input.byte() {
            0 => "STATE".to_owned(),
            255 => format!("{:020}.wal", input.number()),
            id => format!("{:020}.wal", id - 1),
        };
        let mut content = Vec::new();
        loop {
            match input.byte() {
                LITERAL => {
                    let len = usize::from(input.short());
                    content.extend_from_slice(input.bytes(len.min(room - content.len())));
                }
                run @ (ZEROS | ONES) => {
                    let len = (input.word() as usize).min(room - content.len());
                    content.resize(content.len() + len, if run == ONES { 0xff } else { 0 });
                }
                _ => break,
            }
        }
        room -= content.len();
        image.insert(name, content);
    }
    image
}

/// The bytes that describe these files.
pub(super) fn packed(image: &Image) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in image {
        let id = name.trim_end_matches(".wal").parse::<u8>().map_or(0, |id| id.wrapping_add(1));
        out.push(if name == "STATE" { 0 } else { id });
        let mut rest = &content[..];
        while !rest.is_empty() {
            let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
            if zeros >= RUN_BYTES_MIN || zeros == rest.len() {
                out.push(ZEROS);
                out.extend((zeros as u32).to_le_bytes());
                rest = &rest[zeros..];
                continue;
            }
            let run = rest.windows(RUN_BYTES_MIN).position(|run| run.iter().all(|&b| b == 0));
            let len = run.unwrap_or(rest.len()).clamp(1, usize::from(u16::MAX));
            out.push(LITERAL);
            out.extend((len as u16).to_le_bytes());
            out.extend_from_slice(&rest[..len]);
            rest = &rest[len..];
        }
        out.push(END);
    }
    out
}

const END: u8 = 0;
const LITERAL: u8 = 1;
const ZEROS: u8 = 2;
const ONES: u8 = 3;
const RUN_BYTES_MIN: usize = 16;
const FILES_MAX: usize = 8;
const TOTAL_BYTES_MAX: usize = 2 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_directory_is_the_same_directory() {
        let mut long = vec![0; 200_000];
        long[100_000..180_000].fill(7);
        let image = Image::from([
            ("STATE".to_owned(), [vec![1; 70], vec![0; 90], vec![2; 3]].concat()),
            ("00000000000000000001.wal".to_owned(), long),
            ("00000000000000000007.wal".to_owned(), Vec::new()),
        ]);
        assert_eq!(unpacked(&packed(&image)), image);
        assert!(unpacked(&[]).is_empty());
        assert!(unpacked(&[9; 40]).len() <= FILES_MAX);
    }
}
