//! What GitLab does with a text that is written.

use super::GitLab;

/// Quick actions that change an issue. GitLab has more of them.
const QUICK_ACTIONS: [&str; 12] = [
    "assign",
    "close",
    "confidential",
    "due",
    "duplicate",
    "label",
    "lock",
    "move",
    "promote_to",
    "reopen",
    "title",
    "unlabel",
];

impl GitLab {
    /// Carries out the quick actions in a description or a note, and returns the text without them.
    /// Those that close and reopen change the issue; the others are only noted.
    pub(super) fn take(&mut self, text: &str, is_closed: &mut bool) -> String {
        let mut kept = Vec::new();
        let mut is_code = false;
        let text = text.replace('\r', "");
        for line in text.split('\n') {
            is_code ^= line.starts_with("```");
            let word = line.strip_prefix('/').and_then(|it| it.split(' ').next());
            let word = word.unwrap_or_default().to_lowercase();
            if is_code || !QUICK_ACTIONS.contains(&word.as_str()) {
                kept.push(line);
                continue;
            }
            match word.as_str() {
                "close" => *is_closed = true,
                "reopen" => *is_closed = false,
                _ => {}
            }
            self.quick_actions.push(word);
        }
        let kept = kept.join("\n");
        self.note_mentions(&kept);
        kept
    }

    /// Remembers them, as GitLab would send them mail.
    pub(super) fn note_mentions(&mut self, text: &str) {
        let is_word = |it: char| it.is_alphanumeric() || it == '_';
        for (at, _) in text.match_indices('@') {
            let before = text[..at].chars().next_back();
            let name: String = text[at + 1..]
                .chars()
                .take_while(|it| is_word(*it))
                .collect();
            let is_plain = before.is_none_or(|it| !is_word(it) && it != '\\' && it != '`');
            if is_plain && !name.is_empty() {
                self.mentioned.push(name);
            }
        }
    }
}

/// A text as GitLab's search sees it: PostgreSQL's parser leaves comments out.
pub(super) fn searchable(text: &str) -> String {
    let mut rest = text;
    let mut seen = String::new();
    while let Some((before, comment)) = rest.split_once("<!--") {
        seen.push_str(before);
        rest = comment.split_once("-->").map_or("", |(_, after)| after);
    }
    seen.push_str(rest);
    seen.to_lowercase()
}
