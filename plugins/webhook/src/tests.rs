//! Tests the plugin, and each recipe against a stand-in that refuses what the service refuses.

mod settings_checked;
mod snapshots;

use crate::template::{self, Escape};
use crate::{EVENTS, Webhook as ThePlugin};
use std::cell::RefCell;
use std::rc::Rc;
use tocsin_plugin_sdk::Plugin;
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::testing::{FakeHost, bundle, event, incident, page, person, prompt};
use tocsin_plugin_sdk::types::{EventBody, Failure, Grade, Incident, Outcome, Page};
use tocsin_standins::chat::{Chat, Kind, SECRET};
use tocsin_standins::{Asked, install};

const MANIFEST: &str = include_str!("../plugin.toml");
/// Each recipe with its service, an address, and where in the message the text and the link are.
const RECIPES: [(&str, Kind, &str, [&str; 2]); 5] = [
    (
        include_str!("../recipes/gotify.toml"),
        Kind::Gotify,
        "any",
        ["/message", "/extras/client::notification/click/url"],
    ),
    (
        include_str!("../recipes/telegram.toml"),
        Kind::Telegram,
        "123456789",
        ["/text", "/reply_markup/inline_keyboard/0/0/url"],
    ),
    (
        include_str!("../recipes/mattermost.toml"),
        Kind::Mattermost,
        "@ada",
        ["/text", "/text"],
    ),
    (
        include_str!("../recipes/discord.toml"),
        Kind::Discord,
        "290926798626357999",
        ["/embeds/0/description", "/embeds/0/url"],
    ),
    (
        include_str!("../recipes/sms.toml"),
        Kind::Sms,
        "+15551234567",
        ["/textMessage/text", "/textMessage/text"],
    ),
];

/// The recipe's settings, with the manifest's defaults.
fn settings(recipe: &str) -> Value {
    let manifest: toml::Table = toml::from_str(MANIFEST).unwrap();
    let recipe: toml::Table = toml::from_str(recipe).unwrap();
    let set = recipe["plugins"]["webhook"]["settings"].as_table().unwrap();
    let mut settings = json!({});
    for setting in manifest["config"].as_array().unwrap() {
        let key = setting["key"].as_str().unwrap();
        if let Some(value) = set.get(key).or(setting.get("default")) {
            settings[key] = serde_json::to_value(value).unwrap();
        }
    }
    let unknown = set.keys().find(|it| settings.get(it).is_none());
    assert_eq!(unknown, None, "a setting that the manifest does not have");
    settings
}

fn start(kind: Kind, settings: &Value) -> (FakeHost, Rc<RefCell<Chat>>) {
    let (host, chat) = install(Chat::new(kind), |right, asked: &mut Asked| match right {
        "bearer" => asked.set_header("authorization", &format!("Bearer {SECRET}")),
        "path" => asked.path = asked.path.replace(":secret", SECRET),
        "basic" => asked.set_basic(&format!("sms:{SECRET}")),
        right => assert_eq!(right, "none"),
    });
    for (key, value) in settings.as_object().unwrap() {
        let text = value.as_str().map_or_else(|| value.to_string(), Into::into);
        host.set_config(key, &text);
    }
    (host, chat)
}

fn deliver(host: &FakeHost, page: &Page) -> Result<Outcome, Failure> {
    let delivery = host.begin("d");
    ThePlugin::on_event(event("e", EventBody::Page(page.clone())), &delivery)
}

/// Pages with everything that a service may stumble over.
fn pages(address: &str) -> Vec<Page> {
    let ada = person("ada", "webhook", address);
    let mut odd = page("p-1", &incident(), &ada);
    odd.summary = "\"quoted\" \\ {{ title }} <b>&amp;</b> \u{1F525}\nsecond line".into();
    odd.items[0].facts[0].text = "it's \"down\"".into();
    let mut bare = page("p-2", &incident(), &ada);
    bare.items[0].facts.clear();
    bare.items[0].links.clear();
    bare.test = true;
    let mut without_link = page("p-3", &incident(), &ada);
    without_link.ack_url = None;
    without_link.items[0].ack_url = None;
    let critical = Incident {
        grade: Grade::Critical,
        ..incident()
    };
    let mut long = bundle("p-4", &vec![critical; 40], &ada);
    long.summary = "x".repeat(5000);
    for item in &mut long.items {
        item.facts[0].text = "\u{1F525}\u{1F525} ".repeat(2000);
    }
    vec![
        page("p-0", &incident(), &ada),
        odd,
        bare,
        without_link,
        long,
    ]
}

