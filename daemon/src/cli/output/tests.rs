//! What reaches a terminal.

use serde_json::json;

use super::{CELL_CHARS_MAX, Out, cell, time};

#[test]
fn columns_are_aligned_and_no_line_ends_in_blanks() {
    let mut out = Vec::new();
    let rows = [
        vec![
            "1".to_owned(),
            "critical".to_owned(),
            "Disk full".to_owned(),
        ],
        vec!["10".to_owned(), "minor".to_owned(), "é".to_owned()],
    ];
    let header = ["NUMBER", "GRADE", "TITLE"];
    Out::plain(&mut out)
        .table(&header, &rows, "none")
        .expect("written");
    let text = String::from_utf8(out).expect("text");
    assert_eq!(
        text,
        "NUMBER  GRADE     TITLE\n1       critical  Disk full\n10      minor     é\n"
    );
}

#[test]
fn an_empty_table_says_so() {
    let mut out = Vec::new();
    Out::plain(&mut out)
        .table(&["A"], &[], "No alerts.")
        .expect("written");
    assert_eq!(out, b"No alerts.\n");
}

#[test]
fn an_alert_cannot_steer_the_terminal() {
    let title = json!("Disk\u{1b}[2J\u{7}\nfull");
    assert_eq!(cell(Some(&title)), "Disk [2J  full");
}

#[test]
fn a_long_cell_is_cut() {
    let long = cell(Some(&json!("x".repeat(CELL_CHARS_MAX + 1))));
    assert_eq!(long.chars().count(), CELL_CHARS_MAX + 1);
    assert!(long.ends_with('…'), "{long}");
}

#[test]
fn nothing_is_a_dash_and_lists_are_joined() {
    assert_eq!(cell(None), "-");
    assert_eq!(cell(Some(&json!(["ada", "bob"]))), "ada, bob");
    assert_eq!(cell(Some(&json!({"a": 1}))), "a=1");
}

#[test]
fn times_are_rfc_3339_in_utc() {
    assert_eq!(time(Some(&json!(0))), "1970-01-01T00:00:00.000Z");
    assert_eq!(
        time(Some(&json!("2026-01-01T00:00:00Z"))),
        "2026-01-01T00:00:00Z"
    );
}
