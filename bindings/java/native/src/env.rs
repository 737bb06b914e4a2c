//! The JVM's functions for one thread.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::OnceLock;

use jni::sys::{
    JNI_OK, JNI_VERSION_1_8, JNIEnv, JavaVM, jbyteArray, jclass, jint, jlong, jlongArray,
    jmethodID, jobject, jobjectArray, jstring, jthrowable, jvalue,
};

use crate::boundary::{Failure, Outcome};

/// The environment of the thread it is used on.
#[derive(Clone, Copy)]
pub(crate) struct Env(*mut JNIEnv);

/// Calls a function of the JVM.
macro_rules! jni {
    ($env:expr, $name:ident $(, $argument:expr)* $(,)?) => {{
        let env = $env.raw();
        // SAFETY: an `Env` is made of the environment of the running thread and is not moved to
        // another one; references among the arguments were handed out by the JVM to this call.
        unsafe { ((**env).v1_6.$name)(env, $($argument),*) }
    }};
}

/// What is looked up once.
pub(crate) struct Ids {
    vm: *mut JavaVM,
    bytes: jclass,
    text: jclass,
    object: jclass,
    upcalls: jclass,
    make_error: jmethodID,
    is_interrupted: jmethodID,
    record: jmethodID,
    replay: jmethodID,
    progress: jmethodID,
}

// SAFETY: global references and method ids are valid on every thread for as long as the class is
// loaded, and the class holds this library.
unsafe impl Send for Ids {}
// SAFETY: as above; nothing is ever changed.
unsafe impl Sync for Ids {}

static IDS: OnceLock<Ids> = OnceLock::new();

impl Env {
    /// # Safety
    /// `env` is the environment of the running thread.
    pub(crate) unsafe fn of(env: *mut JNIEnv) -> Env {
        Env(env)
    }

    pub(crate) fn raw(self) -> *mut JNIEnv {
        self.0
    }

    /// Runs `body` with the environment of this thread, which is attached until it ends if it was
    /// not. `body` leaves no local reference behind.
    pub(crate) fn attached<R>(body: impl FnOnce(Env) -> Outcome<R>) -> Outcome<R> {
        let vm = ids()?.vm;
        let mut env = null_mut();
        // SAFETY: the JVM outlives its library.
        let has_env = unsafe { ((**vm).v1_4.GetEnv)(vm, &mut env, JNI_VERSION_1_8) } == JNI_OK;
        if has_env {
            return body(Env(env.cast()));
        }
        // SAFETY: as above; a daemon does not keep the JVM from ending.
        let made = unsafe { ((**vm).v1_4.AttachCurrentThreadAsDaemon)(vm, &mut env, null_mut()) };
        if made != JNI_OK {
            return Err(Failure::internal("the JVM takes no more threads"));
        }
        ATTACHED.with(|attached| attached.set(true));
        body(Env(env.cast()))
    }

    /// Fails when an exception is pending.
    pub(crate) fn check(self) -> Outcome {
        if jni!(self, ExceptionCheck) { Err(Failure::Thrown) } else { Ok(()) }
    }

    fn made(self, reference: jobject) -> Outcome<jobject> {
        if reference.is_null() { Err(Failure::Thrown) } else { Ok(reference) }
    }

    /// Hands the bytes of a part of an array to `body`; a copy, so that what Java does to the array
    /// meanwhile is not seen.
    #[inline]
    pub(crate) fn with_bytes<R>(
        self,
        array: jbyteArray,
        offset: jint,
        len: jint,
        body: impl FnOnce(&[u8]) -> Outcome<R>,
    ) -> Outcome<R> {
        let size = usize::try_from(len).map_err(|_| Failure::internal("a negative length"))?;
        if size <= SMALL_BYTES {
            let mut small = [MaybeUninit::<u8>::uninit(); SMALL_BYTES];
            let start = small.as_mut_ptr().cast();
            jni!(self, GetByteArrayRegion, array, offset, len, start);
            self.check()?;
            // SAFETY: the JVM has filled the first `size` bytes, or an exception were pending.
            return body(unsafe { std::slice::from_raw_parts(start.cast_const().cast(), size) });
        }
        let mut large = Vec::<u8>::with_capacity(size);
        jni!(self, GetByteArrayRegion, array, offset, len, large.as_mut_ptr().cast());
        self.check()?;
        // SAFETY: as above.
        unsafe { large.set_len(size) };
        body(&large)
    }

