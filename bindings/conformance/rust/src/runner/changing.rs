//! Trim, truncate, reset, values.

use super::answer::{Answer, lsn, or_dash};
use super::session::Session;
use crate::literal::{print_bytes, read_bytes};
use crate::scenario::Line;

/// Takes the line if its operation is one of these.
pub(super) fn take(session: &mut Session, line: &Line<'_>) -> Option<Answer> {
    Some(match line.name {
        "trim" => trim(session, line),
        "truncate" => truncate(session, line),
        "reset" => reset(session, line),
        "value_set" => value_set(session, line),
        "value_get" => value_get(session, line),
        "value_delete" => value_delete(session, line),
        "value_update" => value_update(session, line),
        "value_list" => value_list(session, line),
        _ => return None,
    })
}

fn trim(session: &mut Session, line: &Line<'_>) -> Answer {
    let first = session.log(line)?.trim(lsn(line.number("before")?)?)?;
    Ok(format!("ok first={}", or_dash(first)))
}

fn truncate(session: &mut Session, line: &Line<'_>) -> Answer {
    session.log(line)?.truncate(lsn(line.number("after")?)?)?;
    Ok("ok".to_owned())
}

fn reset(session: &mut Session, line: &Line<'_>) -> Answer {
    session.log(line)?.reset_to(lsn(line.number("next")?)?)?;
    Ok("ok".to_owned())
}

fn value_set(session: &mut Session, line: &Line<'_>) -> Answer {
    session.log(line)?.values().set(&line.bytes("key")?, &line.bytes("value")?)?;
    Ok("ok".to_owned())
}

fn value_get(session: &mut Session, line: &Line<'_>) -> Answer {
    let value = session.log(line)?.values().get(&line.bytes("key")?)?;
    Ok(match value {
        Some(value) => format!("ok value={}", print_bytes(&value)),
        None => "ok none".to_owned(),
    })
}

fn value_delete(session: &mut Session, line: &Line<'_>) -> Answer {
    let existed = session.log(line)?.values().delete(&line.bytes("key")?)?;
    Ok(format!("ok existed={}", u8::from(existed)))
}

fn value_update(session: &mut Session, line: &Line<'_>) -> Answer {
    let (keys, values) = (line.many_bytes("keys")?, line.items("values")?);
    if keys.len() != values.len() {
        return Err("keys= and values= are of one length".to_owned().into());
    }
    let value = |word: &str| match word {
        "none" => Ok(None),
        literal => read_bytes(literal).map(Some).ok_or(format!("{literal} is no literal")),
    };
    let values: Vec<Option<Vec<u8>>> = values.into_iter().map(value).collect::<Result<_, _>>()?;
    let changes: Vec<(&[u8], Option<&[u8]>)> =
        keys.iter().zip(&values).map(|(key, value)| (&key[..], value.as_deref())).collect();
    session.log(line)?.values().update(&changes)?;
    Ok("ok".to_owned())
}

fn value_list(session: &mut Session, line: &Line<'_>) -> Answer {
    for (key, value) in session.log(line)?.values().list()? {
        let (key, value) = (print_bytes(&key), print_bytes(&value));
        session.lines.push(format!("value key={key} value={value}"));
    }
    Ok(format!("ok count={}", session.lines.len()))
}
