//! Builds plugins from their sources into components.

use super::compiler::Compiler;
use super::component;
use super::steps::step;
use crate::{paths, progress};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The target of guests: a core module without any system interface, so that a plugin can access
/// only what the host provides.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "plugin";

/// Settings for native builds that would break this one: a caching wrapper may not support the
/// other compiler, and the machine's flags or target are wrong for a guest.
const REMOVED_ENV: [&str; 6] = [
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOCFLAGS",
];

/// A plugin's folder.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    pub(super) id: String,
    /// The folder with plugin.toml and Cargo.toml.
    pub(super) dir: PathBuf,
    package: String,
}

/// The plugins under `dir`, by name; all if `names` is empty.
///
/// # Errors
/// When a named one does not exist, or a manifest cannot be read.
pub(super) fn discover(dir: &Path, names: &[String]) -> Result<Vec<Guest>> {
    let mut found = Vec::new();
    for entry in dir
        .read_dir()
        .with_context(|| format!("cannot read {}", dir.display()))?
    {
        let path = entry?.path();
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
        let wanted = names.is_empty() || name.is_some_and(|it| names.contains(&it));
        if wanted && path.join("Cargo.toml").exists() && path.join("plugin.toml").exists() {
            found.push(Guest::read(path)?);
        }
    }
    if found.len() < names.len() || found.is_empty() {
        bail!(
            "not every one of [{}] is a folder under {} with Cargo.toml and plugin.toml",
            names.join(", "),
            dir.display()
        );
    }
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

impl Guest {
    fn read(dir: PathBuf) -> Result<Self> {
        let id = toml_string(&dir.join("plugin.toml"), &["id"])?;
        let package = toml_string(&dir.join("Cargo.toml"), &["package", "name"])?;
        Ok(Guest { id, dir, package })
    }

    /// Writes `plugin.toml` and `plugin.wasm` into `out`, after [`compile`].
    pub(super) fn finish(&self, out: &Path) -> Result<()> {
        let file = format!("{}.wasm", self.package.replace('-', "_"));
        let path = target().join(TARGET).join(PROFILE).join(file);
        let module =
            fs::read(&path).with_context(|| format!("cargo wrote no {}", path.display()))?;
        let component = component::encode(&self.id, &module)?;
        fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
        fs::copy(self.dir.join("plugin.toml"), out.join("plugin.toml"))?;
        // Renamed into place, so that a daemon that watches the folder never reads a partial file.
        let fresh = out.join("plugin.wasm.new");
        fs::write(&fresh, component)?;
        fs::rename(&fresh, out.join("plugin.wasm"))?;
        Ok(())
    }
}

/// Compiles plugins into core modules, all with one run of cargo.
///
/// # Errors
/// When one of them does not compile.
pub(super) fn compile(guests: &[&Guest], compiler: &Compiler) -> Result<()> {
    let names: Vec<&str> = guests.iter().map(|it| it.id.as_str()).collect();
    let names = names.join(", ");
    let kind = compiler.identity.lines().next().unwrap_or_default();
    let what = format!("compiling {names} for {TARGET} ({kind} compiler)");
    step(&what, || {
        let mut cargo = paths::cargo();
        cargo.args(["build", "--locked", "--lib"]);
        for guest in guests {
            cargo.args(["--package", &guest.package]);
        }
        cargo
            .args(["--profile", PROFILE, "--target", TARGET])
            .arg("--target-dir")
            .arg(target())
            .args(&compiler.args);
        for name in REMOVED_ENV {
            cargo.env_remove(name);
        }
        // Empty instead of absent, which also overrides configuration files.
        cargo
            .env("RUSTC_WRAPPER", "")
            .env("RUSTFLAGS", "")
            .env("CARGO_INCREMENTAL", "0");
        cargo.envs(compiler.env.iter().map(|(name, value)| (name, value)));
        if !progress::succeeds(&mut cargo, &format!("the plugins {names}"))? {
            bail!("a plugin does not compile; see cargo's output above");
        }
        Ok(())
    })
}

fn target() -> PathBuf {
    paths::target().join("wasm-build")
}

fn toml_string(path: &Path, keys: &[&str]) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path:?}"))?;
    let mut value: &toml::Value = &toml::from_str(&text)?;
    for key in keys {
        value = value
            .get(key)
            .with_context(|| format!("{path:?} has no {}", keys.join(".")))?;
    }
    let text = value
        .as_str()
        .with_context(|| format!("{} in {path:?} is not a string", keys[0]))?;
    Ok(text.to_string())
}
