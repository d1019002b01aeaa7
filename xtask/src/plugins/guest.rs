//! Builds one plugin from its sources into a component.

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

    /// Compiles this plugin and writes `plugin.toml` and `plugin.wasm` into `out`.
    pub(super) fn build(&self, compiler: &Compiler, out: &Path) -> Result<()> {
        let kind = compiler.identity.lines().next().unwrap_or_default();
        let what = format!("compiling {} for {TARGET} ({kind} compiler)", self.id);
        let module = step(&what, || self.compile(compiler))?;
        let component = component::encode(&self.id, &module)?;
        fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
        fs::copy(self.dir.join("plugin.toml"), out.join("plugin.toml"))?;
        // Renamed into place, so that a daemon that watches the folder never reads a partial file.
        let fresh = out.join("plugin.wasm.new");
        fs::write(&fresh, component)?;
        fs::rename(&fresh, out.join("plugin.wasm"))?;
        Ok(())
    }

    fn compile(&self, compiler: &Compiler) -> Result<Vec<u8>> {
        let target = paths::target().join("wasm-build");
        let mut cargo = paths::cargo();
        cargo
            .args(["rustc", "--locked", "--lib", "--crate-type", "cdylib"])
            .args([
                "--package",
                &self.package,
                "--profile",
                PROFILE,
                "--target",
                TARGET,
            ])
            .arg("--target-dir")
            .arg(&target)
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
        if !progress::succeeds(&mut cargo, &format!("the plugin {}", self.id))? {
            bail!("{} does not compile; see cargo's output above", self.id);
        }
        let file = format!("{}.wasm", self.package.replace('-', "_"));
        let path = target.join(TARGET).join(PROFILE).join(file);
        fs::read(&path).with_context(|| format!("cargo wrote no {}", path.display()))
    }
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
