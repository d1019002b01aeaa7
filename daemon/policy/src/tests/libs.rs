//! Policies share the functions of the files in lib/, and nothing else.

use std::fs;

use super::{alert, context, facts, folder, incident, load};
use crate::testing::run_tests;
use crate::trace::{Answer, Read};
use crate::{IncidentFacts, IncidentView, PolicySet, Report};

const SEVERITY: &str = "const BAD = [\"critical\", \"page\"];\n\
     fn is_bad(alert) { alert.labels.severity in global::BAD }\n\
     fn grade_of(alert) {\n  if is_bad(alert) { \"major\" } else { \"minor\" }\n}\n\
     private fn secret() { 1 }\n";

fn graded(text: &str) -> String {
    format!("import \"severity\" as sev;\nfn grade(incident, alert, ctx) {{\n{text}\n}}\n")
}

fn with_lib(text: &str, lib: &str) -> Result<PolicySet, crate::Reports> {
    load(&[("grading.rhai", &graded(text)), ("lib/severity.rhai", lib)])
}

/// The first report of a set that does not load.
fn fault_at_load(files: &[(&str, &str)]) -> Report {
    match load(files) {
        Ok(set) => panic!("no fault in {set:?}"),
        Err(mut reports) => {
            assert_eq!(reports.0.len(), 1, "{reports}");
            reports.0.remove(0)
        }
    }
}

#[test]
fn a_policy_calls_the_functions_of_a_file_in_lib() {
    let text = "#{ grade: sev::grade_of(alert), reason: `bad: ${sev::is_bad(alert)}` }";
    let set = with_lib(text, SEVERITY).unwrap_or_else(|reports| panic!("{reports}"));
    for (severity, grade, reason) in [
        ("critical", "major", "bad: true"),
        ("info", "minor", "bad: false"),
    ] {
        let alert = alert(&[("severity", severity)]);
        for _ in 0..2 {
            let verdict = set.grade(&incident(), &alert, &context()).unwrap();
            assert_eq!(verdict.value.grade.as_str(), grade);
            assert_eq!(verdict.reason, reason);
            assert_eq!(verdict.source.file, "grading.rhai");
            assert_eq!(verdict.source.line, Some(3));
        }
    }
    assert_eq!(set.cache_stats().hits, 2);
}

#[test]
fn a_team_uses_the_shared_code_too() {
    let set = load(&[
        (
            "teams/shop/grading.rhai",
            &graded("#{ grade: sev::grade_of(alert), reason: \"r\" }"),
        ),
        ("lib/severity.rhai", SEVERITY),
    ])
    .unwrap();
    let incident = IncidentView::new(IncidentFacts {
        team: Some("shop".into()),
        ..facts()
    });
    let page = alert(&[("severity", "page")]);
    let verdict = set.grade(&incident, &page, &context()).unwrap();
    assert_eq!(verdict.value.grade.as_str(), "major");
}

#[test]
fn files_in_lib_import_each_other_and_keep_their_own_functions_and_constants() {
    let set = load(&[
        (
            "grading.rhai",
            "import \"outer\" as outer;\nimport \"inner\" as inner;\nconst WHO = \"policy\";\n\
             fn who() { global::WHO }\n\
             fn grade(incident, alert) {\n\
               let all = `${who()} ${outer::all()} ${inner::own()} ${who()}`;\n\
               #{ grade: \"minor\", reason: all }\n}",
        ),
        (
            "lib/outer.rhai",
            "import \"inner\" as it;\nconst WHO = \"outer\";\nfn who() { global::WHO }\n\
             fn all() { who() + \" \" + it::own() + \" \" + who() }",
        ),
        (
            "lib/inner.rhai",
            "const WHO = \"inner\";\nfn who() { global::WHO }\n\
             fn own() { [1].map(|x| who())[0] }",
        ),
    ])
    .unwrap_or_else(|reports| panic!("{reports}"));
    let verdict = set.grade(&incident(), &alert(&[]), &context()).unwrap();
    assert_eq!(verdict.reason, "policy outer inner outer inner policy");
}

#[test]
fn what_shared_code_reads_is_in_the_trace() {
    let set = with_lib("#{ grade: sev::grade_of(alert), reason: \"r\" }", SEVERITY).unwrap();
    let (incident, page, context) = (incident(), alert(&[("severity", "page")]), context());
    let asked = set.grade_with_basis(&incident, &page, &context);
    let trace = asked.unwrap().1.trace;
    let label = Read::Label(crate::trace::LabelsOf::Alert, "severity".to_owned());
    assert_eq!(trace.reads, [(label, Answer::Text("page".to_owned()))]);
}

