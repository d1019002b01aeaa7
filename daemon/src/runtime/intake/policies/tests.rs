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
    let good = Policies::load(&folder, Some(&kept), true).hash().unwrap();
    spoil(&folder);
    let policies = Policies::load(&folder, Some(&kept), true);
    assert_eq!(policies.hash(), Some(good));
    let faults = policies.faults().unwrap().to_string();
    assert!(faults.contains("policies/grading.rhai"), "{faults}");
}

#[test]
fn a_newer_good_set_replaces_the_stored_one() {
    let (_base, folder, kept) = folders();
    let first = Policies::load(&folder, Some(&kept), true).hash();
    let file = folder.join("routing.rhai");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n// a remark\n")).unwrap();
    let second = Policies::load(&folder, Some(&kept), true).hash();
    assert_ne!(first, second);
    spoil(&folder);
    assert_eq!(Policies::load(&folder, Some(&kept), true).hash(), second);
    assert_eq!(fs::read_dir(&kept).unwrap().count(), 1);
}

#[test]
fn a_stored_set_that_was_changed_is_not_used() {
    let (_base, folder, kept) = folders();
    let hash = Policies::load(&folder, Some(&kept), true).hash().unwrap();
    let file = kept.join(hash).join("routing.rhai");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n// not what was kept\n")).unwrap();
    spoil(&folder);
    assert_eq!(Policies::load(&folder, Some(&kept), true).hash(), None);
}

#[test]
fn a_set_whose_tests_fail_is_not_put_in_force_until_they_are_mended() {
    let (_base, folder, kept) = folders();
    let policies = Policies::load(&folder, Some(&kept), true);
    let good = policies.hash();
    let (grading, tests) = (
        folder.join("grading.rhai"),
        folder.join("grading.test.toml"),
    );
    let text = fs::read_to_string(&grading).unwrap();
    fs::write(&grading, format!("{text}\n// a remark\n")).unwrap();
    let test = |grade: &str| {
        format!(
            "[[test]]\nname = \"page is critical\"\n\
             alert = {{ labels = {{ severity = \"page\" }} }}\n\
             expect = {{ grade = \"{grade}\" }}\n"
        )
    };
    fs::write(&tests, test("minor")).unwrap();
    let Reload::Failed(faults) = policies.reload() else {
        panic!("it is in force");
    };
    let says = "grading.test.toml:2: the test `page is critical` fails";
    assert!(faults.to_string().contains(says), "{faults}");
    assert_eq!(policies.hash(), good);
    assert_eq!(policies.faults(), Some(faults));
    assert_eq!(Policies::load(&folder, Some(&kept), true).hash(), good);
    assert_ne!(Policies::load(&folder, None, false).hash(), None);
    assert_eq!(
        Policies::load(&folder, None, true).hash(),
        None,
        "built-in verdicts page"
    );
    fs::write(&tests, test("critical")).unwrap();
    assert!(matches!(policies.reload(), Reload::Loaded(_)));
    assert_ne!(policies.hash(), good);
    assert_eq!(policies.faults(), None);
}
