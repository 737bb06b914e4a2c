//! What instruction counts depend on besides the code: a baseline is compared strictly only where
//! all of it is the same.

use std::process::Command;

use crate::Outcome;

/// Prints the section that says how the figures were counted.
///
/// # Errors
/// A compiler or valgrind that is not there.
pub fn print() -> Outcome<()> {
    let program = std::env::current_exe()?;
    println!("[counted_with]");
    println!("rustc = \"{}\"", first_line(Command::new("rustc").arg("-V"))?);
    println!("target = \"{}-{}\"", std::env::consts::ARCH, std::env::consts::OS);
    // What valgrind makes of the processor, not the processor itself, decides which code runs.
    let mut below = Command::new("valgrind");
    below.args(["--tool=none", "-q"]).arg(program).arg("processor");
    println!("processor = \"{}\"", first_line(&mut below)?);
    println!("valgrind = \"{}\"", first_line(Command::new("valgrind").arg("--version"))?);
    // Copying and memory come from the C library.
    let library = first_line(Command::new("getconf").arg("GNU_LIBC_VERSION"));
    println!("libc = \"{}\"", library.unwrap_or_else(|_| "another".to_owned()));
    Ok(())
}

/// The instructions that decide which checksum and which copy are taken at run time.
pub fn processor() -> String {
    #[cfg(target_arch = "x86_64")]
    let found = [
        ("sse4.1", std::arch::is_x86_feature_detected!("sse4.1")),
        ("pclmulqdq", std::arch::is_x86_feature_detected!("pclmulqdq")),
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        ("vpclmulqdq", std::arch::is_x86_feature_detected!("vpclmulqdq")),
    ];
    #[cfg(target_arch = "aarch64")]
    let found = [("crc", std::arch::is_aarch64_feature_detected!("crc"))];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let found: [(&str, bool); 0] = [];
    let names: Vec<&str> = found.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
    names.join(" ")
}

fn first_line(command: &mut Command) -> Outcome<String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().replace(['"', '\\'], ""))
}
