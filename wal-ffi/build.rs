//! Names the shared library: programs linked today must load a library they can talk to.

/// The number in `libwal.so.0`: it moves with every incompatible release, together with the
/// committed symbol list.
const ABI: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if os == "linux" {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libwal.so.{ABI}");
    }
}
