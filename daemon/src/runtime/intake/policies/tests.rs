use std::fs;

use tempfile::TempDir;

use super::*;

/// A folder with the shipped policies, and one for the last good set.
fn folders() -> (TempDir, PathBuf, PathBuf) {
    let base = tempfile::tempdir().unwrap();
    let (folder, kept) = (base.path().join("policies"), base.path().join("kept"));
    fs::create_dir(&folder).unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");
    for entry in fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "rhai") {
            fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    }
    (base, folder, kept)
}

fn spoil(folder: &Path) {
    fs::write(folder.join("grading.rhai"), "fn grade( {").unwrap();
}

#[test]
fn the_last_good_policies_stay_in_force_after_a_restart_on_a_broken_folder() {
    let (_base, folder, kept) = folders();
    let good = Policies::load(&folder, Some(&kept)).hash().unwrap();
    spoil(&folder);
    let policies = Policies::load(&folder, Some(&kept));
    assert_eq!(policies.hash(), Some(good));
    let faults = policies.faults().unwrap().to_string();
    assert!(faults.contains("policies/grading.rhai"), "{faults}");
}

#[test]
fn a_newer_good_set_replaces_the_stored_one() {
    let (_base, folder, kept) = folders();
    let first = Policies::load(&folder, Some(&kept)).hash();
    let file = folder.join("routing.rhai");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n// a remark\n")).unwrap();
    let second = Policies::load(&folder, Some(&kept)).hash();
    assert_ne!(first, second);
    spoil(&folder);
    assert_eq!(Policies::load(&folder, Some(&kept)).hash(), second);
    assert_eq!(fs::read_dir(&kept).unwrap().count(), 1);
}

#[test]
fn a_stored_set_that_was_changed_is_not_used() {
    let (_base, folder, kept) = folders();
    let hash = Policies::load(&folder, Some(&kept)).hash().unwrap();
    let file = kept.join(hash).join("routing.rhai");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n// not what was kept\n")).unwrap();
    spoil(&folder);
    assert_eq!(Policies::load(&folder, Some(&kept)).hash(), None);
}