#[test]
fn a_fault_in_shared_code_is_reported_there() {
    for (lib, line, message) in [
        (
            "fn of(alert) {\n  alert.labels.replicas > 5\n}",
            2,
            "cannot compare the string \"7\"",
        ),
        ("fn of(alert) {\n\n  [1][2] }", 3, "out of bounds"),
        ("fn of(alert) {\n  throw \"no\" }", 2, "no"),
        (
            "fn of(alert) {\n  deep(1) }\nfn deep(n) {\n  loop { n += 1 } }",
            4,
            "hit a limit",
        ),
        (
            "fn of(alert) {\n  alert.nobody }",
            2,
            "Unknown property 'nobody'",
        ),
    ] {
        let set = with_lib("  #{ grade: `${sev::of(alert)}`, reason: \"r\" }", lib);
        let set = set.unwrap_or_else(|reports| panic!("{reports}"));
        let report = set
            .grade(&incident(), &alert(&[("replicas", "7")]), &context())
            .unwrap_err();
        assert!(report.file.ends_with("lib/severity.rhai"), "{report}");
        assert_eq!(report.line, Some(line), "{report}");
        assert!(report.message.contains(message), "{report}");
        let source = lib.lines().nth(line as usize - 1);
        assert_eq!(report.source_line.as_deref(), source, "{report}");
    }
}

#[test]
fn a_wrong_answer_that_shared_code_made_is_reported_there_or_at_its_call() {
    let lib = "fn verdict(grade) {\n  #{ grade: grade, reason: \"r\" }\n}\n\
               fn wrong() {\n  return #{ graed: \"minor\", reason: \"r\" };\n}";
    for (call, file, line) in [
        ("  return sev::verdict(\"sev1\");", "grading.rhai", 3),
        ("  sev::wrong()", "lib/severity.rhai", 5),
    ] {
        let set = with_lib(call, lib).unwrap_or_else(|reports| panic!("{reports}"));
        let report = set.grade(&incident(), &alert(&[]), &context()).unwrap_err();
        assert!(report.file.ends_with(file), "{report}");
        assert_eq!(report.line, Some(line), "{report}");
    }
}

#[test]
fn only_files_in_lib_can_be_imported() {
    for (import, remedy) in [
        (
            "\"severty\" as sev",
            "did you mean `import \"severity\" as severity;`?",
        ),
        (
            "\"lib/severity\" as sev",
            "did you mean `import \"severity\" as severity;`?",
        ),
        (
            "\"severity.rhai\" as sev",
            "did you mean `import \"severity\" as severity;`?",
        ),
        (
            "\"../secrets\" as sev",
            "lib/NAME.rhai in the policies' folder",
        ),
        (
            "\"/etc/passwd\" as sev",
            "lib/NAME.rhai in the policies' folder",
        ),
        (
            "\"routing\" as sev",
            "lib/NAME.rhai in the policies' folder",
        ),
        ("\"severity\"", "import \"severity\" as severity;"),
        ("global::NAME as sev", "import \"name\" as name;"),
    ] {
        let text = format!(
            "const NAME = \"severity\";\nimport {import};\n{}",
            super::GRADE
        );
        let report = fault_at_load(&[("grading.rhai", &text), ("lib/severity.rhai", SEVERITY)]);
        assert_eq!(report.line, Some(2), "{report}");
        assert!(report.remedy.contains(remedy), "{report}");
    }
    let inside = "fn grade(incident, alert) {\n  import \"severity\" as sev;\n  \
                  #{ grade: sev::grade_of(alert), reason: \"r\" }\n}";
    let report = fault_at_load(&[("grading.rhai", inside), ("lib/severity.rhai", SEVERITY)]);
    assert_eq!(report.message, "an import must be at the top of the file");
    assert_eq!(report.line, Some(2), "{report}");
}

#[test]
fn a_mistake_in_the_use_of_shared_code_is_found_at_load() {
    for (text, message, remedy) in [
        (
            "sev::is_bda(alert)",
            "Function not found: sev::is_bda",
            "did you mean `sev::is_bad`?",
        ),
        (
            "sev::is_bad()",
            "`sev::is_bad` does not take 0 arguments",
            "as many as it takes",
        ),
        (
            "sev::secret()",
            "Function not found: sev::secret",
            "without `private`",
        ),
        (
            "sev::BAD",
            "`BAD` is not a function",
            "let a function return it",
        ),
        (
            "svr::is_bad(alert)",
            "Undefined module: svr",
            "import \"svr\" as svr;",
        ),
        (
            "is_bad(alert)",
            "Function not found: is_bad",
            "import it from a file in lib/",
        ),
        (
            "sev::sub::is_bad(alert)",
            "only functions of a file that this one imports",
            "here too",
        ),
    ] {
        let text = graded(&format!("  if false {{\n    {text}; }}\n  #{{}}"));
        let report = fault_at_load(&[("grading.rhai", &text), ("lib/severity.rhai", SEVERITY)]);
        assert!(report.message.starts_with(message), "{report}");
        assert!(report.remedy.contains(remedy), "{report}");
        assert_eq!(report.line, Some(4), "{report}");
    }
}