    /// A copy of a whole array.
    pub(crate) fn bytes(self, array: jbyteArray) -> Outcome<Vec<u8>> {
        let len = jni!(self, GetArrayLength, array);
        self.with_bytes(array, 0, len, |bytes| Ok(bytes.to_vec()))
    }

    /// A copy of an array of numbers.
    pub(crate) fn longs(self, array: jlongArray) -> Outcome<Vec<jlong>> {
        let len = jni!(self, GetArrayLength, array);
        let mut longs = vec![0; usize::try_from(len).unwrap_or(0)];
        jni!(self, GetLongArrayRegion, array, 0, len, longs.as_mut_ptr());
        self.check()?;
        Ok(longs)
    }

    /// The elements of an array of byte arrays, with `None` for null.
    pub(crate) fn byte_arrays(self, array: jobjectArray) -> Outcome<Vec<Option<Vec<u8>>>> {
        let len = jni!(self, GetArrayLength, array);
        let element = |index| {
            let element = jni!(self, GetObjectArrayElement, array, index);
            self.check()?;
            let bytes = if element.is_null() { None } else { Some(self.bytes(element)?) };
            jni!(self, DeleteLocalRef, element);
            Ok(bytes)
        };
        (0..len).map(element).collect()
    }

    /// The memory of a direct buffer, cut to a part the caller has checked.
    pub(crate) fn direct<'a>(self, buffer: jobject, offset: jint, len: jint) -> Outcome<&'a [u8]> {
        let start = jni!(self, GetDirectBufferAddress, buffer).cast::<u8>();
        let (Ok(offset), Ok(len)) = (usize::try_from(offset), usize::try_from(len)) else {
            return Err(Failure::internal("a negative place in a buffer"));
        };
        if start.is_null() {
            return if len == 0 { Ok(&[]) } else { Err(Failure::internal("no direct buffer")) };
        }
        // SAFETY: Java checked the part against the buffer's limit and keeps it reachable.
        Ok(unsafe { std::slice::from_raw_parts(start.add(offset), len) })
    }

    /// The address of a direct buffer.
    pub(crate) fn address(self, buffer: jobject) -> jlong {
        jni!(self, GetDirectBufferAddress, buffer) as jlong
    }

    pub(crate) fn new_bytes(self, bytes: &[u8]) -> Outcome<jbyteArray> {
        let len = jint::try_from(bytes.len())
            .map_err(|_| Failure::internal("more bytes than an array of Java can hold"))?;
        let array = self.made(jni!(self, NewByteArray, len))?;
        jni!(self, SetByteArrayRegion, array, 0, len, bytes.as_ptr().cast());
        Ok(array)
    }

    pub(crate) fn new_longs(self, longs: &[jlong]) -> Outcome<jlongArray> {
        let len = jint::try_from(longs.len()).unwrap_or(jint::MAX);
        let array = self.made(jni!(self, NewLongArray, len))?;
        jni!(self, SetLongArrayRegion, array, 0, len, longs.as_ptr());
        Ok(array)
    }

    pub(crate) fn new_text(self, text: &str) -> Outcome<jstring> {
        let units: Vec<u16> = text.encode_utf16().collect();
        let len = jint::try_from(units.len()).unwrap_or(0);
        self.made(jni!(self, NewString, units.as_ptr(), len))
    }

    /// An array of texts, with null for `None`.
    pub(crate) fn new_texts(self, texts: &[Option<String>]) -> Outcome<jobjectArray> {
        self.new_array(ids()?.text, texts.len(), |index| match texts.get(index) {
            Some(Some(text)) => self.new_text(text),
            _ => Ok(null_mut()),
        })
    }

