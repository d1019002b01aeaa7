//! How the log of an incident is printed.

use tocsin_core::incident::HoldStage;

use super::{HoldLine, held, names};

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
