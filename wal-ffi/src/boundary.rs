//! The one door between C and Rust: panics are contained, and raw pointers become references and
//! values here and nowhere else.
//!
//! What can be checked is checked (`NULL`, alignment, sizes, ranges); that a pointer which is
//! neither points at live memory of the stated length is the caller's part of the contract.

use std::ffi::{CStr, OsStr, c_char, c_void};
use std::mem::{MaybeUninit, offset_of};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

use crate::callback;
use crate::codes::wal_code;
use crate::error::{Failure, Outcome, wal_error};
use crate::guard::Guard;
use crate::panic::contain;

/// An object C holds a pointer to.
pub(crate) trait Handle: Send + 'static {
    /// What it is called in messages.
    const NAME: &'static str;

    /// Its state as far as this layer knows it.
    fn guard(&self) -> &Guard;
}

/// A struct of the ABI that begins with its own size, so that it can grow.
///
/// # Safety
/// `repr(C)`, the first field is `struct_size: u32`, and every bit pattern is a value of it.
pub(crate) unsafe trait Versioned: Copy {
    /// What it is called in messages.
    const NAME: &'static str;
    /// Where the text at its end begins, which must stay terminated when an older caller's struct
    /// ends inside it.
    const TEXT: Option<usize>;
}

/// Runs a call that has no handle.
///
/// # Safety
/// `err` is `NULL` or points at a `wal_error` with its size set.
pub(crate) unsafe fn call(err: *mut wal_error, body: impl FnOnce() -> Outcome) -> i32 {
    // SAFETY: as the caller promises.
    let Ok(slot) = (unsafe { struct_out_optional(err) }) else {
        return wal_code::WAL_ERR_INVALID.number();
    };
    let outcome = contain(body).unwrap_or_else(|panic| {
        Err(Failure::own(wal_code::WAL_ERR_PANIC, format!("panic: {panic}")))
    });
    finish(slot, outcome)
}

/// Runs a call on a handle: refused when an earlier panic poisoned it, poisoned by a panic now.
///
/// # Safety
/// `handle` is `NULL` or was handed out and not released; `err` as for [`call`].
#[inline]
pub(crate) unsafe fn on<H: Handle>(
    handle: *const H,
    err: *mut wal_error,
    body: impl FnOnce(&H) -> Outcome,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        on_any(handle, err, |handle| {
            handle.guard().admit()?;
            body(handle)
        })
    }
}

/// As [`on`], for the calls that a poisoned handle still answers.
///
/// # Safety
/// As for [`on`].
#[inline]
pub(crate) unsafe fn on_any<H: Handle>(
    handle: *const H,
    err: *mut wal_error,
    body: impl FnOnce(&H) -> Outcome,
) -> i32 {
    // SAFETY: as the caller promises.
    let Ok(slot) = (unsafe { struct_out_optional(err) }) else {
        return wal_code::WAL_ERR_INVALID.number();
    };
    // SAFETY: as the caller promises.
    let outcome = match unsafe { reference(handle, H::NAME) } {
        Ok(handle) => {
            contain(|| body(handle)).unwrap_or_else(|panic| Err(handle.guard().poison(panic)))
        }
        Err(failure) => Err(failure),
    };
    finish(slot, outcome)
}

/// Runs a plain getter; `otherwise` is its answer for `NULL` and after a panic.
///
/// # Safety
/// As for [`on`].
#[inline]
pub(crate) unsafe fn getter<H: Handle, R: Copy>(
    handle: *const H,
    otherwise: R,
    body: impl FnOnce(&H) -> R,
) -> R {
    // SAFETY: as the caller promises.
    let Ok(handle) = (unsafe { reference(handle, H::NAME) }) else { return otherwise };
    contain(|| body(handle)).unwrap_or_else(|panic| {
        handle.guard().poison(panic);
        otherwise
    })
}

/// Moves an object to the caller, who releases it with [`release`].
pub(crate) fn give<H: Handle>(out: Out<*mut H>, object: H) {
    out.put(Box::into_raw(Box::new(object)));
}