#[test]
fn a_faulty_file_in_lib_is_reported_once_and_for_itself() {
    for (lib, line, message) in [
        (
            "fn is_bad(alert) {\n  alert.lable(\"x\") }",
            2,
            "Function not found: lable",
        ),
        ("fn is_bad(alert) {\n  {{ }", 2, "Expecting"),
        (
            "const A = 1;\nlet b = 2;",
            2,
            "only functions, constants and imports",
        ),
        (
            "const A = 1;\nprint(A);",
            2,
            "only functions, constants and imports",
        ),
        ("\nconst A = [1][5];", 2, "out of bounds"),
        ("fn f(n) { loop { } }\nconst A = f(1);", 1, "hit a limit"),
        (
            "\nimport \"severity\" as own;",
            2,
            "lib/severity.rhai imports itself",
        ),
        ("export A;", 1, "`export` is not allowed"),
    ] {
        let text = graded("#{ grade: sev::grade_of(alert), reason: \"r\" }");
        let report = fault_at_load(&[("grading.rhai", &text), ("lib/severity.rhai", lib)]);
        assert!(report.file.ends_with("lib/severity.rhai"), "{report}");
        assert!(report.message.contains(message), "{report}");
        if !message.contains("limit") {
            assert_eq!(report.line, Some(line), "{report}");
        }
    }
}

#[test]
fn files_in_lib_do_not_import_each_other_in_a_circle_or_too_deeply() {
    let report = fault_at_load(&[
        ("lib/a.rhai", "import \"b\" as b;\nfn a() { b::b() }"),
        ("lib/b.rhai", "import \"c\" as c;\nfn b() { c::c() }"),
        ("lib/c.rhai", "\nimport \"a\" as a;\nfn c() { a::a() }"),
    ]);
    assert_eq!(report.message, "lib/a.rhai imports itself: a → b → c → a");
    assert!(report.file.ends_with("lib/c.rhai"), "{report}");
    assert_eq!(report.line, Some(2), "{report}");
    let chain: Vec<(String, String)> = (0..12)
        .map(|n| {
            let text = format!("import \"l{0}\" as next;\nfn f() {{ next::f() }}", n + 1);
            (format!("lib/l{n}.rhai"), text)
        })
        .chain([("lib/l12.rhai".to_owned(), "fn f() { 1 }".to_owned())])
        .collect();
    let files: Vec<(&str, &str)> = chain
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let report = fault_at_load(&files);
    assert!(
        report.message.contains("nested more than 8 deep"),
        "{report}"
    );
}

#[test]
fn shared_code_counts_toward_the_limits_of_a_call() {
    let lib = "fn f(n) { if n == 0 { 0 } else { f(n - 1) } }";
    let set = with_lib("#{ grade: \"minor\", reason: `${sev::f(50)}` }", lib).unwrap();
    let report = set.grade(&incident(), &alert(&[]), &context()).unwrap_err();
    assert_eq!(report.limit.unwrap().name, "call levels");
    let many: Vec<String> = (0..33).map(|n| format!("lib/l{n}.rhai")).collect();
    let files: Vec<(&str, &str)> = many.iter().map(|file| (file.as_str(), "")).collect();
    assert!(
        fault_at_load(&files)
            .message
            .contains("33 files; at most 32")
    );
}

#[test]
fn a_changed_file_in_lib_changes_the_hashes_of_what_imports_it() {
    let text = graded("#{ grade: sev::grade_of(alert), reason: \"r\" }");
    let dir = folder(&[
        ("grading.rhai", &text),
        (
            "lib/severity.rhai",
            "import \"base\" as base;\nfn grade_of(it) { base::it() }",
        ),
        ("lib/base.rhai", "fn it() { \"minor\" }"),
        ("lib/unused.rhai", "fn it() { 1 }"),
    ]);
    let state = || {
        let set = PolicySet::load(dir.path()).unwrap_or_else(|reports| panic!("{reports}"));
        let grading = set.grade(&incident(), &alert(&[]), &context()).unwrap();
        let route = set.route(&alert(&[]), &context()).unwrap();
        let fingerprint = PolicySet::fingerprint(dir.path());
        (
            [grading.source.hash, route.source.hash],
            set.hash().to_owned(),
            fingerprint,
        )
    };
    let ([grading, route], set, fingerprint) = state();
    fs::write(dir.path().join("lib/unused.rhai"), "fn it() { 21 }").unwrap();
    let ([same_grading, same_route], other_set, other_fingerprint) = state();
    assert_eq!((&grading, &route), (&same_grading, &same_route));
    assert_ne!(set, other_set);
    assert_ne!(fingerprint, other_fingerprint);
    fs::write(dir.path().join("lib/base.rhai"), "fn it() { \"major\" }").unwrap();
    let ([new_grading, same_route], ..) = state();
    assert_ne!(grading, new_grading);
    assert_eq!(route, same_route);
}

