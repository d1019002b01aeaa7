//! How the log of an incident is printed.

use super::names;

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
