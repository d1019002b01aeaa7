//! The first message in a war room, which is pinned and kept current: what the incident is, who
//! does what, what was promised, and what is left to do.

use super::{Message, changes, context, help, section};
use crate::help::responders;
use crate::text;
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::{Audience, Incident, Status, Timestamp};

/// Longest summary of an alert, in characters: the message is for looking at it again.
const SUMMARY_CHARS_MAX: usize = 1_500;
/// Longest list of services, and longest task, in characters.
const SERVICES_CHARS_MAX: usize = 300;
const TASK_CHARS_MAX: usize = 150;

/// What people look up again and again, as one message.
pub(crate) fn summary(incident: &Incident) -> Message {
    let extra: Value = serde_json::from_str(&incident.extra).unwrap_or_default();
    let headline = text::headline(incident);
    let why = text::grade_reason(incident)
        .map(|it| format!("\nGrade: {it}"))
        .unwrap_or_default();
    let summary = text::escape(&text::cut(&incident.summary, SUMMARY_CHARS_MAX));
    let body = format!("{headline}{why}\n{summary}");
    let mut blocks = vec![section(body.trim_end())];
    blocks.push(section(&facts(incident, &extra).join("\n")));
    let changes = changes::listed(&extra, incident.opened_at);
    blocks.extend(changes.as_deref().map(section));
    blocks.extend(tasks(&extra["tasks"]).as_deref().map(section));
    blocks.extend(about(incident, &extra).as_deref().map(context));
    Message {
        text: headline,
        blocks,
    }
}

fn facts(incident: &Incident, extra: &Value) -> Vec<String> {
    let mut facts = vec![format!("*Status:* {}", status(incident))];
    facts.push(match &incident.operator {
        Some(person) => format!("*Operator:* {}", text::mention(person)),
        None => "*Operator:* nobody yet; whoever acknowledges first is the operator".into(),
    });
    let speaker = incident.spokesperson.as_ref().map(text::mention);
    facts.extend(speaker.map(|it| format!("*Spokesperson:* {it}")));
    for (role, shown) in [("commander", "Commander"), ("shadow", "Shadow")] {
        let name = extra["roles"][role]["name"].as_str();
        facts.extend(name.map(|it| format!("*{shown}:* {}", text::escape(it))));
    }
    let helping = help::names(&responders(incident));
    facts.extend(helping.map(|it| format!("*Helping:* {it}")));
    let promises = incident.next_updates.iter();
    let promises: Vec<String> = promises
        .map(|it| format!("{} by {}", audience(it.audience), text::moment(it.due)))
        .collect();
    if !promises.is_empty() {
        facts.push(format!("*Next update:* {}", promises.join(", ")));
    }
    let count = |name: &str| extra["alerts"][name].as_u64();
    if let (Some(total @ 1..), Some(firing)) = (count("total"), count("firing")) {
        facts.push(format!("*Alerts:* {firing} of {total} firing"));
    }
    facts
}

fn status(incident: &Incident) -> String {
    let since = |at: Option<Timestamp>| match at {
        Some(at) => format!(" since {}", text::moment(at)),
        None => String::new(),
    };
    let opened = format!("opened {}", text::moment(incident.opened_at));
    let status = incident.status.as_str();
    match incident.status {
        Status::Open => format!("open since {}", text::moment(incident.opened_at)),
        Status::Mitigated => format!("{status}{}, {opened}", since(incident.mitigated_at)),
        Status::Resolved | Status::Closed => {
            let until = since(incident.resolved_at);
            format!("{status}{until}, {opened}")
        }
    }
}

/// The open tasks, of which the daemon names some.
fn tasks(tasks: &Value) -> Option<String> {
    let open = tasks["open"].as_array().filter(|it| !it.is_empty())?;
    let mut lines = vec!["*Tasks:*".to_string()];
    lines.extend(open.iter().map(|it| {
        let what = it["text"].as_str().unwrap_or_default();
        let what = text::escape(&text::cut(&text::one_line(what), TASK_CHARS_MAX));
        let owner = it["owner"].as_str().map(text::escape);
        let owner = owner.unwrap_or_else(|| "nobody does it yet".into());
        format!("• {} {what} · {owner}", it["number"])
    }));
    let count = tasks["count"].as_u64().unwrap_or_default();
    let more = count.saturating_sub(open.len() as u64);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Some(lines.join("\n"))
}

