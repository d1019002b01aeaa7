//! Checks requests and responses against the vendors' API documents.
//!
//! The documents are not part of the repository. They are read from the folder that `TOCSIN_SPECS`
//! names, or from `../shared/specs` beside it. Without them these checks are reported as skipped,
//! and [`minimum`] still runs.

mod answers;
pub mod minimum;
mod slack;

use std::env;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::{paths, skip};

/// A vendor's document: Swagger 2 or OpenAPI 3.0.
pub struct Document {
    name: String,
    spec: Value,
}

impl Document {
    /// Reads a document; `None`, reported as a skip, if it is not available.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn load(file: &str) -> Result<Option<Self>, String> {
        let Some(path) = folder().map(|it| it.join(file)).filter(|it| it.is_file()) else {
            skip::skipped(
                file,
                "the folder of vendor documents is absent; see TOCSIN_SPECS",
            );
            return Ok(None);
        };
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        let spec = if file.ends_with(".json") {
            serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?
        } else {
            serde_saphyr::from_str(&text).map_err(|error| format!("{file}: {error}"))?
        };
        Ok(Some(Self {
            name: file.to_owned(),
            spec,
        }))
    }

    /// The document's operation for a request.
    fn operation(&self, verb: &str, path: &str) -> Result<&Value, String> {
        let absent = || format!("{} has no {verb} {path}", self.name);
        let all = self.spec["paths"].as_object().ok_or_else(absent)?;
        let found = all.get(path).or_else(|| {
            let fits = |template: &str| template_fits(template, path);
            all.iter().find(|it| fits(it.0)).map(|it| it.1)
        });
        let operation = &found.ok_or_else(absent)?[verb.to_ascii_lowercase()];
        if operation.is_object() {
            Ok(operation)
        } else {
            Err(absent())
        }
    }
}

fn folder() -> Option<PathBuf> {
    let named = env::var_os("TOCSIN_SPECS").map(PathBuf::from);
    let beside = || paths::root().join("../shared/specs");
    Some(named.unwrap_or_else(beside)).filter(|it| it.is_dir())
}

/// Whether `/silence/{silenceID}` describes `/silence/7`.
fn template_fits(template: &str, path: &str) -> bool {
    let (mut parts, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (parts.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(it)) if part == it => {}
            (Some(part), Some(it)) if part.starts_with('{') && !it.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests;
