//! A compiler for guests from Debian's packages, for machines that cannot reach rustup's server.
//!
//! `rustc-web` (the compiler that Debian keeps current for its browsers) has no standard library
//! for WebAssembly, but `rust-web-src` has the library's sources of the same version, and cargo
//! can build it from them. Nothing is installed: the packages are unpacked into a folder under
//! `target/`, so root is not needed.

use super::compiler::{self, Compiler};
use super::guest;
use super::steps::{output_of, step};
use crate::paths;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGES: [&str; 3] = ["rustc-web", "libstd-rust-web-dev", "rust-web-src"];
/// Dependencies of [`PACKAGES`] with a version in their names.
const NEEDED_PREFIXES: [&str; 2] = ["libstd-rust-web-", "libllvm"];
/// Lists the unpacked packages; written last, so that an interrupted run starts over.
const READY: &str = "packages";

/// The compiler that an earlier run unpacked.
pub(super) fn ready() -> Option<Compiler> {
    let packages = fs::read_to_string(folder().join(READY)).ok()?;
    describe(&packages).ok()
}

/// Downloads and unpacks the packages.
///
/// # Errors
/// When there is no apt, or apt cannot reach its mirror or find the packages.
pub(super) fn fetch() -> Result<Compiler> {
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("this machine has no apt-get");
    }
    let folder = folder();
    let debs = folder.join("debs");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&debs).with_context(|| format!("cannot create {}", debs.display()))?;
    step("downloading the compiler from Debian, about 140 MB", || {
        download(&debs)
    })?;
    let names = step("unpacking the compiler", || unpack(&debs, &folder))?;
    fs::remove_dir_all(&debs)?;
    let compiler = describe(&names)?;
    fs::write(folder.join(READY), names)?;
    Ok(compiler)
}

fn folder() -> PathBuf {
    paths::target().join("wasm-toolchain")
}

fn describe(packages: &str) -> Result<Compiler> {
    let usr = folder().join("usr");
    let libraries = usr.join(format!("lib/{}-linux-gnu", std::env::consts::ARCH));
    let args = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features="];
    Ok(Compiler {
        identity: format!("debian\n{packages}"),
        env: vec![
            ("RUSTC".into(), usr.join("bin/rustc").into()),
            // Building the standard library is an unstable option of cargo.
            ("RUSTC_BOOTSTRAP".into(), "1".into()),
            ("LD_LIBRARY_PATH".into(), libraries.into()),
            (
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER".into(),
                linker(&usr)?.into(),
            ),
        ],
        args: args.map(Into::into).to_vec(),
    })
}

/// A rustup toolchain has a linker for WebAssembly; for other compilers, LLVM's is among the
/// downloaded packages.
fn linker(usr: &Path) -> Result<PathBuf> {
    if let Some(lld) = rust_lld() {
        return Ok(lld);
    }
    let bin = usr.join("bin");
    let entries = bin
        .read_dir()
        .with_context(|| format!("cannot read {}", bin.display()))?;
    let mut names = entries.flatten().map(|it| it.path());
    let found = names.find(|it| it.to_string_lossy().contains("/wasm-ld"));
    found.context("no linker for WebAssembly: found neither rust-lld nor wasm-ld")
}

fn rust_lld() -> Option<PathBuf> {
    let bin = format!("lib/rustlib/{}/bin/rust-lld", compiler::host_triple().ok()?);
    Some(compiler::sysroot().ok()?.join(bin)).filter(|it| it.exists())
}

/// Tries the machine's package lists first; if they are missing or outdated, uses private lists,
/// which need no root.
fn download(debs: &Path) -> Result<()> {
    if download_with(debs, &[]).is_ok() {
        return Ok(());
    }
    let private = folder().join("apt");
    let lists = private.join("lists");
    let cache = private.join("cache");
    fs::create_dir_all(lists.join("partial"))?;
    fs::create_dir_all(cache.join("archives/partial"))?;
    let options = [
        "-o".to_string(),
        format!("Dir::State::Lists={}", lists.display()),
        "-o".to_string(),
        format!("Dir::Cache={}", cache.display()),
    ];
    step("reading Debian's package lists", || {
        output_of(apt("apt-get", &options).arg("update")).map(drop)
    })?;
    download_with(debs, &options)
}

fn download_with(debs: &Path, options: &[String]) -> Result<()> {
    let mut names: Vec<String> = PACKAGES.map(Into::into).to_vec();
    let mut depends = apt("apt-cache", options);
    depends
        .args(["depends", "--recurse", "--important", "--no-suggests"])
        .args(PACKAGES);
    let text = output_of(&mut depends)?;
    let needed = text.lines().filter(|line| !line.starts_with(' '));
    let needed = needed.filter(|name| NEEDED_PREFIXES.iter().any(|it| is_versioned(name, it)));
    names.extend(needed.map(Into::into));
    if rust_lld().is_none() {
        let llvm = names.iter().find_map(|it| it.strip_prefix("libllvm"));
        names.push(format!(
            "lld-{}",
            llvm.context("apt does not name the LLVM of rustc-web")?
        ));
    }
    names.sort();
    names.dedup();
    let mut get = apt("apt-get", options);
    output_of(get.arg("download").args(&names).current_dir(debs)).map(drop)
}

fn is_versioned(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|it| it.starts_with(|first: char| first.is_ascii_digit()))
}

fn apt(program: &str, options: &[String]) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C").args(options);
    command
}

fn unpack(debs: &Path, folder: &Path) -> Result<String> {
    let mut names = Vec::new();
    for entry in debs.read_dir()? {
        let path = entry?.path();
        output_of(Command::new("dpkg").arg("-x").arg(&path).arg(folder))?;
        names.extend(path.file_name().map(|it| it.to_string_lossy().into_owned()));
    }
    names.sort();
    if !folder.join("usr/bin/rustc").exists() {
        bail!(
            "the packages contain no compiler for {}: {}",
            guest::TARGET,
            names.join(" ")
        );
    }
    Ok(names.join("\n"))
}
