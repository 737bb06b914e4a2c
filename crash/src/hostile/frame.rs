//! Bytes as a header, a frame, a trailer, a footer, a slot, a name.

use super::Input;

/// Shows the bytes to every decoder: the first eight say where they lie, the rest what they are.
pub fn frame(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let offset = input.number();
    wal_core::fuzzing::decode(input.bytes(usize::MAX), offset);
}