/// Takes an object back and drops it; inside a callback the drop waits for the callback's end,
/// because it may have to wait for the very thread it runs on.
///
/// # Safety
/// `handle` is `NULL` or was handed out by [`give`] and not released.
pub(crate) unsafe fn release<H: Handle>(handle: *mut H) {
    if handle.is_null() || !handle.is_aligned() {
        return;
    }
    // A panic in a destructor has nobody left to be told to.
    let _ = contain(|| {
        // SAFETY: it came from `Box::into_raw` in `give`, and the caller gives up the only pointer.
        let object = unsafe { Box::from_raw(handle) };
        callback::drop_outside(object);
    });
}

/// The object behind a pointer.
///
/// # Safety
/// `NULL`, or points at a live `T` for as long as `'a`.
unsafe fn reference<'a, T>(pointer: *const T, name: &str) -> Outcome<&'a T> {
    if pointer.is_null() || !pointer.is_aligned() {
        return Err(not_a_pointer(name));
    }
    // SAFETY: not null, aligned, and live as the caller promises.
    Ok(unsafe { &*pointer })
}

/// The bytes at `data`; `NULL` only when there are none.
///
/// # Safety
/// `NULL`, or points at `len` readable bytes that nobody changes for as long as `'a`.
#[inline]
pub(crate) unsafe fn bytes<'a>(data: *const c_void, len: usize, name: &str) -> Outcome<&'a [u8]> {
    // SAFETY: a byte has no alignment to miss; the rest is as the caller promises.
    unsafe { array(data.cast::<u8>(), len, name) }
}

/// The elements at `items`; `NULL` only when there are none.
///
/// # Safety
/// `NULL`, or points at `count` readable values that nobody changes for as long as `'a`.
#[inline]
pub(crate) unsafe fn array<'a, T>(items: *const T, count: usize, name: &str) -> Outcome<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if items.is_null() || !items.is_aligned() {
        return Err(not_a_pointer(name));
    }
    if count.checked_mul(size_of::<T>()).is_none_or(|size| size > isize::MAX.unsigned_abs()) {
        return Err(Failure::invalid(format!("{name} cannot have {count} elements")));
    }
    // SAFETY: not null, aligned, no larger than memory can be; live as the caller promises.
    Ok(unsafe { std::slice::from_raw_parts(items, count) })
}

/// Memory of the caller that is only written to, so it need not be initialised.
///
/// # Safety
/// `NULL`, or points at `capacity` writable bytes that nobody else uses for as long as `'a`.
pub(crate) unsafe fn memory<'a>(
    data: *mut c_void,
    capacity: usize,
    name: &str,
) -> Outcome<&'a mut [MaybeUninit<u8>]> {
    if capacity == 0 {
        return Ok(&mut []);
    }
    if data.is_null() || capacity > isize::MAX.unsigned_abs() {
        return Err(not_a_pointer(name));
    }
    // SAFETY: not null and no larger than memory can be; ours for now as the caller promises.
    Ok(unsafe { std::slice::from_raw_parts_mut(data.cast(), capacity) })
}

/// The caller's places for results, which need not be initialised.
///
/// # Safety
/// `NULL`, or points at `capacity` writable values that nobody else uses for as long as `'a`.
pub(crate) unsafe fn places<'a, T>(
    items: *mut T,
    capacity: usize,
    name: &str,
) -> Outcome<&'a mut [MaybeUninit<T>]> {
    // SAFETY: memory that may be uninitialised has every value; the rest is as the caller promises.
    let checked: &[MaybeUninit<T>] = unsafe { array(items.cast_const().cast(), capacity, name)? };
    let count = checked.len();
    if count == 0 {
        return Ok(&mut []);
    }
    // SAFETY: `array` found it not null, aligned and no larger than memory can be.
    Ok(unsafe { std::slice::from_raw_parts_mut(items.cast(), count) })
}

