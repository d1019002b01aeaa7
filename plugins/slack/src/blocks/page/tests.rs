use super::*;
use crate::blocks::section;
use tocsin_plugin_sdk::serde_json::{self, json};
use tocsin_plugin_sdk::testing;
use tocsin_plugin_sdk::types::Grade;

fn jo() -> tocsin_plugin_sdk::types::Person {
    testing::person("jo", "slack", "U1")
}

fn of_three() -> Page {
    let incidents = [42, 43, 44].map(|number| {
        let mut it = testing::incident();
        it.id = format!("inc-{number}");
        it.number = number;
        it
    });
    testing::bundle("b-1", &incidents, &jo())
}

fn value(button: &Value) -> Value {
    serde_json::from_str(button["value"].as_str().unwrap()).unwrap()
}

#[test]
fn a_page_shows_grade_title_and_facts_and_one_button_acknowledges() {
    let page = page(&testing::page("p-1", &testing::incident(), &jo()));
    for part in [
        "MAJOR",
        "#42",
        "Checkout is down",
        "*Since:* 12:00 (6 min ago)",
    ] {
        assert!(page.text.contains(part), "{part} is not in {}", page.text);
    }
    let buttons = &page.blocks[1]["elements"];
    assert_eq!(buttons[0]["action_id"], "ack");
    assert_eq!(value(&buttons[0]), json!({"page": "p-1"}));
    assert_eq!(buttons[1]["url"], "https://wiki.example/checkout");
    assert_eq!(page.blocks.len(), 2);
}

#[test]
fn a_page_about_several_has_a_button_for_each_and_one_for_all() {
    let page = page(&of_three());
    let actions: Vec<&Value> = page
        .blocks
        .iter()
        .filter(|it| it["type"] == "actions")
        .collect();
    let first = |at: usize| &actions[at]["elements"][0];
    assert_eq!(actions.len(), 4);
    assert_eq!(first(0)["text"]["text"], "Acknowledge all 3");
    assert_eq!(value(first(0)), json!({"page": "b-1"}));
    assert_eq!(first(2)["text"]["text"], "Acknowledge #43");
    assert_eq!(value(first(2)), json!({"page": "b-1", "item": "b-1/2"}));
    let mut ids: Vec<String> = actions
        .iter()
        .flat_map(|it| it["elements"].as_array().unwrap())
        .map(|it| it["action_id"].to_string())
        .collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "each button has its own id");
}

#[test]
fn a_note_replaces_the_buttons_of_one_incident_only() {
    let page = page(&of_three());
    let noted = with_note(&page.blocks, 1, "Acknowledged by jo");
    assert_eq!(noted[5], context("Acknowledged by jo"));
    for same in [1, 3, 7] {
        assert_eq!(noted[same], page.blocks[same]);
    }
}

#[test]
fn the_largest_page_stays_within_slacks_limits_and_its_row() {
    let incidents: Vec<_> = (0..505)
        .map(|number| {
            let mut it = testing::incident();
            it.number = number;
            it.grade = Grade::Critical;
            it.title = "<".repeat(9000);
            it
        })
        .collect();
    let mut bundle = testing::bundle("b-1", &incidents, &jo());
    for item in &mut bundle.items {
        item.facts[0].text = "\u{1F525}".repeat(9000);
        item.links[0].url = "https://e.com/".to_owned() + &"x".repeat(9000);
        item.links[0].title = "t".repeat(9000);
    }
    let page = page(&bundle);
    assert!(page.blocks.len() <= 50, "{}", page.blocks.len());
    assert!(page.text.chars().count() <= 40_000);
    for block in &page.blocks {
        let text = block["text"]["text"].as_str().unwrap_or_default();
        assert!(text.chars().count() <= 3000, "{block}");
        for button in block["elements"].as_array().into_iter().flatten() {
            let label = button["text"]["text"].as_str().unwrap_or_default();
            assert!(
                label.chars().count() <= 75 && button["url"].is_null(),
                "{button}"
            );
        }
    }
    assert!(Value::from(page.blocks.clone()).to_string().len() < 60_000);
    let rest = &page.blocks[page.blocks.len() - 1]["text"]["text"];
    assert_eq!(rest, "and 494 more: #11–#504");
    assert_eq!(
        page.blocks[1]["elements"][0]["text"]["text"],
        "Acknowledge all 505"
    );
}

#[test]
fn every_incident_is_named_at_least_by_its_number() {
    let incidents: Vec<_> = (0..505)
        .map(|at| {
            let mut it = testing::incident();
            it.number = 123_456 + 2 * at;
            it
        })
        .collect();
    let page = page(&testing::bundle("b-1", &incidents, &jo()));
    let texts: Vec<&str> = page
        .blocks
        .iter()
        .filter_map(|it| it["text"]["text"].as_str())
        .collect();
    assert!(texts.iter().all(|it| it.chars().count() <= 3000));
    let shown = texts.join(" ");
    for incident in incidents {
        assert!(shown.contains(&format!("#{}", incident.number)));
    }
}

#[test]
fn a_reminder_has_no_button_to_acknowledge() {
    let page = page(&testing::reminder("p-1", &jo()));
    let shown = json!(page.blocks).to_string();
    assert!(!shown.contains("Acknowledge"), "{shown}");
    assert!(!page.text.contains("Test: "), "{}", page.text);
}

#[test]
fn a_test_says_that_it_is_one() {
    let page = page(&testing::test_page("p-1", &jo()));
    assert!(page.text.starts_with("Test: "), "{}", page.text);
    let why = "This is a test of the way to you. Press the button to show that it works.";
    assert_eq!(page.blocks[0], section(why));
}
