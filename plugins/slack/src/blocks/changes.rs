//! Changes, such as deployments, that may have caused an incident.

use super::{Message, button, section};
use crate::text;
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::types::Incident;

/// Prefix of the action id of a button that confirms or clears a change.
pub(crate) const JUDGE: &str = "judge:";

/// Longest title of a change, in characters.
const TITLE_CHARS_MAX: usize = 150;

/// The changes that nobody has cleared, of which the daemon names the newest.
pub(super) fn listed(extra: &Value, opened_at: u64) -> Option<String> {
    let newest = extra["changes"]["newest"].as_array();
    let newest = newest.filter(|it| !it.is_empty())?;
    let mut lines = vec!["*Changes:*".to_string()];
    lines.extend(newest.iter().map(|it| line(it, opened_at)));
    let count = extra["changes"]["count"].as_u64().unwrap_or_default();
    let more = count.saturating_sub(newest.len() as u64);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Some(lines.join("\n"))
}

/// The changes that may have caused an incident, with buttons that say whether they did; without
/// those that were known `before`. None if no other change is suspected.
pub(crate) fn suspects(incident: &Incident, before: Option<&Incident>) -> Option<Message> {
    let extra: Value = serde_json::from_str(&incident.extra).unwrap_or_default();
    let newest = extra["changes"]["newest"].as_array()?;
    let known = before.map_or(0, last_number);
    let suspects = newest.iter().filter(|it| it["status"] == "suspected");
    let suspects = suspects.filter(|it| it["number"].as_u64() > Some(known));
    let (mut lines, mut blocks) = (Vec::new(), Vec::new());
    for it in suspects {
        let line = format!(
            ":package: This may have caused it: change {}",
            line(it, incident.opened_at).trim_start_matches("• ")
        );
        let button = |verb: &str, label: &str, style| {
            let number = &it["number"];
            let value = json!({"incident": incident.id, "line": format!("{verb} {number}")});
            let id = format!("{JUDGE}{verb}:{number}");
            button(&id, label, &value.to_string(), style)
        };
        let buttons = [
            button("confirm", "It did", Some("danger")),
            button("clear", "It did not", None),
        ];
        blocks.push(section(&line));
        blocks.push(json!({"type": "actions", "elements": buttons}));
        lines.push(line);
    }
    (!lines.is_empty()).then(|| Message {
        text: lines.join("\n"),
        blocks,
    })
}

/// The highest number of the changes that are named.
fn last_number(incident: &Incident) -> u64 {
    let extra: Value = serde_json::from_str(&incident.extra).unwrap_or_default();
    let newest = extra["changes"]["newest"].as_array();
    let numbers = newest
        .into_iter()
        .flatten()
        .filter_map(|it| it["number"].as_u64());
    numbers.max().unwrap_or_default()
}

/// "• 1 Deploy 2.4 · suspected, 13 min before".
fn line(change: &Value, opened_at: u64) -> String {
    let title = text::one_line(change["title"].as_str().unwrap_or_default());
    let title = text::escape(&text::cut(&title, TITLE_CHARS_MAX));
    let link = text::link(&change["link"], "details");
    let link = link.map(|it| format!(" ({it})")).unwrap_or_default();
    let at = change["at"].as_u64().unwrap_or_default();
    let when = match at <= opened_at {
        true => format!("{} before", text::span(opened_at - at)),
        false => format!("{} after it opened", text::span(at - opened_at)),
    };
    let status = match change["status"].as_str() {
        Some("made") | None => String::new(),
        Some(status) => format!("{}, ", text::escape(status)),
    };
    format!("• {} {title}{link} · {status}{when}", change["number"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::testing::incident;

    fn with_changes() -> Incident {
        let mut it = incident();
        let change = |number: u64, status: &str, before: i64| {
            json!({
                "number": number, "status": status, "title": "Deploy <2.4>",
                "link": "https://ci.example/1",
                "at": it.opened_at.checked_add_signed(-before * 60_000),
            })
        };
        let newest = [
            change(2, "made", -3),
            change(1, "suspected", 13),
            change(3, "confirmed", 60),
        ];
        it.extra = json!({"changes": {"count": 5, "newest": newest}}).to_string();
        it
    }

    #[test]
    fn changes_are_listed_with_what_is_known_of_them() {
        let it = with_changes();
        let extra = serde_json::from_str(&it.extra).unwrap();
        let link = "(<https://ci.example/1|details>)";
        let lines = [
            "*Changes:*".to_owned(),
            format!("• 2 Deploy &lt;2.4&gt; {link} · 3 min after it opened"),
            format!("• 1 Deploy &lt;2.4&gt; {link} · suspected, 13 min before"),
            format!("• 3 Deploy &lt;2.4&gt; {link} · confirmed, 1 h before"),
            "and 2 more".to_owned(),
        ];
        assert_eq!(listed(&extra, it.opened_at).unwrap(), lines.join("\n"));
        assert_eq!(listed(&json!({}), it.opened_at), None);
    }

    #[test]
    fn a_suspect_has_a_button_that_confirms_it_and_one_that_clears_it() {
        let message = suspects(&with_changes(), None).unwrap();
        let said = ":package: This may have caused it: change 1 Deploy";
        assert!(message.text.starts_with(said), "{}", message.text);
        let buttons = message.blocks[1]["elements"].as_array().unwrap();
        let value = |it: &Value| it["value"].as_str().unwrap().to_string();
        let values: Vec<_> = buttons.iter().map(value).collect();
        assert!(values[0].contains("\"confirm 1\""), "{values:?}");
        assert!(values[1].contains("\"clear 1\""), "{values:?}");
        assert_eq!(suspects(&incident(), None), None);
        assert_eq!(suspects(&with_changes(), Some(&with_changes())), None);
        let later = suspects(&with_changes(), Some(&incident()));
        assert_eq!(later, Some(message), "it was reported late");
    }
}
