//! What the languages are asked to do.

/// What each language does, with records of 100 bytes; `bench/README.md` has it in full.
pub(super) const WORKLOADS: &[&str] = &[
    "append",
    "batch",
    "packed",
    "read",
    "read-packed",
    "os",
    "durable",
    "durable-batch",
    "async",
];