#[test]
fn every_recipe_is_valid_and_the_service_takes_what_it_sends() {
    for (recipe, kind, address, [text, link]) in RECIPES {
        let settings = settings(recipe);
        let (host, chat) = start(kind, &settings);
        assert_eq!(ThePlugin::check_config(&settings), [], "{kind:?}");
        for page in pages(address) {
            assert_eq!(
                deliver(&host.clone(), &page),
                Ok(Outcome::Done),
                "{kind:?} {}",
                page.id
            );
            let sent = chat.borrow().messages.last().unwrap().clone();
            let at = |place: &str| {
                sent.pointer(place)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let everything = sent.to_string();
            assert!(
                everything.contains(&page.summary[..1]),
                "{kind:?}: {everything}"
            );
            if page.id == "p-0" {
                assert!(
                    at(text).contains("Since: 12:00") || kind == Kind::Sms,
                    "{everything}"
                );
                assert!(
                    everything.contains("MAJOR checkout: Checkout is down"),
                    "{everything}"
                );
            }
            if page.id != "p-3" {
                let want = format!("https://tocsin.example/ack/{}", page.id);
                assert!(at(link).contains(&want), "{kind:?}: {everything}");
            }
            // Each page is a delivery of its own.
            tocsin_plugin_sdk::http::forget("send");
        }
        assert_eq!(chat.borrow().messages.len(), 5, "{kind:?}");
    }
}

#[test]
fn the_recipes_of_the_guide_are_those_that_are_tested() {
    let guide = include_str!("../../../docs/guides/waking-people.md");
    for (recipe, kind, ..) in RECIPES {
        assert!(guide.contains(recipe), "{kind:?}");
    }
}

#[test]
fn a_page_is_sent_once_and_one_with_unknown_outcome_goes_to_the_next_contact() {
    let (recipe, kind, address, _) = RECIPES[0];
    let (host, chat) = start(kind, &settings(recipe));
    let page = &pages(address)[0];
    for _ in 0..2 {
        deliver(&host, page).unwrap();
    }
    assert_eq!(chat.borrow().messages.len(), 1);

    let (host, chat) = start(kind, &settings(recipe));
    host.lose_answer("/message");
    assert!(matches!(deliver(&host, page), Err(Failure::Retry(_))));
    assert!(matches!(deliver(&host, page), Err(Failure::Permanent(_))));
    assert_eq!(chat.borrow().messages.len(), 1);
}

#[test]
fn a_status_and_a_success_field_decide() {
    let (recipe, kind, address, _) = RECIPES[1];
    let page = &pages(address)[0];
    for (status, want) in [(401, "misconfigured"), (400, "permanent"), (500, "retry")] {
        let (host, chat) = start(kind, &settings(recipe));
        chat.borrow_mut().fault = Some(status);
        let got = match deliver(&host, page).unwrap_err() {
            Failure::Misconfigured(_) => "misconfigured",
            Failure::Permanent(_) => "permanent",
            Failure::Retry(_) => "retry",
        };
        assert_eq!(got, want, "{status}");
    }
    // 200 without `"ok": true`, and then it may be sent again.
    let (host, chat) = start(kind, &settings(recipe));
    chat.borrow_mut().fault = Some(200);
    let Err(Failure::Permanent(why)) = deliver(&host, page) else {
        panic!()
    };
    assert!(
        why.contains("`ok` of the response is not true: a fault"),
        "{why}"
    );
    chat.borrow_mut().fault = None;
    assert_eq!(deliver(&host, page), Ok(Outcome::Done));
    assert_eq!(chat.borrow().messages.len(), 1);
}

#[test]
fn values_are_escaped_for_their_place() {
    let values = json!({"text": "a \"b\" & c/d\n", "none": null, "number": 3});
    let cases = [
        (
            Escape::Json,
            "{\"t\": {{ text }}, \"n\": {{ none }}}",
            "{\"t\": \"a \\\"b\\\" & c/d\\n\", \"n\": null}",
        ),
        (
            Escape::Form,
            "t={{ text }}&n={{ none }}&m={{ number }}",
            "t=a+%22b%22+%26+c%2Fd%0A&n=&m=3",
        ),
        (
            Escape::Url,
            "/to/{{ text }}",
            "/to/a%20%22b%22%20%26%20c%2Fd%0A",
        ),
        (Escape::Nothing, "{{ text | one_line }}!", "a \"b\" & c/d!"),
        (Escape::Nothing, "{{ text | cut(4) }}", "a \"…"),
    ];
    for (escape, template, want) in cases {
        assert_eq!(
            template::render(template, &values, escape).as_deref(),
            Ok(want)
        );
    }
    assert_eq!(
        template::header(" {{ text }}", &values).as_deref(),
        Ok("a \"b\" & c/d")
    );
    for wrong in [
        "{{ title }}",
        "{% if %}",
        "{{ text | frobnicate }}",
        "{{ text",
    ] {
        for escape in [Escape::Json, Escape::Url] {
            assert!(
                template::render(wrong, &values, escape).is_err(),
                "{wrong} {escape:?}"
            );
        }
    }
}

#[test]
fn the_content_type_says_how_values_are_escaped() {
    let cases = [
        ("Application/JSON; charset=utf-8", "\"<a> & \\\"b\\\"\""),
        ("text/xml; charset=utf-8", "&lt;a&gt; &amp; &quot;b&quot;"),
        ("application/soap+xml", "&lt;a&gt; &amp; &quot;b&quot;"),
        ("text/plain", "<a> & \"b\""),
    ];
    for (kind, want) in cases {
        let (host, chat) = start(Kind::Gotify, &settings(RECIPES[0].0));
        host.set_config("content-type", kind);
        host.set_config("body", "{{ title }}");
        chat.borrow_mut().fault = Some(200);
        let mut page = pages("x")[0].clone();
        page.summary = "<a> & \"b\"".into();
        deliver(&host, &page).unwrap();
        let body = host.requests()[0].body.clone().unwrap();
        let body = String::from_utf8(body).unwrap();
        let body = body.replace("\\u003c", "<").replace("\\u003e", ">");
        assert_eq!(body.replace("\\u0026", "&"), want, "{kind}");
    }
}

#[test]
fn the_url_and_the_headers_are_templates_too() {
    let (host, chat) = start(Kind::Gotify, &settings(RECIPES[0].0));
    host.set_config(
        "url",
        "https://sms.example/send?to={{ address }}&text={{ title }}",
    );
    host.set_config("method", "GET");
    host.set_config(
        "headers",
        "[\"X-Grade: {{ grade }}\", \"X-Title: {{ body }}\"]",
    );
    chat.borrow_mut().fault = Some(200);
    let mut page = pages("+1555")[0].clone();
    page.summary = "a & b".into();
    page.items[0].facts[0].text = "12:00 (6 min ago), Zürich…".into();
    deliver(&host, &page).unwrap();
    let request = host.requests()[0].clone();
    assert_eq!(
        request.url,
        "https://sms.example/send?to=%2B1555&text=a%20%26%20b"
    );
    assert_eq!(request.body, None);
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|it| format!("{}: {}", it.name, it.value))
        .collect();
    // The host refuses others than ASCII.
    let title = "X-Title: Since: 12:00 (6 min ago), Z?rich? Runbook: https://wiki.example/checkout \
                 Incident: #42";
    assert_eq!(headers, ["X-Grade: major", title]);
}

