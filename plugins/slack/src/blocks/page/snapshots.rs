//! The pages of the daemon's tests as Slack's blocks, compared with committed files.

use std::path::{Path, PathBuf};

use super::*;
use tocsin_plugin_sdk::serde_json;
use tocsin_plugin_sdk::testing::{incident, person};
use tocsin_plugin_sdk::types::{Fact, Grade, Incident, PageLine};

/// Set to write the files instead of comparing them.
const BLESS: &str = "TOCSIN_BLESS";

const NAMES: [&str; 9] = [
    "critical",
    "minor",
    "redacted",
    "cleared",
    "bundle-3",
    "bundle-300",
    "midnight",
    "drill",
    "hostile",
];

fn folder(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of)
}

/// A page as the daemon's tests write it.
fn committed_page(name: &str) -> Page {
    let path = folder("../../daemon/tests/pages").join(format!("{name}.page.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|it| panic!("{name}: {it}"));
    let page: Value = serde_json::from_str(&text).unwrap();
    let lines = page["others"].as_array().unwrap().iter();
    Page {
        id: text_of(&page["id"]),
        to: person("ada", "slack", "U0ADA"),
        items: page["items"].as_array().unwrap().iter().map(item).collect(),
        others: lines.map(line).collect(),
        summary: text_of(&page["summary"]),
        ack_url: page["ack_url"].as_str().map(Into::into),
        test: page["test"] == true,
        extra: "{}".into(),
    }
}

fn item(item: &Value) -> PageItem {
    let facts = item["facts"].as_array().unwrap().iter();
    let links = item["links"].as_array().unwrap().iter();
    let shown = &item["incident"];
    PageItem {
        id: text_of(&item["id"]),
        incident: Incident {
            id: text_of(&shown["id"]),
            number: shown["number"].as_u64().unwrap(),
            title: text_of(&shown["title"]),
            grade: grade(&shown["grade"]),
            security: shown["security"] == true,
            drill: shown["drill"] == true,
            ..incident()
        },
        step: 0,
        reason: text_of(&item["reason"]),
        headline: text_of(&item["headline"]),
        facts: facts
            .map(|it| Fact {
                name: text_of(&it["name"]),
                text: text_of(&it["text"]),
            })
            .collect(),
        links: links
            .map(|it| Link {
                title: text_of(&it["title"]),
                url: text_of(&it["url"]),
            })
            .collect(),
        ack_url: None,
        extra: "{}".into(),
    }
}

fn line(line: &Value) -> PageLine {
    PageLine {
        id: text_of(&line["id"]),
        number: line["number"].as_u64().unwrap(),
        grade: grade(&line["grade"]),
        headline: text_of(&line["headline"]),
    }
}

fn grade(name: &Value) -> Grade {
    match name.as_str().unwrap() {
        "Minor" => Grade::Minor,
        "Major" => Grade::Major,
        "Critical" => Grade::Critical,
        other => panic!("{other}"),
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap().into()
}

#[test]
fn each_page_in_slack_is_as_committed() {
    for name in NAMES {
        let message = page(&committed_page(name));
        let shown = json!({ "text": message.text, "blocks": message.blocks });
        let shown = serde_json::to_string_pretty(&shown).unwrap() + "\n";
        let path = folder("tests/pages").join(format!("{name}.slack.json"));
        if std::env::var_os(BLESS).is_some() {
            std::fs::create_dir_all(folder("tests/pages")).unwrap();
            std::fs::write(&path, &shown).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let remedy = format!("run this test with {BLESS}=1, read {name} and commit it");
        assert!(shown == committed, "{remedy}; it is now:\n{shown}");
    }
}
