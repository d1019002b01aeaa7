//! How Slack renders the references in a text:
//! <https://docs.slack.dev/messaging/formatting-message-text>.

use super::workspace::Workspace;

/// The text with names in place of ids, and labels in place of links and times.
pub(super) fn rendered(workspace: &Workspace, text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        shown.push_str(before);
        let Some((reference, after)) = after.split_once('>') else {
            shown.push('<');
            rest = after;
            continue;
        };
        shown.push_str(&named(workspace, reference));
        rest = after;
    }
    shown.push_str(rest);
    let characters = [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    let unescaped = |text: String, (from, to): (&str, &str)| text.replace(from, to);
    characters.into_iter().fold(shown, unescaped)
}

fn named(workspace: &Workspace, reference: &str) -> String {
    let (target, label) = match reference.split_once('|') {
        Some((target, label)) => (target, Some(label)),
        None => (reference, None),
    };
    let name = if let Some(id) = target.strip_prefix('@') {
        workspace.member(id).map(|it| format!("@{}", it.name))
    } else if let Some(id) = target.strip_prefix('#') {
        let channel = workspace.channels.iter().find(|it| it.id == id);
        channel.map(|it| format!("#{}", it.name))
    } else {
        None
    };
    name.unwrap_or_else(|| label.unwrap_or(target).to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::workspace::Member;
    use super::*;

    #[test]
    fn references_are_shown_as_people_see_them() {
        let members = vec![Member::new("U1", "Ada")];
        let workspace = Workspace::new(members, &["shop".to_owned()]);
        let shop = workspace.channels[0].id.clone();
        let cases = [
            ("<@U1> is here", "@Ada is here"),
            ("<@U2> is not", "@U2 is not"),
            (&format!("see <#{shop}>"), "see #shop"),
            ("<https://a.example|Runbook>", "Runbook"),
            ("<https://a.example>", "https://a.example"),
            (
                "since <!date^1795402720^{time}|02:58 UTC>",
                "since 02:58 UTC",
            ),
            ("1 &lt; 2 &amp;&amp; 3 < 4", "1 < 2 && 3 < 4"),
        ];
        for (text, wanted) in cases {
            assert_eq!(rendered(&workspace, text), wanted);
        }
    }
}
