use serde_json::to_string_pretty;
use tocsin_core::PluginId;
use tocsin_plugin_host::wit;

use super::*;
use crate::disclosure::{Clearance, PluginReceiver};
use crate::sample_pages::{SamplePage, matches_file, people, sample_pages, sample_questions};

fn as_plugins_get_it(sample: SamplePage) -> wit::EventBody {
    let (people, plugin) = (people(), PluginId::from("chat"));
    let receiver = PluginReceiver {
        plugin: &plugin,
        clearance: Clearance::Security,
        people: &people,
        base_url: "https://tocsin.example",
    };
    let (id, zone) = ("page-1".to_owned(), sample.zone.parse().unwrap());
    receiver.message(id, (&"ada".into(), None), zone, sample.content)
}

/// The question as plugins get it. The tests of the plugins read these files.
#[test]
fn each_question_for_plugins_is_as_committed() {
    for sample in sample_questions() {
        let name = sample.name;
        let wit::EventBody::Prompt(prompt) = as_plugins_get_it(sample) else {
            panic!("{name}");
        };
        let json = to_string_pretty(&prompt).unwrap();
        matches_file(&format!("{name}.prompt.json"), &(json + "\n"));
    }
}

/// The page as plugins get it. The tests of the plugins read these files.
#[test]
fn each_page_for_plugins_is_as_committed() {
    for sample in sample_pages() {
        let name = sample.name;
        let wit::EventBody::Page(page) = as_plugins_get_it(sample) else {
            panic!("{name}");
        };
        let json = to_string_pretty(&page).unwrap();
        matches_file(&format!("{name}.page.json"), &(json + "\n"));
    }
}

#[test]
fn the_worst_come_first_and_of_those_the_oldest_and_every_one_is_named() {
    for sample in sample_pages()
        .into_iter()
        .filter(|it| it.name == "bundle-300")
    {
        let content = sample.content;
        assert_eq!(
            (content.items.len(), content.others.len()),
            (PAGE_ITEMS_MAX, 295)
        );
        let items = content
            .items
            .iter()
            .map(|it| (it.seen.line.grade, it.seen.line.number));
        let others = content.others.iter().map(|it| (it.grade, it.number));
        let all: Vec<_> = items.chain(others).collect();
        assert!(all.is_sorted_by_key(|(grade, number)| (std::cmp::Reverse(*grade), *number)));
        let mut numbers: Vec<_> = all.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (100..400).collect::<Vec<_>>());
        let worst = "CRITICAL service-1: no target answers and 299 more";
        assert_eq!(content.summary, worst);
    }
}

#[test]
fn a_page_without_clearance_has_only_number_grade_status_and_times() {
    for sample in sample_pages()
        .into_iter()
        .filter(|it| it.name == "redacted")
    {
        let item = &sample.content.items[0];
        let names: Vec<_> = item.facts.iter().map(|it| it.name).collect();
        assert_eq!(names, ["Since", "Status", "Hidden"]);
        assert_eq!(item.links, []);
        let shown = format!("{:?}", sample.content);
        for secret in [
            "checkout",
            "payments",
            "leaked",
            "Bob",
            "Deploy",
            "example/deploys",
        ] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}

#[test]
fn texts_are_on_one_line_and_have_a_limit() {
    for sample in sample_pages() {
        for item in &sample.content.items {
            let facts = item.facts.iter().map(|it| &it.text);
            let links = item.links.iter().flat_map(|it| [&it.title, &it.url]);
            for text in facts.chain(links).chain([&item.headline]) {
                assert!(!text.contains(['\n', '\r', '\0', '\u{202e}']), "{text}");
                assert!(text.len() <= 2_000, "{text}");
            }
        }
    }
}
