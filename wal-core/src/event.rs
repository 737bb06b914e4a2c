//! Events for the caller's `tracing` subscriber. Without the feature they are nothing; the engine
//! itself never prints.

/// Emits a `tracing` event under the target `wal`; the arguments are evaluated only with the
/// feature.
macro_rules! event {
    ($level:ident, $message:literal $(, $field:ident = $(%)? $value:expr)* $(,)?) => {{
        #[cfg(feature = "tracing")]
        tracing::$level!(target: "wal", $($field = %$value,)* $message);
        #[cfg(not(feature = "tracing"))]
        { $(let _ = &$value;)* }
    }};
}

pub(crate) use event;
