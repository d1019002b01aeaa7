//! strace, which lists a program's system calls in order.

use std::process::Command;

use super::debian;

/// A command that runs another under strace; its options follow.
///
/// # Errors
/// When it is not available here or may not trace, with the reason.
pub fn strace() -> Result<Command, String> {
    let program = debian::program("strace", "strace")?;
    let mut trial = Command::new(&program);
    let mut command = Command::new(&program);
    if !program.starts_with("/usr") {
        let libraries = debian::libraries("libunwind8")?;
        trial.env("LD_LIBRARY_PATH", &libraries);
        command.env("LD_LIBRARY_PATH", libraries);
    }
    debian::run(trial.args(["-f", "-o", "/dev/null", "true"]))?;
    Ok(command)
}
