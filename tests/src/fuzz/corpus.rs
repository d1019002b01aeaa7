//! The fuzz corpus, `tests/fuzz/TARGET/NAME`. Files with the extension `.hex` contain hexadecimal
//! digits, since no binary file is tracked.

use std::fs;
use std::path::{Path, PathBuf};

use crate::paths;

/// Largest input in the corpus, in bytes, so that all are replayed within a second.
pub const SEED_BYTES_MAX: usize = 64 * 1_024;

/// An input and its file.
#[derive(Clone, Debug)]
pub struct Input {
    pub path: PathBuf,
    /// The input of the target.
    pub bytes: Vec<u8>,
}

/// The corpus of a target, by name.
///
/// # Errors
/// When a file cannot be read.
pub fn inputs(target: &str) -> Result<Vec<Input>, String> {
    let folder = paths::root().join("tests").join("fuzz").join(target);
    let unreadable = |error| format!("{}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let bytes = read(&path)?;
        found.push(Input { path, bytes });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let bytes = match path.extension().is_some_and(|it| it == "hex") {
        true => hex::decode(bytes.trim_ascii())
            .map_err(|error| format!("{}: {error}", path.display()))?,
        false => bytes,
    };
    match bytes.len() <= SEED_BYTES_MAX {
        true => Ok(bytes),
        false => Err(format!("{} is over {SEED_BYTES_MAX} bytes", path.display())),
    }
}
