//! What is done to files without the library.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::answer::Answer;
use super::session::Session;
use crate::golden;
use crate::scenario::Line;

/// Takes the line if its operation is one of these.
pub(super) fn take(session: &mut Session, line: &Line<'_>) -> Option<Answer> {
    Some(match line.name {
        "golden" => unpack(session, line),
        "snapshot" => snapshot(session, line),
        "damage" | "cut_file" | "remove_file" => change(session, line),
        "remove_dir" => told(fs::remove_dir_all(session.directory(line))),
        "make_file" => told(fs::write(session.directory(line), "")),
        "exists" => Ok(format!("ok exists={}", u8::from(session.directory(line).exists()))),
        "sleep" => line.number("ms").map_err(Into::into).map(|milliseconds| {
            thread::sleep(Duration::from_millis(milliseconds));
            "ok".to_owned()
        }),
        _ => return None,
    })
}

fn unpack(session: &mut Session, line: &Line<'_>) -> Answer {
    let path = session.golden.join(format!("{}.golden", line.word("name")?));
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    golden::unpack(&text, &session.directory(line))?;
    Ok("ok".to_owned())
}

fn snapshot(session: &mut Session, line: &Line<'_>) -> Answer {
    told(copy(&session.directory(line), &session.scratch.join(line.word("to")?)))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        match fs::copy(entry.path(), to.join(entry.file_name())) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn change(session: &mut Session, line: &Line<'_>) -> Answer {
    let path = session.directory(line).join(line.word("file")?);
    if line.name == "remove_file" {
        return told(fs::remove_file(path));
    }
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|error| error.to_string())?;
    if line.name == "cut_file" {
        return told(file.set_len(line.number("length")?));
    }
    let (offset, bits): (u64, u8) = (line.number("offset")?, line.number("xor")?);
    let mut byte = [0];
    let read = file.read_exact_at(&mut byte, offset);
    told(read.and_then(|()| file.write_all_at(&[byte[0] ^ bits], offset)))
}

fn told(outcome: io::Result<()>) -> Answer {
    outcome.map_err(|error| error.to_string())?;
    Ok("ok".to_owned())
}