/// The path in `path`: any bytes up to the terminating zero, at least one.
///
/// # Safety
/// `NULL`, or points at a terminated text that nobody changes for as long as `'a`.
pub(crate) unsafe fn path<'a>(path: *const c_char, name: &str) -> Outcome<&'a Path> {
    if path.is_null() {
        return Err(not_a_pointer(name));
    }
    // SAFETY: not null; terminated and live as the caller promises.
    let text = unsafe { CStr::from_ptr(path) };
    if text.is_empty() {
        return Err(Failure::invalid(format!("{name} is empty: pass the log's directory")));
    }
    Ok(Path::new(OsStr::from_bytes(text.to_bytes())))
}

/// A place in the caller's memory for one result. Dropping it writes nothing.
pub(crate) struct Out<T>(Option<NonNull<T>>);

impl<T> Out<T> {
    /// Writes the result, if the caller wants it.
    #[inline]
    pub(crate) fn put(self, value: T) {
        if let Some(place) = self.0 {
            // SAFETY: `out` and `out_optional` were promised writable memory, and checked the rest.
            unsafe { place.write(value) }
        }
    }
}

/// The place for a result the caller has to take.
///
/// # Safety
/// `NULL`, or points at memory for a `T`, writable until the call ends.
pub(crate) unsafe fn out<T>(place: *mut T, name: &str) -> Outcome<Out<T>> {
    if place.is_null() {
        return Err(not_a_pointer(name));
    }
    // SAFETY: as the caller promises.
    unsafe { out_optional(place, name) }
}

/// The place for a result the caller may do without, by passing `NULL`.
///
/// # Safety
/// As for [`out`].
#[inline]
pub(crate) unsafe fn out_optional<T>(place: *mut T, name: &str) -> Outcome<Out<T>> {
    if !place.is_aligned() {
        return Err(not_a_pointer(name));
    }
    Ok(Out(NonNull::new(place)))
}

/// Reads a struct of the caller: a shorter, older one keeps `defaults` for what it lacks; a longer,
/// newer one is understood only when its unknown tail is zero.
///
/// # Safety
/// `given` is `NULL` or points at `struct_size` readable bytes.
pub(crate) unsafe fn struct_in<T: Versioned>(given: *const T, defaults: T) -> Outcome<T> {
    // SAFETY: as the caller promises.
    let size = unsafe { struct_size(given)? };
    let mut value = defaults;
    let known = size.min(size_of::<T>());
    // SAFETY: `known` bytes are readable as the caller promises and fit `value`, of which every bit
    // pattern is a value.
    unsafe { std::ptr::copy_nonoverlapping(given.cast::<u8>(), (&raw mut value).cast(), known) };
    Ok(value)
}

/// A struct of the caller, to be filled as far as the caller knows its fields.
pub(crate) struct StructOut<T> {
    place: Option<(NonNull<T>, usize)>,
}

impl<T: Versioned> StructOut<T> {
    /// Whether there is anything to be filled.
    pub(crate) fn is_wanted(&self) -> bool {
        self.place.is_some()
    }

    /// Fills the struct; `struct_size` stays as the caller set it.
    pub(crate) fn put(self, value: &T) {
        let Some((place, size)) = self.place else { return };
        let known = size.min(size_of::<T>());
        let source = std::ptr::from_ref(value).cast::<u8>();
        let target = place.as_ptr().cast::<u8>();
        // SAFETY: `struct_size` made sure that `known` is at least the size field, and was promised
        // that many writable bytes; `value` is another object, so the two do not overlap.
        unsafe {
            let fields = known.saturating_sub(SIZE_FIELD_BYTES);
            std::ptr::copy_nonoverlapping(
                source.add(SIZE_FIELD_BYTES),
                target.add(SIZE_FIELD_BYTES),
                fields,
            );
            if T::TEXT.is_some_and(|text| text < known) {
                target.add(known.saturating_sub(1)).write(0);
            }
        }
    }
}

/// The struct the caller wants filled.
///
/// # Safety
/// `place` is `NULL` or points at `struct_size` bytes, writable until the call ends.
pub(crate) unsafe fn struct_out<T: Versioned>(place: *mut T) -> Outcome<StructOut<T>> {
    if place.is_null() {
        return Err(not_a_pointer(T::NAME));
    }
    // SAFETY: as the caller promises.
    unsafe { struct_out_optional(place) }
}

