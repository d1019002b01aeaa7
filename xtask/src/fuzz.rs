//! `cargo xtask fuzz`: runs libFuzzer on the parsers, with the stable toolchain.
//!
//! libFuzzer needs coverage, so our crates are compiled with counters in every branch; wasmtime and
//! the other dependencies are reused from the tests' build, which saves minutes. Cargo has no
//! stable setting for that, but supports a compiler wrapper for the workspace's own crates: this
//! program is the wrapper ([`as_compiler`]). Rust's checks replace sanitizers: only one of our
//! crates has unsafe code, and overflow checks are on.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::steps::{answers, succeeds};
use crate::{paths, progress};

/// Set for the build: this program is then the compiler wrapper.
const AS_COMPILER: &str = "TOCSIN_FUZZ_COMPILER";
/// Compiler flags for libFuzzer, as in cargo-fuzz; the last three make the code fast but keep the
/// checks that find bugs.
const COUNTERS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Copt-level=2",
    "-Cdebug-assertions=on",
    "-Coverflow-checks=on",
];
/// Time limit per input, in seconds.
const INPUT_S_MAX: u32 = 5;
/// Memory limit of the program, in MiB.
const MEMORY_MIB_MAX: u32 = 1_024;
/// Largest input, in bytes.
const INPUT_BYTES_MAX: usize = 8 * 1_024;
/// Attempts to minimize a failing input.
const MINIMISE_RUNS: u32 = 100_000;

/// Arguments of `cargo xtask fuzz`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The targets, or `all`
    #[arg(required_unless_present = "list")]
    targets: Vec<String>,
    /// Number of inputs for each target
    #[arg(long, default_value_t = 1_000_000)]
    inputs: u64,
    /// List the targets
    #[arg(long)]
    list: bool,
}

