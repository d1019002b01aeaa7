//! The policies that ship, for `tocsin init` and `tocsin demo`: compiled in, so that one file is
//! all that a new machine needs.

use std::path::Path;

use anyhow::{Context as _, Result};

/// The policies with their tests, by file name.
pub const POLICIES: [(&str, &str); 6] = [
    ("routing.rhai", include_str!("../../policies/routing.rhai")),
    (
        "routing.test.toml",
        include_str!("../../policies/routing.test.toml"),
    ),
    ("grading.rhai", include_str!("../../policies/grading.rhai")),
    (
        "grading.test.toml",
        include_str!("../../policies/grading.test.toml"),
    ),
    (
        "escalation.rhai",
        include_str!("../../policies/escalation.rhai"),
    ),
    (
        "escalation.test.toml",
        include_str!("../../policies/escalation.test.toml"),
    ),
];

/// Writes the policies that ship into a folder, which is made.
///
/// # Errors
/// When the folder or a file cannot be written.
pub fn write_policies(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in POLICIES {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
