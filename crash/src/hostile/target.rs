//! The targets.

use super::{directory, frame, mutated, operations, packed};

/// A target by its name, which is also that of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 5] = [
    ("frame", frame),
    ("directory", directory),
    ("mutated", mutated),
    ("operations", operations),
    ("packed", packed),
];
