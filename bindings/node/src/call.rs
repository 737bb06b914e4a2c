//! Functions for JavaScript in the making, and the arguments they are called with.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi::{Env, sys};
use wal_core::AppendOptions;

use crate::append::Shared;
use crate::desk::{Desk, Outcome, Raw, check, to_raw};
use crate::options::append_options;
use crate::workers::Stay;

/// The arguments of a call.
pub(crate) type Call<'a> = FunctionCallContext<'a>;

/// An object of functions in the making.
pub(crate) struct Table<'a> {
    env: &'a Env,
    desk: Rc<Desk>,
    pub(crate) object: Raw,
}

impl<'a> Table<'a> {
    pub(crate) fn new(env: &'a Env, desk: &Rc<Desk>) -> Result<Table<'a>> {
        let mut object = ptr::null_mut();
        // SAFETY: a live environment.
        check(unsafe { sys::napi_create_object(env.raw(), &mut object) })?;
        Ok(Table { env, desk: Rc::clone(desk), object })
    }

    /// Adds a value.
    pub(crate) fn value<T: ToNapiValue>(&mut self, name: &str, value: T) -> Result<()> {
        let (name, value) = (to_raw(self.env, name)?, to_raw(self.env, value)?);
        // SAFETY: values of this environment.
        check(unsafe { sys::napi_set_property(self.env.raw(), self.object, name, value) })
    }

    /// Adds a function that does everything itself.
    pub(crate) fn function(
        &mut self,
        name: &str,
        function: impl Fn(&Rc<Desk>, &Env, &Call<'_>) -> Result<Raw> + 'static,
    ) -> Result<()> {
        let desk = Rc::clone(&self.desk);
        let function = self.env.create_function_from_closure::<(), Raw, _>(name, move |call| {
            let env = *call.env;
            function(&desk, &env, &call)
        })?;
        self.value(name, function)
    }

    /// Adds a function that reads its arguments here and works wherever its token says.
    pub(crate) fn call<A: Send + 'static, T: ToNapiValue + Send + 'static>(
        &mut self,
        name: &str,
        stay: Stay,
        arguments: fn(&Call<'_>) -> Result<A>,
        work: impl Fn(A) -> Outcome<T> + Clone + Send + 'static,
    ) -> Result<()> {
        self.function(name, move |desk, env, call| {
            let (arguments, work) = (arguments(call)?, work.clone());
            desk.run(env, (token(call)?, stay), move || work(arguments))
        })
    }

    /// The same for a call of a log.
    pub(crate) fn log_call<A: Send + 'static, T: ToNapiValue + Send + 'static>(
        &mut self,
        shared: &Arc<Shared>,
        name: &str,
        stay: Stay,
        arguments: fn(&Call<'_>) -> Result<A>,
        work: fn(&Shared, A) -> Outcome<T>,
    ) -> Result<()> {
        let shared = Arc::clone(shared);
        self.call(name, stay, arguments, move |arguments| work(&shared, arguments))
    }
}

pub(crate) fn nothing(_: &Call<'_>) -> Result<()> {
    Ok(())
}

/// The token at the first place; without one the call is a synchronous one.
pub(crate) fn token(call: &Call<'_>) -> Result<Option<u32>> {
    if call.length() == 0 { Ok(None) } else { call.get(0) }
}

/// The path at this place, as bytes.
pub(crate) fn path(call: &Call<'_>, at: usize) -> Result<PathBuf> {
    Ok(PathBuf::from(OsString::from_vec(bytes(call, at)?)))
}

/// The number at this place, a bigint whose range JavaScript has checked.
pub(crate) fn number(call: &Call<'_>, at: usize) -> Result<u64> {
    Ok(call.get::<BigInt>(at)?.get_u64().1)
}

/// `(level, waitMs, timeNs)` from this place on.
pub(crate) fn options(call: &Call<'_>, at: usize) -> Result<AppendOptions> {
    if call.length() <= at {
        return Ok(AppendOptions::default());
    }
    let level: Option<String> = call.get(at)?;
    let time = call.get::<Option<BigInt>>(at + 2)?.map(|time| time.get_u64().1);
    Ok(append_options(level.as_deref(), call.get(at + 1)?, time))
}

/// A copy of the bytes at this place.
pub(crate) fn bytes(call: &Call<'_>, at: usize) -> Result<Vec<u8>> {
    let copied = with_bytes(call.env, call, at, <[u8]>::to_vec)?;
    copied.ok_or_else(|| Error::from_reason("an Uint8Array is wanted"))
}

/// Copies of the items of an array, each bytes or nothing.
pub(crate) fn many_bytes(call: &Call<'_>, at: usize) -> Result<Vec<Option<Vec<u8>>>> {
    let items: Vec<Option<Uint8Array>> = call.get(at)?;
    Ok(items.into_iter().map(|item| item.map(|item| item.to_vec())).collect())
}

/// Hands the bytes of the `Uint8Array` at this place over; `None` for anything else.
pub(crate) fn with_bytes<R>(
    env: &Env,
    call: &Call<'_>,
    at: usize,
    take: impl FnOnce(&[u8]) -> R,
) -> Result<Option<R>> {
    let value = call.get::<Unknown<'_>>(at)?.raw();
    let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
    let (mut memory, mut offset, mut is_own) = (ptr::null_mut(), 0, false);
    // SAFETY: a value of this environment; the other pointers are to locals.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            value,
            &mut kind,
            &mut length,
            &mut data,
            &mut memory,
            &mut offset,
        )
    };
    if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
        return Ok(None);
    }
    // SAFETY: as above.
    check(unsafe { sys::napi_is_arraybuffer(env.raw(), memory, &mut is_own) })?;
    if length == 0 || data.is_null() {
        return Ok(Some(take(&[])));
    }
    if !is_own {
        // Memory that other threads may be writing is copied before anybody looks at it twice.
        let mut copy: Vec<u8> = Vec::with_capacity(length);
        // SAFETY: `length` bytes at `data` are the array's, which lives during the call.
        unsafe {
            ptr::copy_nonoverlapping(data.cast::<u8>(), copy.as_mut_ptr(), length);
            copy.set_len(length);
        }
        return Ok(Some(take(&copy)));
    }
    // SAFETY: as above, and only this thread, which is here, could write it or take it away.
    Ok(Some(take(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) })))
}