    /// An array of byte arrays.
    pub(crate) fn new_byte_arrays(self, arrays: &[Vec<u8>]) -> Outcome<jobjectArray> {
        self.new_array(ids()?.bytes, arrays.len(), |index| {
            arrays.get(index).map_or(Ok(null_mut()), |bytes| self.new_bytes(bytes))
        })
    }

    /// An array of objects, each made and let go of in turn.
    pub(crate) fn new_made(
        self,
        len: usize,
        make: impl Fn(usize) -> Outcome<jobject>,
    ) -> Outcome<jobjectArray> {
        self.new_array(ids()?.object, len, make)
    }

    /// An array of objects.
    pub(crate) fn new_objects(self, objects: &[jobject]) -> Outcome<jobjectArray> {
        self.new_array(ids()?.object, objects.len(), |index| {
            Ok(objects.get(index).copied().unwrap_or(null_mut()))
        })
    }

    fn new_array(
        self,
        class: jclass,
        len: usize,
        element: impl Fn(usize) -> Outcome<jobject>,
    ) -> Outcome<jobjectArray> {
        let size = jint::try_from(len).unwrap_or(jint::MAX);
        let array = self.made(jni!(self, NewObjectArray, size, class, null_mut()))?;
        for (index, place) in (0..len).zip(0..size) {
            let element = element(index)?;
            jni!(self, SetObjectArrayElement, array, place, element);
            self.check()?;
            jni!(self, DeleteLocalRef, element);
        }
        Ok(array)
    }

    pub(crate) fn throw(self, exception: jthrowable) {
        jni!(self, Throw, exception);
    }

    /// `Upcalls.error`: the exception of an error.
    pub(crate) fn new_error(self, numbers: &[jlong], texts: [Option<&str>; 2]) -> Outcome<jobject> {
        let numbers = self.new_longs(numbers)?;
        let text = |text: Option<&str>| text.map_or(Ok(null_mut()), |text| self.new_text(text));
        let [message, path] = [text(texts[0])?, text(texts[1])?];
        let arguments = [jvalue { l: numbers }, jvalue { l: message }, jvalue { l: path }];
        let exception = self.made(self.call_object(ids()?.make_error, &arguments)?)?;
        for reference in [numbers, message, path] {
            jni!(self, DeleteLocalRef, reference);
        }
        Ok(exception)
    }

    /// Fails with an `InterruptedIOException` when the thread was interrupted.
    pub(crate) fn check_interrupt(self) -> Outcome {
        self.call_object(ids()?.is_interrupted, &[])?;
        Ok(())
    }

    /// `Upcalls.record`: a record.
    pub(crate) fn new_record(self, lsn: jlong, more: bool, bytes: &[u8]) -> Outcome<jobject> {
        let bytes = self.new_bytes(bytes)?;
        let arguments = [jvalue { j: lsn }, jvalue { z: more }, jvalue { l: bytes }];
        let record = self.made(self.call_object(ids()?.record, &arguments)?)?;
        jni!(self, DeleteLocalRef, bytes);
        Ok(record)
    }

    /// `Upcalls.replay`: whether the callback wants to go on.
    pub(crate) fn call_replay(self, callback: jobject, record: jobject) -> Outcome<bool> {
        let arguments = [jvalue { l: callback }, jvalue { l: record }];
        let (class, method) = (ids()?.upcalls, ids()?.replay);
        let goes_on = jni!(self, CallStaticBooleanMethodA, class, method, arguments.as_ptr());
        self.check()?;
        jni!(self, DeleteLocalRef, record);
        Ok(goes_on)
    }

    /// `Upcalls.progress`.
    pub(crate) fn call_progress(self, callback: jobject, done: u64, total: u64) -> Outcome {
        let arguments =
            [jvalue { l: callback }, jvalue { j: done as jlong }, jvalue { j: total as jlong }];
        let (class, method) = (ids()?.upcalls, ids()?.progress);
        jni!(self, CallStaticVoidMethodA, class, method, arguments.as_ptr());
        self.check()
    }

    fn call_object(self, method: jmethodID, arguments: &[jvalue]) -> Outcome<jobject> {
        let class = ids()?.upcalls;
        let object = jni!(self, CallStaticObjectMethodA, class, method, arguments.as_ptr());
        self.check()?;
        Ok(object)
    }

