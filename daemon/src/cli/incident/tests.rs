//! How the log of an incident is printed.

use tocsin_core::ChangeStatus;
use tocsin_core::incident::HoldStage;

use super::{ChangeLine, HoldLine, changed, held, names};

#[test]
fn an_acknowledgement_says_until_when_it_holds_and_what_follows() {
    let says = |stage| {
        held(&HoldLine {
            until: "T".to_owned(),
            stage,
        })
    };
    assert_eq!(
        says(HoldStage::Holds),
        "until T; then the operator is asked"
    );
    let passed_on = "passed on; answer by T, else the escalation starts again, unless \
                     nothing fires any more";
    assert_eq!(says(HoldStage::PassedOn), passed_on);
}

#[test]
fn a_line_that_says_whose_doing_it_was_does_not_name_them_twice() {
    for text in [
        "first admin ended the alert `A`: via api",
        "first admin acknowledged through api",
        "resolved by first admin: via api",
    ] {
        assert!(names(text, "first admin"), "{text}");
    }
    for text in ["opened, graded major: it is down", "first admins met"] {
        assert!(!names(text, "first admin"), "{text}");
    }
}

#[test]
fn a_change_is_a_line_with_its_number_and_what_is_known_of_it() {
    let mut it = ChangeLine {
        change: 2,
        title: "Deploy\u{1b}[31m 2.4".to_owned(),
        at: "2026-01-02T18:07:00Z".to_owned(),
        status: ChangeStatus::Suspected,
        link: Some("https://ci.example/1".to_owned()),
    };
    let line = changed(&it);
    assert!(!line.contains('\u{1b}'), "{line:?}");
    let end = " 2.4 (suspected, 2026-01-02T18:07:00Z) https://ci.example/1";
    assert!(
        line.starts_with("2: Deploy") && line.ends_with(end),
        "{line}"
    );
    (it.status, it.link) = (ChangeStatus::Cleared, None);
    assert!(changed(&it).ends_with("(cleared, 2026-01-02T18:07:00Z)"));
}
