//! What Python finds in the native module.

use pyo3::prelude::*;

/// The native part of libwal; import `libwal`.
#[pymodule]
mod _libwal {
    #[pymodule_export]
    use crate::aio::{Channel, Ticket};
    #[pymodule_export]
    use crate::boundary::ending;
    #[pymodule_export]
    use crate::log::Log;
    #[pymodule_export]
    use crate::logging::{events_dropped, events_heard, events_take};
    #[pymodule_export]
    use crate::notifier::Notifier;
    #[pymodule_export]
    use crate::reading::{Cursor, Follower};
    #[pymodule_export]
    use crate::record::{Arena, pack};
    #[pymodule_export]
    use crate::replay::Replay;
    #[pymodule_export]
    use crate::reports::{destroy, info, repair, verify};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::boundary::silence_panics();
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("Record", crate::record::record_type(module.py())?)
    }
}