#[test]
fn the_texts_of_a_set_are_a_set() {
    let text = graded("#{ grade: sev::grade_of(alert), reason: \"r\" }");
    let set = load(&[("grading.rhai", &text), ("lib/severity.rhai", SEVERITY)]).unwrap();
    let copy: Vec<(&str, &str)> = set.texts().collect();
    assert!(set.files().any(|file| file == "lib/severity.rhai"));
    assert_eq!(load(&copy).unwrap().hash(), set.hash());
}

#[test]
fn a_switch_in_shared_code_is_checked_too() {
    let lib = "fn grade_of(alert) {\n  switch alert.labels.n { 1 => \"major\", _ => \"minor\" }\n}";
    let set = with_lib("#{ grade: sev::grade_of(alert), reason: \"r\" }", lib).unwrap();
    let report = set
        .grade(&incident(), &alert(&[("n", "1")]), &context())
        .unwrap_err();
    assert!(report.message.contains("no case has that type"), "{report}");
    assert_eq!(report.column, Some(25), "{report}");
}

#[test]
fn tests_of_policies_run_with_shared_code() {
    let dir = folder(&[
        (
            "grading.rhai",
            &graded("#{ grade: sev::grade_of(alert), reason: \"r\" }"),
        ),
        ("lib/severity.rhai", SEVERITY),
        (
            "grading.test.toml",
            "[[test]]\nname = \"x\"\nalert = { labels = { severity = \"page\" } }\n\
             expect = { grade = \"major\" }\n",
        ),
    ]);
    let report = run_tests(dir.path(), None);
    assert!(report.ok() && report.passed == 1, "{report}");
    let covered: Vec<String> = report.coverage.iter().map(ToString::to_string).collect();
    let of_lib = covered.iter().find(|it| it.contains("lib/severity.rhai"));
    let of_lib = of_lib.unwrap_or_else(|| panic!("{covered:?}"));
    assert!(
        of_lib.contains("1 of 3 lines ran; never: 6; in part: 4"),
        "{of_lib}"
    );
    crate::check(dir.path(), None).unwrap_or_else(|reports| panic!("{reports}"));
}

#[test]
fn a_check_looks_into_shared_code_too() {
    let grading = graded("#{ grade: sev::of(alert).grade, reason: sev::of(alert).why }");
    let routing = "import \"severity\" as sev;\nfn route(alert) {\n  \
                   #{ key: sev::of(alert).why, service: \"s\", reason: \"r\" }\n}";
    for (lib, faults) in [
        ("fn of(alert) { #{ grade: \"minor\", why: \"r\" } }", vec![]),
        (
            "fn of(alert) {\n  if alert.labels.n > 5 { throw \"x\" }\n  \
             #{ grade: \"minor\", why: \"r\" } }",
            vec![(2, "`>` cannot compare the string")],
        ),
        (
            "fn of(alert) {\n  if alert.title == \"x\" {\n    \
             #{ grade: \"major\", why: \"r\" }; }\n  \
             #{ grade: \"minor\", why: \"r\" } }",
            vec![(3, "this map is not returned")],
        ),
        (
            "fn of(alert) {\n  switch alert.title { \"x\" => throw \"no\", _ => () }\n  \
             #{ grade: \"minor\", why: \"r\" } }",
            vec![],
        ),
    ] {
        let dir = folder(&[
            ("grading.rhai", &grading),
            ("routing.rhai", routing),
            ("lib/severity.rhai", lib),
        ]);
        let found = crate::check(dir.path(), None).err();
        let found = found.map_or_else(Vec::new, |reports| reports.0);
        assert_eq!(found.len(), faults.len(), "{found:?}");
        for (report, (line, message)) in found.iter().zip(faults) {
            assert!(report.file.ends_with("lib/severity.rhai"), "{report}");
            assert_eq!(report.line, Some(line), "{report}");
            assert!(report.message.contains(message), "{report}");
        }
    }
}
