//! What the linker has to know of an addon.

fn main() {
    napi_build::setup();
    // A worker thread that ends unloads its addons, but the engine's own threads may still be in
    // this code for a moment: it stays.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
