//! Tests with small sources and lists that have one error each.

use super::listed::lists;
use super::*;

fn found(list: &str, files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<Source> = files
        .iter()
        .map(|(path, text)| Source::new(&format!("src/{path}"), text))
        .collect();
    let lists = lists(&format!("Text.\n\n```dependencies src\n{list}\n```\n"));
    disagreements(&lists[0], &files)
}

#[test]
fn a_dependency_is_found_however_it_is_written() {
    let spellings = [
        "use crate::b::Thing;",
        "use crate::{c::Other, b};",
        "use super::b::{self as other};",
        "fn f() -> crate::b::Thing { crate::b::thing() }",
        "use crate::Thing;",
        "use crate::c; fn f(it: c::Passed) {}",
        "fn f() { println!(\"{}\", super::b::thing()); }",
    ];
    for spelling in spellings {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; pub use b::Thing;"),
            ("a.rs", spelling),
            ("b/mod.rs", "pub struct Thing;"),
            (
                "c.rs",
                "pub use crate::b::Thing as Passed; pub struct Other;",
            ),
        ];
        let found = found("a ->\nb ->\nc -> b", &files);
        let is_reported = |it: &String| it.starts_with("src: a -> b is not listed: a names ");
        assert!(found.iter().any(is_reported), "{spelling}: {found:?}");
    }
}

#[test]
fn comments_strings_and_tests_are_ignored() {
    let text = r##"
        //! Not `crate::b`.
        /* crate::b::x */
        const A: (&str, &str, char) = ("use crate::b;", r#"crate::b::x "" "#, '"');
        fn f<'a>(it: &'a str) {}
        #[cfg(test)]
        #[allow(dead_code)]
        mod tests { use crate::b::Thing; }
        #[cfg(all(test, unix))]
        use crate::b::Thing;
    "##;
    let files = [
        ("a.rs", text),
        ("b.rs", ""),
        ("a/tests.rs", "use crate::b;"),
    ];
    assert_eq!(found("a ->\nb ->", &files), Vec::<String>::new());
}

#[test]
fn listed_dependencies_and_modules_that_do_not_exist_are_found() {
    let files = [("a.rs", ""), ("b.rs", ""), ("new.rs", "")];
    let found = found("a -> b\nb ->\nold ->", &files);
    let expected = [
        "src: a -> b is listed, but does not exist",
        "src: the module new is not listed",
        "src: the module old is listed, but does not exist",
    ];
    assert_eq!(found, expected);
}

#[test]
fn cycles_and_listed_cycles_that_no_longer_exist_are_found() {
    let files = [
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::c::C;"),
        ("c.rs", "use crate::a::A;"),
    ];
    let list = "a -> b\nb -> c\nc -> a";
    assert_eq!(found(list, &files), ["src: a cycle: a, b, c"]);
    let known = format!("{list}\ncycle: a, b, c");
    assert_eq!(found(&known, &files), Vec::<String>::new());
    let gone = found("a -> b\nb ->\ncycle: a, b", &[files[0], ("b.rs", "")]);
    assert_eq!(gone, ["src: no longer a cycle: a, b"]);
}

#[test]
fn a_divided_folder_has_modules_and_no_code_of_its_own() {
    let code = "pub mod x; pub mod y; pub use x::X; pub(crate) use y::f;";
    let files = [
        ("run/mod.rs", code),
        ("run/x.rs", "use super::y::Y; use crate::run;"),
        ("run/y.rs", ""),
        ("a.rs", "use crate::run; fn g() { run::f(); }"),
    ];
    let list = "a -> run/y\nrun/x -> run/y\nrun/y ->";
    assert_eq!(found(list, &files), Vec::<String>::new());
    let code = format!("{code} pub struct Own;");
    let found = found(list, &[("run/mod.rs", &code), files[1], files[2], files[3]]);
    let fault = "src/run has code of its own; move it to a module in the folder";
    assert_eq!(found, [fault]);
}
