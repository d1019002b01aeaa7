//! The pages of the daemon's tests, and committed files of what a plugin makes of each, so that a
//! change of what people see is seen in review.

use serde_json::Value;
use std::path::{Path, PathBuf};
use tocsin_plugin_sdk::testing::{incident, person};
use tocsin_plugin_sdk::types::{Fact, Grade, Incident, Link, Page, PageItem, PageLine, Urgency};

/// Set to write the files instead of comparing them.
const BLESS: &str = "TOCSIN_BLESS";
/// What the daemon's tests write as `NAME.page.json`.
const NAMES: [&str; 13] = [
    "critical",
    "minor",
    "redacted",
    "cleared",
    "bundle-3",
    "bundle-300",
    "midnight",
    "drill",
    "handover",
    "hostile",
    "test",
    "reminder",
    "shift",
];

/// Compares what `shown` makes of each page, for a contact of this kind at this address, with the
/// plugin's `tests/pages/NAME.EXTENSION`. `plugin`: the folder of the plugin's crate.
///
/// # Panics
/// When a page is shown otherwise than committed.
pub fn check(
    plugin: &str,
    extension: &str,
    contact: (&str, &str),
    shown: impl Fn(&Page) -> String,
) {
    let folder = Path::new(plugin).join("tests/pages");
    for name in NAMES {
        let shown = shown(&sample(name, contact)).trim_end().to_string() + "\n";
        let path = folder.join(format!("{name}.{extension}"));
        if std::env::var_os(BLESS).is_some() {
            let written =
                std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, &shown));
            written.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let remedy = format!("run this test with {BLESS}=1, read {name}.{extension} and commit it");
        assert!(shown == committed, "{remedy}; it is now:\n{shown}");
    }
}

/// A page as the daemon's tests write it.
fn sample(name: &str, (kind, address): (&str, &str)) -> Page {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../daemon/tests/pages"
    ));
    let text = std::fs::read_to_string(folder.join(format!("{name}.page.json")));
    let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
    let page: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut to = person("ada", kind, address);
    to.name = text_of(&page["to"]["name"]);
    Page {
        id: text_of(&page["id"]),
        to,
        items: list(&page["items"]).iter().map(item).collect(),
        others: list(&page["others"]).iter().map(line).collect(),
        summary: text_of(&page["summary"]),
        ack_url: page["ack_url"].as_str().map(Into::into),
        test: page["test"] == true,
        urgency: urgency(&page["urgency"]),
        extra: "{}".into(),
    }
}

fn item(item: &Value) -> PageItem {
    let shown = &item["incident"];
    let fact = |it: &Value| Fact {
        name: text_of(&it["name"]),
        text: text_of(&it["text"]),
    };
    let link = |it: &Value| Link {
        title: text_of(&it["title"]),
        url: text_of(&it["url"]),
    };
    PageItem {
        id: text_of(&item["id"]),
        incident: Incident {
            id: text_of(&shown["id"]),
            number: number(&shown["number"]),
            title: text_of(&shown["title"]),
            summary: text_of(&shown["summary"]),
            grade: grade(&shown["grade"]),
            security: shown["security"] == true,
            drill: shown["drill"] == true,
            services: list(&shown["services"]).iter().map(text_of).collect(),
            ..incident()
        },
        step: 0,
        reason: text_of(&item["reason"]),
        headline: text_of(&item["headline"]),
        facts: list(&item["facts"]).iter().map(fact).collect(),
        links: list(&item["links"]).iter().map(link).collect(),
        ack_url: item["ack_url"].as_str().map(Into::into),
        extra: "{}".into(),
    }
}

fn line(line: &Value) -> PageLine {
    PageLine {
        id: text_of(&line["id"]),
        number: number(&line["number"]),
        grade: grade(&line["grade"]),
        headline: text_of(&line["headline"]),
    }
}

fn grade(name: &Value) -> Grade {
    match name.as_str() {
        Some("Minor") => Grade::Minor,
        Some("Major") => Grade::Major,
        Some("Critical") => Grade::Critical,
        other => panic!("the grade {other:?}"),
    }
}

fn urgency(name: &Value) -> Urgency {
    match name.as_str() {
        Some("Silent") => Urgency::Silent,
        Some("Ordinary") => Urgency::Ordinary,
        Some("Minor") => Urgency::Minor,
        Some("Major") => Urgency::Major,
        Some("Critical") => Urgency::Critical,
        other => panic!("the urgency {other:?}"),
    }
}

fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("{value} is not a list"))
}

fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is not a number"))
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not a text"))
        .into()
}
