//! Tests of what reaches a terminal.

use super::{CELL_CHARS_MAX, Out, cell, cell_labels, cell_list, cell_of};

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
fn an_alert_cannot_control_the_terminal() {
    assert_eq!(cell("Disk\u{1b}[2J\u{7}\nfull"), "Disk [2J  full");
}

#[test]
fn a_long_cell_is_cut() {
    let long = cell("x".repeat(CELL_CHARS_MAX + 1));
    assert_eq!(long.chars().count(), CELL_CHARS_MAX + 1);
    assert!(long.ends_with('…'), "{long}");
}

#[test]
fn nothing_is_a_dash_and_lists_are_joined() {
    assert_eq!(cell_of(None), "-");
    assert_eq!(cell_list(["ada", "bob"]), "ada, bob");
    let labels = [("a".to_owned(), "1".to_owned())].into();
    assert_eq!(cell_labels(&labels), "a=1");
}
