//! The rules of the door, tried without an engine behind it.

use std::mem::MaybeUninit;

use super::*;

struct Thing(Guard);

impl Handle for Thing {
    const NAME: &'static str = "thing";

    fn guard(&self) -> &Guard {
        &self.0
    }
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sized2 {
    struct_size: u32,
    first: u32,
    second: u64,
}

// SAFETY: `repr(C)`, the size first, only integers.
unsafe impl Versioned for Sized2 {
    const NAME: &'static str = "sized2";
    const TEXT: Option<usize> = None;
}

const DEFAULTS: Sized2 = Sized2 { struct_size: 16, first: 10, second: 20 };

fn blank() -> wal_error {
    // SAFETY: every bit pattern is a value.
    let mut error: wal_error = unsafe { MaybeUninit::zeroed().assume_init() };
    error.struct_size = u32::try_from(size_of::<wal_error>()).expect("small");
    error
}

fn text(error: &wal_error) -> String {
    error.message.iter().take_while(|c| **c != 0).map(|c| char::from(*c as u8)).collect()
}

fn call_on(thing: &Thing, err: *mut wal_error, body: impl FnOnce() -> Outcome) -> i32 {
    // SAFETY: the thing is live, and so is what the tests pass as `err`.
    unsafe { on(thing, err, |_| body()) }
}

#[test]
fn a_null_handle_is_invalid_and_named() {
    let mut error = blank();
    // SAFETY: NULL is what is tried; the error is live.
    let code = unsafe { on(std::ptr::null::<Thing>(), &mut error, |_| Ok(())) };
    assert_eq!(code, wal_code::WAL_ERR_INVALID.number());
    assert!(text(&error).contains("thing is NULL"), "{}", text(&error));
}

#[test]
fn a_misaligned_handle_is_invalid() {
    let crooked = std::ptr::without_provenance::<Thing>(align_of::<Thing>() + 1);
    // SAFETY: a misaligned pointer is what is tried; it is not followed.
    let code = unsafe { on(crooked, std::ptr::null_mut(), |_| Ok(())) };
    assert_eq!(code, wal_code::WAL_ERR_INVALID.number());
}

#[test]
fn a_panic_is_told_and_poisons_only_its_handle() {
    let (thing, other) = (Thing(Guard::default()), Thing(Guard::default()));
    let mut error = blank();
    assert_eq!(call_on(&thing, &mut error, || panic!("boom")), wal_code::WAL_ERR_PANIC.number());
    assert_eq!(error.code, -17);
    assert!(text(&error).contains("boom"), "{}", text(&error));
    assert_eq!(call_on(&thing, &mut error, || Ok(())), wal_code::WAL_ERR_POISONED.number());
    assert!(text(&error).contains("boom"), "{}", text(&error));
    assert_eq!(call_on(&other, std::ptr::null_mut(), || Ok(())), 0);
}

#[test]
fn a_panic_in_a_getter_gives_its_answer_for_null() {
    let thing = Thing(Guard::default());
    // SAFETY: the thing is live.
    assert_eq!(unsafe { getter(&thing, 0_u64, |_| panic!("boom")) }, 0);
    assert_eq!(call_on(&thing, std::ptr::null_mut(), || Ok(())), -11);
}

#[test]
fn an_error_without_a_size_is_refused_before_anything_happens() {
    let mut error = blank();
    error.struct_size = 0;
    let thing = Thing(Guard::default());
    let code = call_on(&thing, &mut error, || unreachable!("the call must not run"));
    assert_eq!(code, wal_code::WAL_ERR_INVALID.number());
    assert_eq!(error.code, 0, "an error of unknown size is not written to");
}

#[test]
fn an_error_is_written_only_on_failure() {
    let mut error = blank();
    error.code = 77;
    let thing = Thing(Guard::default());
    assert_eq!(call_on(&thing, &mut error, || Ok(())), 0);
    assert_eq!(error.code, 77);
}

#[test]
fn a_shorter_error_is_filled_as_far_as_it_goes_and_stays_terminated() {
    let mut error = blank();
    error.message.fill(1);
    let short = offset_of!(wal_error, message) + 10;
    error.struct_size = u32::try_from(short).expect("small");
    let thing = Thing(Guard::default());
    call_on(&thing, &mut error, || Err(Failure::invalid("a text longer than ten bytes")));
    assert_eq!(text(&error).len(), 9);
    assert_eq!(error.message.get(10), Some(&1), "nothing behind the struct is touched");
}

#[test]
fn an_older_struct_keeps_the_defaults_for_what_it_lacks() {
    let given = Sized2 { struct_size: 8, first: 1, second: 2 };
    // SAFETY: the struct is live.
    let read = unsafe { struct_in(&given, DEFAULTS) }.expect("older structs are accepted");
    assert_eq!((read.first, read.second), (1, 20));
}

#[test]
fn a_newer_struct_is_accepted_only_when_its_tail_is_zero() {
    let mut given = [
        Sized2 { struct_size: 32, first: 1, second: 2 },
        Sized2 { struct_size: 0, first: 0, second: 0 },
    ];
    // SAFETY: the array is as long as the size says.
    let read = unsafe { struct_in(given.as_ptr(), DEFAULTS) }.expect("the tail is zero");
    assert_eq!((read.first, read.second), (1, 2));
    given[1].second = 1 << 63;
    // SAFETY: as above.
    let refusal = unsafe { struct_in(given.as_ptr(), DEFAULTS) }.expect_err("an unknown field");
    assert_eq!(refusal.code(), wal_code::WAL_ERR_INVALID);
}

#[test]
fn sizes_that_no_struct_has_are_invalid() {
    for size in [0, 1, 7, 16 * 1024 + 1, u32::MAX] {
        let given = Sized2 { struct_size: size, first: 1, second: 2 };
        // SAFETY: the size is refused before anything but the size is read.
        assert!(unsafe { struct_in(&given, DEFAULTS) }.is_err(), "{size}");
    }
}

#[test]
fn an_initialised_struct_has_its_size_and_a_zero_tail() {
    let mut given = [DEFAULTS; 2];
    // SAFETY: the array is as long as stated.
    unsafe { struct_init(given.as_mut_ptr(), 32, &DEFAULTS) }.expect("room for two");
    assert_eq!(
        given,
        [Sized2 { struct_size: 32, ..DEFAULTS }, Sized2 { struct_size: 0, first: 0, second: 0 }]
    );
}

#[test]
fn null_is_an_empty_slice_and_nothing_else() {
    // SAFETY: NULL is what is tried.
    unsafe {
        assert!(bytes(std::ptr::null(), 0, "data").expect("empty").is_empty());
        assert!(bytes(std::ptr::null(), 1, "data").is_err());
        assert!(array(std::ptr::null::<u64>(), 3, "items").is_err());
        assert!(memory(std::ptr::null_mut(), 1, "buffer").is_err());
        assert!(path(std::ptr::null(), "path").is_err());
        assert!(path(c"".as_ptr(), "path").is_err());
    }
}

#[test]
fn a_length_no_memory_can_have_is_invalid() {
    let byte = 1_u8;
    let data = std::ptr::from_ref(&byte);
    // SAFETY: the lengths are refused before anything is read.
    unsafe {
        assert!(bytes(data.cast(), usize::MAX, "data").is_err());
        let words = std::ptr::without_provenance::<u64>(8);
        assert!(array(words, usize::MAX / 8, "items").is_err());
    }
}

#[test]
fn an_output_is_required_or_not() {
    // SAFETY: NULL is what is tried.
    unsafe {
        assert!(out(std::ptr::null_mut::<u64>(), "lsn").is_err());
        out_optional(std::ptr::null_mut::<u64>(), "lsn").expect("not wanted").put(1);
    }
    let mut value = 0_u64;
    // SAFETY: the value is live.
    unsafe { out(&mut value, "lsn") }.expect("writable").put(9);
    assert_eq!(value, 9);
}