/// Builds the program and runs each target.
///
/// # Errors
/// When a target is unknown, or the program cannot be built or started.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let known = known()?;
    if args.list {
        println!("{}", known.join("\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = match args.targets.iter().any(|it| it == "all") {
        true => known,
        false => {
            if let Some(unknown) = args.targets.iter().find(|it| !known.contains(it)) {
                bail!(
                    "unknown fuzz target `{unknown}`; the targets are {}",
                    known.join(", ")
                );
            }
            args.targets.clone()
        }
    };
    build()?;
    let mut failed = Vec::new();
    for name in wanted {
        let target = Target::new(&name)?;
        if !target.run(args.inputs)? {
            target.keep_failure()?;
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("failed: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

/// If cargo runs this program as a compiler wrapper: runs the compiler, with counters for our own
/// crates, and returns its exit code.
pub(crate) fn as_compiler() -> Option<ExitCode> {
    env::var_os(AS_COMPILER)?;
    let mut args = env::args_os().skip(1);
    let compiler = args.next()?;
    let args: Vec<OsString> = args.collect();
    let after = |flag: &str| {
        let place = args.iter().position(|it| it == flag)?;
        args.get(place + 1)?.to_str()
    };
    let ours = after("--crate-name").is_some_and(|it| it.starts_with("tocsin") || it == "fuzz");
    let mut command = Command::new(compiler);
    command.args(&args);
    if ours {
        command.args(COUNTERS);
    }
    // Cargo also links the package's programs. Without libFuzzer they lack the symbols of the
    // counters, but they are never run.
    if after("--crate-name") == Some("tocsin_under_test") {
        command.arg("-Clink-arg=-Wl,--unresolved-symbols=ignore-all");
    }
    let ended = command.status().ok()?;
    Some(match ended.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The targets, from the folders of their inputs.
fn known() -> Result<Vec<String>> {
    let folder = paths::root().join("tests").join("fuzz");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {folder:?}"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The cargo command that runs the targets; libFuzzer's arguments are appended.
fn program() -> Result<Command> {
    let mut cargo = paths::cargo();
    cargo.args([
        "test",
        "--workspace",
        "--test",
        "fuzz",
        "--features",
        "tocsin-tests/fuzz",
    ]);
    cargo.env("RUSTC_WORKSPACE_WRAPPER", env::current_exe()?);
    cargo.env(AS_COMPILER, "1");
    Ok(cargo)
}

/// Compiles the program.
fn build() -> Result<()> {
    if !answers(Command::new("c++").arg("--version")) {
        bail!("libFuzzer needs a C++ compiler; on Debian: `apt install g++`");
    }
    match progress::succeeds(program()?.arg("--no-run"), "the fuzz targets")? {
        true => Ok(()),
        false => bail!("the fuzz targets do not compile"),
    }
}

/// A target and the paths of its inputs.
struct Target {
    name: String,
    /// Inputs that reach new code, kept between runs.
    found: PathBuf,
    /// The decoded tracked inputs.
    seeds: PathBuf,
    /// The input that failed.
    failure: PathBuf,
}

impl Target {
    fn new(name: &str) -> Result<Self> {
        let base = paths::target().join("fuzz").join(name);
        let target = Self {
            name: name.to_owned(),
            found: base.join("found"),
            seeds: base.join("seeds"),
            failure: base.join("broke"),
        };
        fs::create_dir_all(&target.found)?;
        // They may be left from an earlier run.
        let _old = fs::remove_dir_all(&target.seeds);
        let _old = fs::remove_file(&target.failure);
        fs::create_dir_all(&target.seeds)?;
        for entry in fs::read_dir(target.tracked())? {
            let path = entry?.path();
            let bytes = fs::read(&path)?;
            let bytes = match path.extension().is_some_and(|it| it == "hex") {
                true => from_hex(&bytes).with_context(|| format!("{path:?} is not valid hex"))?,
                false => bytes,
            };
            let name = path.file_name().unwrap_or_default();
            fs::write(target.seeds.join(name), bytes)?;
        }
        Ok(target)
    }

    fn tracked(&self) -> PathBuf {
        paths::root().join("tests").join("fuzz").join(&self.name)
    }

    fn command(&self) -> Result<Command> {
        let mut command = program()?;
        command
            .env("TOCSIN_FUZZ_TARGET", &self.name)
            .arg("--")
            .arg(format!("-timeout={INPUT_S_MAX}"))
            .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"));
        Ok(command)
    }

    /// Runs the target; true if no input failed.
    fn run(&self, inputs: u64) -> Result<bool> {
        println!("== {}: {inputs} inputs", self.name);
        let mut command = self.command()?;
        command
            .arg(format!("-runs={inputs}"))
            .arg(format!("-max_len={INPUT_BYTES_MAX}"))
            .arg(format!("-exact_artifact_path={}", self.failure.display()))
            .args(["-print_final_stats=1", "-verbosity=1"])
            .arg(&self.found)
            .arg(&self.seeds);
        succeeds(&mut command)
    }

    /// Minimizes the failing input and adds it to the tracked inputs.
    fn keep_failure(&self) -> Result<()> {
        let small = self.failure.with_extension("small");
        let _old = fs::remove_file(&small);
        let mut command = self.command()?;
        command
            .args(["-minimize_crash=1", "-verbosity=0"])
            .arg(format!("-runs={MINIMISE_RUNS}"))
            .arg(format!("-exact_artifact_path={}", small.display()))
            .arg(&self.failure);
        // It fails if it cannot minimize the input, which is fine.
        let _smaller = answers(&mut command);
        let kept = if small.is_file() {
            &small
        } else {
            &self.failure
        };
        let bytes = fs::read(kept).context("libFuzzer left no input")?;
        let hash = blake3::hash(&bytes).to_hex();
        let file = self.tracked().join(format!("broke-{}.hex", &hash[..12]));
        fs::write(&file, to_hex(&bytes) + "\n")?;
        println!(
            "kept as {}: {:?}",
            file.display(),
            String::from_utf8_lossy(&bytes)
        );
        Ok(())
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_as_text_and_read_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(to_hex(&bytes).as_bytes()), Some(bytes));
        assert_eq!(from_hex(b"0g"), None);
        assert_eq!(from_hex(b"0"), None);
    }
}
