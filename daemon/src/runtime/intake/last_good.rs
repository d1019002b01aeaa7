//! The last good policies, stored next to the store, for a restart while the folder is broken.
//! Without them the daemon would have only the built-in verdicts.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tocsin_policy::PolicySet;

/// A folder with one set, in a subfolder named after the set's hash.
pub(crate) struct LastGood(PathBuf);

impl LastGood {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Replaces the stored set. The new one is durable before the old one is removed, so that one
    /// of them exists after a crash.
    pub(crate) fn keep(&self, set: &PolicySet) -> io::Result<()> {
        let place = self.0.join(set.hash());
        if self.load().is_some_and(|kept| kept.hash() == set.hash()) {
            return Ok(());
        }
        let draft = self.0.join(format!(".{}", set.hash()));
        for gone in [&draft, &place] {
            remove(gone)?;
        }
        for (file, text) in set.texts() {
            let path = draft.join(file);
            fs::create_dir_all(path.parent().unwrap_or(&draft))?;
            let mut file = fs::File::create(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            // A file's name is durable only after its folder is synced too.
            for folder in path.ancestors().skip(1) {
                fs::File::open(folder)?.sync_all()?;
                if folder == draft {
                    break;
                }
            }
        }
        fs::rename(&draft, &place)?;
        fs::File::open(&self.0)?.sync_all()?;
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            if path != place {
                remove(&path)?;
            }
        }
        Ok(())
    }

    /// The stored set, if there is one and it is unchanged.
    pub(crate) fn load(&self) -> Option<PolicySet> {
        let entries = fs::read_dir(&self.0).ok()?;
        entries.flatten().find_map(|entry| {
            let set = PolicySet::load(&entry.path()).ok()?;
            (entry.file_name().to_str() == Some(set.hash())).then_some(set)
        })
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