    /// The pending exception, which then no longer is, in a reference that holds on any thread.
    pub(crate) fn take_exception(self) -> Global {
        let exception = jni!(self, ExceptionOccurred);
        jni!(self, ExceptionClear);
        let global = self.global(exception);
        jni!(self, DeleteLocalRef, exception);
        global
    }

    /// A reference that holds on any thread.
    pub(crate) fn global(self, object: jobject) -> Global {
        Global(jni!(self, NewGlobalRef, object))
    }
}

/// Detaches a thread that was attached here when it ends.
struct Attached(Cell<bool>);

impl Attached {
    fn set(&self, is_attached: bool) {
        self.0.set(is_attached);
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        if let (true, Some(ids)) = (self.0.get(), IDS.get()) {
            // SAFETY: the thread was attached, and runs no more of Java.
            unsafe { ((**ids.vm).v1_4.DetachCurrentThread)(ids.vm) };
        }
    }
}

thread_local! {
    static ATTACHED: Attached = const { Attached(Cell::new(false)) };
}

/// A reference that holds on any thread, until it is released.
pub(crate) struct Global(jobject);

// SAFETY: a global reference is valid on every thread.
unsafe impl Send for Global {}
// SAFETY: as above.
unsafe impl Sync for Global {}

impl Global {
    pub(crate) fn object(&self) -> jobject {
        self.0
    }

    pub(crate) fn release(self, env: Env) {
        jni!(env, DeleteGlobalRef, self.0);
    }
}

fn ids() -> Outcome<&'static Ids> {
    IDS.get().ok_or_else(|| Failure::internal("the library was not loaded by a JVM"))
}

/// Looks up what the natives need, once, when the library is loaded.
///
/// # Safety
/// Called by the JVM.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn JNI_OnLoad(
    vm: *mut JavaVM,
    _reserved: *mut std::ffi::c_void,
) -> jint {
    std::panic::set_hook(Box::new(crate::boundary::note));
    let mut env = null_mut();
    // SAFETY: the JVM calls with itself, on a thread of its own.
    if unsafe { ((**vm).v1_4.GetEnv)(vm, &mut env, JNI_VERSION_1_8) } != JNI_OK {
        return -1;
    }
    match look_up(vm, Env(env.cast())) {
        Ok(found) => {
            let _ = IDS.set(found);
            JNI_VERSION_1_8
        }
        // The exception that is pending says what is missing.
        Err(_) => -1,
    }
}

fn look_up(vm: *mut JavaVM, env: Env) -> Outcome<Ids> {
    let class = |name: &std::ffi::CStr| -> Outcome<jclass> {
        let local = env.made(jni!(env, FindClass, name.as_ptr()))?;
        let global = env.global(local);
        jni!(env, DeleteLocalRef, local);
        Ok(global.0)
    };
    let upcalls = class(c"io/libwal/Upcalls")?;
    let method = |name: &std::ffi::CStr, signature: &std::ffi::CStr| -> Outcome<jmethodID> {
        let id = jni!(env, GetStaticMethodID, upcalls, name.as_ptr(), signature.as_ptr());
        env.check()?;
        Ok(id)
    };
    Ok(Ids {
        vm,
        bytes: class(c"[B")?,
        text: class(c"java/lang/String")?,
        object: class(c"java/lang/Object")?,
        upcalls,
        make_error: method(
            c"error",
            c"([JLjava/lang/String;Ljava/lang/String;)Ljava/lang/Throwable;",
        )?,
        is_interrupted: method(c"checkInterrupt", c"()Ljava/lang/Object;")?,
        record: method(c"record", c"(JZ[B)Lio/libwal/Record;")?,
        replay: method(c"replay", c"(Lio/libwal/ReplayCallback;Lio/libwal/Record;)Z")?,
        progress: method(c"progress", c"(Lio/libwal/Progress;JJ)V")?,
    })
}

/// Records up to this size are copied to the stack.
const SMALL_BYTES: usize = 4096;
