use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::http::openapi_json;

/// Set to write the document instead of comparing it.
const BLESS: &str = "TOCSIN_BLESS";

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/openapi.json");
    let served = openapi_json().unwrap() + "\n";
    if std::env::var_os(BLESS).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &served).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        served, committed,
        "run this test with {BLESS}=1 and commit the file"
    );
}

#[test]
fn every_operation_has_a_unique_name_and_a_summary() {
    let document: Value = serde_json::from_str(&openapi_json().unwrap()).unwrap();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(
                names.insert(name.to_owned()),
                "{method} {path}: {name} again"
            );
            assert!(operation["summary"].is_string(), "{method} {path}");
        }
    }
    assert!(names.len() > 20, "{names:?}");
}