/// Services and links. Not the incident's own address, which is the API's: a phone has no token for
/// it.
fn about(incident: &Incident, extra: &Value) -> Option<String> {
    let mut facts = Vec::new();
    if !incident.services.is_empty() {
        let services = text::cut(&incident.services.join(", "), SERVICES_CHARS_MAX);
        facts.push(format!("Services: {}", text::escape(&services)));
    }
    facts.extend(text::link(&extra["link"], "Alert"));
    let links = extra["links"].as_array().into_iter().flatten();
    facts.extend(links.filter_map(|it| {
        let title = it["title"].as_str().filter(|it| !it.trim().is_empty())?;
        text::link(&it["url"], title)
    }));
    (!facts.is_empty()).then(|| facts.join(" · "))
}

fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::WarRoom => "war room",
        Audience::Engineering => "engineering",
        Audience::Company => "company",
        Audience::Public => "public",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::serde_json::json;
    use tocsin_plugin_sdk::testing::{self, person};
    use tocsin_plugin_sdk::types::Promise;

    fn shown(incident: &Incident) -> String {
        let blocks = summary(incident).blocks;
        let text = |it: &Value| {
            let own = it["text"]["text"].as_str();
            let own = own.or(it["elements"][0]["text"].as_str());
            own.unwrap_or_default().to_string()
        };
        blocks.iter().map(text).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn it_says_who_does_what_what_was_promised_and_what_is_left_to_do() {
        let mut it = testing::incident();
        it.operator = Some(person("Jo", "slack", "U1"));
        it.spokesperson = Some(person("Sam", "email", "sam@example.com"));
        it.next_updates = vec![Promise {
            audience: Audience::Company,
            due: 1_767_357_000_000,
        }];
        let open: Vec<Value> = (1..=10)
            .map(|it| json!({"number": it, "text": "restart & wait", "owner": "Bob"}))
            .collect();
        it.extra = json!({
            "alerts": {"total": 12, "firing": 3},
            "roles": {"commander": {"id": "cyd", "name": "Cyd"}},
            "responders": [{"id": "dan", "name": "Dan"}],
            "tasks": {"count": 11, "open": open},
            "link": "https://e.com/graph",
            "links": [{"title": "Run|book", "url": "https://e.com/runbook"}],
        })
        .to_string();
        let shown = shown(&it);
        for part in [
            "Major incident #42: Checkout is down",
            "*Status:* open since <!date^1767355200^",
            "*Operator:* <@U1>\n*Spokesperson:* Sam\n*Commander:* Cyd\n*Helping:* Dan",
            "*Next update:* company by <!date^1767357000^",
            "*Alerts:* 3 of 12 firing",
            "• 1 restart &amp; wait · Bob",
            "and 1 more",
            "Services: checkout · <https://e.com/graph|Alert> · <https://e.com/runbook|Run book>",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn it_links_to_the_alert_and_not_to_the_api() {
        let mut it = testing::incident();
        let cases = [
            ("https://e.com/graph?a=1", true),
            ("javascript:alert(1)", false),
            ("https://e.com/|<!channel>", false),
        ];
        for (link, is_shown) in cases {
            it.extra = json!({"link": link}).to_string();
            let shown = shown(&it);
            assert_eq!(shown.contains("|Alert>"), is_shown, "{shown}");
            assert!(!shown.contains("tocsin.example"), "{shown}");
        }
    }

    #[test]
    fn nothing_is_too_long_for_a_block() {
        let mut it = testing::incident();
        it.title = "<".repeat(500);
        it.summary = "<".repeat(5_000);
        let task = json!({"number": 1, "text": "&".repeat(300), "owner": "&".repeat(300)});
        let open = vec![task; 10];
        it.extra = json!({"tasks": {"count": 10, "open": open}}).to_string();
        for block in summary(&it).blocks {
            let text = block["text"]["text"].as_str().unwrap_or_default();
            assert!(text.chars().count() <= 3_000, "{}", text.chars().count());
        }
    }
}