/// The struct the caller may want filled; `NULL` if not.
///
/// # Safety
/// As for [`struct_out`].
#[inline]
pub(crate) unsafe fn struct_out_optional<T: Versioned>(place: *mut T) -> Outcome<StructOut<T>> {
    let Some(pointer) = NonNull::new(place) else { return Ok(StructOut { place: None }) };
    // SAFETY: as the caller promises.
    let size = unsafe { struct_size(place)? };
    Ok(StructOut { place: Some((pointer, size)) })
}

/// Fills a struct whose `struct_size` is not set yet: `size` is what the caller was compiled with.
///
/// # Safety
/// `place` is `NULL` or points at `size` writable bytes.
pub(crate) unsafe fn struct_init<T: Versioned>(place: *mut T, size: usize, value: &T) -> Outcome {
    if place.is_null() || !place.is_aligned() {
        return Err(not_a_pointer(T::NAME));
    }
    let stated = checked_size::<T>(size)?;
    // SAFETY: not null, aligned, `size` bytes as the caller promises, at least the size field.
    unsafe {
        std::ptr::write_bytes(place.cast::<u8>(), 0, size);
        place.cast::<u32>().write(stated);
        struct_out(place)?.put(value);
    }
    Ok(())
}

/// The size the caller says its struct has, checked.
///
/// # Safety
/// `given` is `NULL` or points at `struct_size` readable bytes.
#[inline]
unsafe fn struct_size<T: Versioned>(given: *const T) -> Outcome<usize> {
    if given.is_null() || !given.is_aligned() {
        return Err(not_a_pointer(T::NAME));
    }
    // SAFETY: not null, aligned more strictly than a `u32`, and the size field is always there.
    let size = unsafe { given.cast::<u32>().read() } as usize;
    if size == size_of::<T>() {
        return Ok(size);
    }
    checked_size::<T>(size)?;
    for position in size_of::<T>()..size {
        // SAFETY: below `size`, which the caller promises to be readable.
        if unsafe { given.cast::<u8>().add(position).read() } != 0 {
            return Err(Failure::invalid(format!(
                "{} has a field that this version of libwal does not know: upgrade, or leave it 0",
                T::NAME
            )));
        }
    }
    Ok(size)
}

fn checked_size<T: Versioned>(size: usize) -> Outcome<u32> {
    let stated =
        u32::try_from(size).ok().filter(|_| (STRUCT_BYTES_MIN..=STRUCT_BYTES_MAX).contains(&size));
    stated.ok_or_else(|| {
        Failure::invalid(format!("{0}.struct_size is {size}: set it to sizeof({0})", T::NAME))
    })
}

/// Turns the outcome into the returned code, telling a failure in `slot`.
#[inline]
fn finish(slot: StructOut<wal_error>, outcome: Outcome) -> i32 {
    match outcome {
        Ok(()) => wal_code::WAL_OK.number(),
        Err(failure) => tell(slot, &failure),
    }
}

#[cold]
fn tell(slot: StructOut<wal_error>, failure: &Failure) -> i32 {
    if slot.is_wanted() {
        // The code is worth more than its text: a panic while formatting leaves only the code.
        let _ = contain(|| slot.put(&wal_error::of(failure)));
    }
    failure.code().number()
}

#[cold]
fn not_a_pointer(name: &str) -> Failure {
    Failure::invalid(format!("{name} is NULL or misaligned: pass a valid pointer"))
}

const SIZE_FIELD_BYTES: usize = size_of::<u32>();
/// The size and one field more: no struct was ever smaller.
const STRUCT_BYTES_MIN: usize = 8;
/// No struct of the ABI will ever be larger; a larger size is an uninitialised one.
const STRUCT_BYTES_MAX: usize = 16 * 1024;

const _: () = assert!(offset_of!(wal_error, struct_size) == 0);

#[cfg(test)]
mod tests;