#[test]
fn the_manifest_subscribes_to_the_events_that_are_handled() {
    tocsin_plugin_sdk::testing::assert_manifest(MANIFEST, &EVENTS, env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_recipe_asks_a_question_with_its_answers_and_not_loudly() {
    for (recipe, kind, address, [text, link]) in RECIPES {
        let (host, chat) = start(kind, &settings(recipe));
        let critical = Incident {
            grade: Grade::Critical,
            ..incident()
        };
        let asked = prompt("m", &[critical], &person("ada", "webhook", address));
        let delivery = host.begin("d");
        let body = EventBody::Prompt(asked);
        let done = ThePlugin::on_event(event("d", body), &delivery);
        assert_eq!(done, Ok(Outcome::Done), "{kind:?}");
        let sent = chat.borrow().messages.last().unwrap().clone();
        let at = |place: &str| {
            let found = sent.pointer(place).and_then(Value::as_str);
            found.unwrap_or_default().to_string()
        };
        let everything = sent.to_string();
        assert!(
            everything.contains("Are you still on it? CRITICAL"),
            "{everything}"
        );
        assert!(everything.contains("Still on it"), "{everything}");
        assert!(!everything.contains("Acknowledge"), "{everything}");
        assert!(
            at(link).contains("https://tocsin.example/ack/m-yes"),
            "{everything}"
        );
        let says = at(text);
        let has_both = says.contains("Page somebody else: https://tocsin.example/ack/m-no");
        assert!(has_both || kind == Kind::Sms, "{everything}");
        match kind {
            Kind::Gotify => assert_eq!(sent["priority"], 3),
            Kind::Mattermost => assert_eq!(sent["priority"]["priority"], "important"),
            Kind::Telegram => assert_eq!(sent["disable_notification"], false),
            _ => {}
        }
    }
}
