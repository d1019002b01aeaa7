//! What people type in Slack as plain text. Slack sends it with markup for mentions, channels and
//! links, and with `&`, `<` and `>` as entities:
//! <https://docs.slack.dev/messaging/formatting-message-text>.

use tocsin_plugin_sdk::people;

/// A message or the text of a command as people read it, with the engine's handles in place of
/// mentions. People without a handle, and markup that Slack does not document, stay unchanged, so
/// that an error message names them.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((inside, behind)) = after.split_once('>') else {
            break;
        };
        out.push_str(before);
        match readable(inside) {
            Some(text) => out.push_str(&text),
            None => out.push_str(&format!("<{inside}>")),
        }
        rest = behind;
    }
    out.push_str(rest);
    // The ampersand comes last: whoever types `&lt;` means these four characters.
    out.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// What stands between `<` and `>`; `None` if it stays as it is.
fn readable(inside: &str) -> Option<String> {
    let (target, label) = match inside.split_once('|') {
        Some((target, label)) => (target, Some(label).filter(|it| !it.is_empty())),
        None => (inside, None),
    };
    match target.chars().next()? {
        '@' => {
            let person = people::by_contact("slack", &target[1..])?;
            Some(format!("@{}", person.id))
        }
        '#' => Some(format!("#{}", label.unwrap_or(&target[1..]))),
        '!' => special(&target[1..], label),
        _ => link(target, label),
    }
}

/// `here`, `channel` and `everyone`; the name of a group and the words of a date are their labels.
fn special(target: &str, label: Option<&str>) -> Option<String> {
    match target {
        "here" | "channel" | "everyone" => Some(format!("@{target}")),
        _ => label.map(str::to_owned),
    }
}

/// An address with its label, unless the label is only how somebody typed the address.
fn link(url: &str, label: Option<&str>) -> Option<String> {
    let schemes = ["https://", "http://", "mailto:", "tel:"];
    let bare = schemes.iter().find_map(|it| url.strip_prefix(it));
    if bare.is_none() && !url.contains("://") {
        return None;
    }
    Some(match label {
        None => url.to_owned(),
        Some(label) if label == url || Some(label) == bare => label.to_owned(),
        Some(label) => format!("{label} ({url})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::testing::{FakeHost, person};

    #[test]
    fn what_slack_sends_becomes_what_people_typed() {
        let host = FakeHost::install(|request| panic!("no call to {}", request.url));
        host.add_person(&person("sam", "slack", "U2"));
        let cases = [
            ("handoff <@U2|samuel> now", "handoff @sam now"),
            ("handoff <@U2>", "handoff @sam"),
            ("handoff <@U9|eve>", "handoff <@U9|eve>"),
            ("log done a <@ b", "log done a <@ b"),
            (
                "p99 &gt; 2 s &amp;&amp; &lt;3 retries",
                "p99 > 2 s && <3 retries",
            ),
            ("&amp;lt; is an entity", "&lt; is an entity"),
            ("&lt;!channel&gt;", "<!channel>"),
            (
                "see <https://x.test/a?b=1&amp;c=2>",
                "see https://x.test/a?b=1&c=2",
            ),
            (
                "<https://x.test/a|the graph>",
                "the graph (https://x.test/a)",
            ),
            ("<https://x.test|https://x.test>", "https://x.test"),
            ("on <http://db1.test|db1.test>", "on db1.test"),
            ("page <mailto:sam@x.test|sam@x.test>", "page sam@x.test"),
            (
                "in <#C1|general> and <#C2>, <#C3|>",
                "in #general and #C2, #C3",
            ),
            (
                "<!here> <!channel> <!everyone|everyone>",
                "@here @channel @everyone",
            ),
            ("<!subteam^S1|@ops> <!subteam^S2>", "@ops <!subteam^S2>"),
            ("at <!date^1795000000^{time}|12:00>", "at 12:00"),
            ("a <b> c < d", "a <b> c < d"),
            ("<> <|x>", "<> <|x>"),
            ("", ""),
        ];
        for (sent, typed) in cases {
            assert_eq!(plain(sent), typed, "{sent}");
        }
    }
}
