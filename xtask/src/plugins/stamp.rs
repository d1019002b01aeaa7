//! Detects whether a built plugin is up to date, by a digest of its sources that is stored beside
//! it. File times are unreliable: a checkout changes them, and a copy may keep them.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

const STAMP: &str = ".stamp";
/// The sources that every plugin is built from, besides its own folder.
const SHARED: [&str; 5] = [
    "Cargo.toml",
    "Cargo.lock",
    "plugin-sdk/Cargo.toml",
    "plugin-sdk/src",
    "plugin-sdk/wit",
];

/// The digest of the shared sources.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    shared: blake3::Hasher,
}

/// The digest of all sources of one plugin, without the compiler.
#[derive(Clone, Debug)]
pub(super) struct Stamp(String);

impl Sources {
    /// Reads the shared sources under the workspace's root.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut shared = blake3::Hasher::new();
        for name in SHARED {
            add(&mut shared, root, &root.join(name))?;
        }
        // This program determines how a component is built.
        shared.update(env!("CARGO_PKG_VERSION").as_bytes());
        Ok(Sources { shared })
    }

    /// The digest for the plugin in `dir`.
    pub(super) fn stamp(&self, dir: &Path) -> Result<Stamp> {
        let mut hasher = self.shared.clone();
        add(&mut hasher, dir, dir)?;
        Ok(Stamp(hasher.finalize().to_hex().to_string()))
    }
}

impl Stamp {
    /// Whether `out` was built from these sources by this compiler. If no compiler is available,
    /// only the sources are compared, so that an up-to-date plugin does not cause a download.
    pub(super) fn is_fresh(&self, out: &Path, compiler: Option<&str>) -> bool {
        let Ok(text) = fs::read_to_string(out.join(STAMP)) else {
            return false;
        };
        let Some((sources, built_by)) = text.split_once('\n') else {
            return false;
        };
        let whole = out.join("plugin.wasm").exists() && out.join("plugin.toml").exists();
        whole && sources == self.0 && compiler.is_none_or(|it| it == built_by)
    }

    /// Records what `out` was built from.
    pub(super) fn write(&self, out: &Path, compiler: &str) -> Result<()> {
        let path = out.join(STAMP);
        let text = format!("{}\n{compiler}", self.0);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Adds a file, or a folder's files in the order of their names. Names are part of the digest.
fn add(hasher: &mut blake3::Hasher, base: &Path, path: &Path) -> Result<()> {
    if path.is_dir() {
        let entries = path.read_dir()?.collect::<Result<Vec<_>, _>>()?;
        let mut paths: Vec<PathBuf> = entries.into_iter().map(|it| it.path()).collect();
        paths.sort();
        return paths.iter().try_for_each(|it| add(hasher, base, it));
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.strip_prefix(base).unwrap_or(path).to_string_lossy();
    for part in [name.as_bytes(), &bytes] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(text: &str) -> Stamp {
        Stamp(text.into())
    }

    #[test]
    fn a_plugin_is_fresh_until_its_sources_or_its_compiler_change() {
        let out = std::env::temp_dir().join(format!("tocsin-stamp-{}", std::process::id()));
        fs::create_dir_all(&out).unwrap();
        for name in ["plugin.wasm", "plugin.toml"] {
            fs::write(out.join(name), "").unwrap();
        }
        stamp("a").write(&out, "installed\nrustc 1.95").unwrap();
        let cases = [
            ("a", Some("installed\nrustc 1.95"), true),
            ("a", None, true),
            ("b", Some("installed\nrustc 1.95"), false),
            ("a", Some("installed\nrustc 1.96"), false),
        ];
        for (sources, compiler, fresh) in cases {
            assert_eq!(
                stamp(sources).is_fresh(&out, compiler),
                fresh,
                "{sources} {compiler:?}"
            );
        }
        fs::remove_file(out.join("plugin.wasm")).unwrap();
        assert!(!stamp("a").is_fresh(&out, None));
        fs::remove_dir_all(&out).unwrap();
    }
}
