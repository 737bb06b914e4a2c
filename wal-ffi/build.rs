//! Names the shared library: programs linked today must load a library they can talk to. And keeps
//! it: a host that lets go of it (`dlclose`, as PHP does at its end) while a log is open would pull
//! the code away from under the library's threads.

/// The number in `libwal.so.0`: it moves with every incompatible release, together with the
/// committed symbol list.
const ABI: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if os == "linux" {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libwal.so.{ABI}");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
