//! An on-disk cache of compiled plugins, so that a start does not compile.
//!
//! Loading compiled code means running it, so this is the only module that allows `unsafe`, and it
//! loads only what this daemon wrote: each file has a tag, keyed BLAKE3 with a secret of this
//! installation, over the same bytes in memory that are then loaded (they are read only once, so
//! they cannot change between check and use). The caller supplies the key, or it is generated and
//! stored in the folder. A key in the folder protects against torn writes, bit rot and files from
//! other machines, but not against someone who can write the folder as the daemon's user; they
//! could also replace the daemon. Therefore the folder has mode 0700.
//!
//! **Any failure is a miss, never an error**: the component is compiled instead.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Compiled code larger than this is not cached, in bytes.
const CWASM_BYTES_MAX: u64 = 256 << 20;
/// Folders of other engines are removed after being unused for this long.
const OTHER_ENGINES_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Compiled code is removed after not being loaded for this long.
const UNUSED_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// The cache, for one engine.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; 32],
}

impl Cache {
    /// Opens the cache under `root`. Returns none and logs a warning when the folder cannot be
    /// trusted or used; the host then compiles at every start.
    pub(crate) fn open(root: &Path, key: Option<[u8; 32]>, engine: &Engine) -> Option<Self> {
        let opened = Self::try_open(root, key, engine);
        opened
            .inspect_err(|reason| {
                tracing::warn!(folder = %root.display(), reason, "no cache for compiled plugins");
            })
            .ok()
    }

    fn try_open(root: &Path, key: Option<[u8; 32]>, engine: &Engine) -> Result<Self, String> {
        let mut hasher = Fingerprint(blake3::Hasher::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine_id = hasher.0.finalize().to_hex();
        let folder = root.join(&engine_id[..32]);
        for path in [root, &folder] {
            private_folder(path)?;
        }
        let key = match key {
            Some(key) => key,
            None => stored_key(&root.join("key"))?,
        };
        remove_other_engines(root, &folder);
        remove_unused(&folder);
        Ok(Self { folder, key })
    }

    /// The cached component, if its file exists and is intact.
    pub(crate) fn load(&self, engine: &Engine, component: &blake3::Hash) -> Option<Component> {
        let (code, tag) = self.paths(component);
        let bytes = read_bounded(&code)?;
        let kept = read_bounded(&tag)?;
        let kept = blake3::Hash::from_slice(&kept).ok()?;
        // blake3::Hash compares in constant time.
        if self.tag(component, &bytes) != kept {
            tracing::warn!(file = %code.display(), "compiled plugin does not match its tag");
            self.remove(component);
            return None;
        }
        for path in [&code, &tag] {
            // Only used to find unused files.
            let _ = fs::File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
        }
        let loaded = deserialize(engine, &bytes);
        loaded
            .inspect_err(|error| {
                tracing::info!(file = %code.display(), %error, "compiled plugin is not usable");
                self.remove(component);
            })
            .ok()
    }

    /// Caches compiled code. A failure is only logged.
    pub(crate) fn store(&self, component: &blake3::Hash, bytes: &[u8]) {
        if bytes.len() as u64 > CWASM_BYTES_MAX {
            return;
        }
        let (code, tag) = self.paths(component);
        let written = write_whole(&code, bytes)
            .and_then(|()| write_whole(&tag, self.tag(component, bytes).as_bytes()))
            .and_then(|()| fs::File::open(&self.folder)?.sync_all());
        if let Err(error) = written {
            tracing::warn!(file = %code.display(), %error, "compiled plugin is not cached");
            self.remove(component);
        }
    }

    fn remove(&self, component: &blake3::Hash) {
        let (code, tag) = self.paths(component);
        // A missing file is fine; any other error recurs at the next store.
        let _ = fs::remove_file(code);
        let _ = fs::remove_file(tag);
    }

    fn paths(&self, component: &blake3::Hash) -> (PathBuf, PathBuf) {
        let name = component.to_hex();
        (
            self.folder.join(format!("{name}.cwasm")),
            self.folder.join(format!("{name}.tag")),
        )
    }

    fn tag(&self, component: &blake3::Hash, code: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(component.as_bytes());
        hasher.update(code);
        hasher.finalize()
    }
}

/// Loads compiled code that [`Cache::load`] has authenticated.
#[allow(unsafe_code)]
fn deserialize(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the only caller has just checked that these bytes, in this memory, have this
    // installation's tag, which only `Cache::store` makes, over what wasmtime itself compiled.
    unsafe { Component::deserialize(engine, bytes) }
}

/// A BLAKE3 `Hasher`: the standard hasher's 64 bits may collide and may change with Rust.
struct Fingerprint(blake3::Hasher);

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.finalize();
        let (first, _) = hash.as_bytes().split_at(8);
        first
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte))
    }
}

fn private_folder(path: &Path) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(fault)?;
    let metadata = fs::symlink_metadata(path).map_err(fault)?;
    if !metadata.is_dir() || metadata.mode() & 0o022 != 0 {
        return Err(format!(
            "{} must be a folder that only its owner can write; chmod 700 it",
            path.display()
        ));
    }
    Ok(())
}

fn stored_key(path: &Path) -> Result<[u8; 32], String> {
    if let Some(bytes) = read_bounded(path)
        && let Ok(key) = <[u8; 32]>::try_from(bytes)
    {
        return Ok(key);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| error.to_string())?;
    write_whole(path, &key).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(key)
}

fn read_bounded(path: &Path) -> Option<Vec<u8>> {
    let length = fs::metadata(path).ok()?.len();
    (length <= CWASM_BYTES_MAX)
        .then(|| fs::read(path).ok())
        .flatten()
}

/// Writes through a temporary file, fsync and rename: a crash leaves the complete old or new file.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(|error| std::io::Error::other(error.to_string()))?;
    let temporary = path.with_extension(format!("tmp-{}", hex::encode(suffix)));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let renamed = written.and_then(|()| fs::rename(&temporary, path));
    if renamed.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    renamed
}

fn remove_other_engines(root: &Path, ours: &Path) {
    for path in older_than(root, OTHER_ENGINES_KEPT) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_engine = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if path != ours && is_engine {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Removes code of old plugin versions, and temporary files left by a crash.
fn remove_unused(folder: &Path) {
    for path in older_than(folder, UNUSED_KEPT) {
        let _ = fs::remove_file(path);
    }
}

fn older_than(folder: &Path, limit: Duration) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let is_old = |entry: &fs::DirEntry| {
        let modified = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .ok();
        modified
            .and_then(|at| SystemTime::now().duration_since(at).ok())
            .is_some_and(|age| age > limit)
    };
    entries
        .flatten()
        .filter(is_old)
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
mod tests;
