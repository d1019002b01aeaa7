use std::fs;

use tocsin_tests::fuzz::{TARGETS, inputs};
use tocsin_tests::paths;

#[test]
fn no_input_in_the_corpus_fails() {
    for (name, target) in TARGETS.into_iter().flatten() {
        let inputs = inputs(name).unwrap();
        assert!(!inputs.is_empty(), "tests/fuzz/{name} has no inputs");
        for input in inputs {
            let result = std::panic::catch_unwind(|| target(&input.bytes));
            assert!(result.is_ok(), "{name} fails on {}", input.path.display());
        }
    }
}

#[test]
fn every_folder_of_inputs_has_a_target() {
    // `cargo xtask fuzz` lists the targets from these folders.
    let folder = paths::root().join("tests").join("fuzz");
    let folders = fs::read_dir(folder).unwrap().map(|it| it.unwrap());
    let mut folders: Vec<_> = folders
        .map(|it| it.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut names: Vec<_> = TARGETS.into_iter().flatten().map(|it| it.0).collect();
    names.sort_unstable();
    assert_eq!(folders, names);
}
