//! The values that a script may look for: its own texts and numbers, and their neighbors.

use std::sync::Arc;

use parking_lot::Mutex;
use rhai::{Engine, INT, Token};

use crate::names::Names;
use crate::switches::unreserved;

/// Most texts that are tried for one read.
const TEXTS_MAX: usize = 64;
/// Most numbers that are tried for one read.
const NUMBERS_MAX: usize = 64;
/// Longest text that is tried, in bytes.
const TEXT_BYTES_MAX: usize = 256;
/// A text that no script looks for.
const UNKNOWN: &str = "other";
/// What answers have, which no alert does.
const FIELDS: [&str; 20] = [
    "key",
    "service",
    "team",
    "title",
    "wait_for",
    "within",
    "merge",
    "ignore",
    "reason",
    "grade",
    "security",
    "steps",
    "page",
    "wait",
    "engineering",
    "company",
    "public",
    "commander",
    "spokesperson",
    "shadow",
];

/// Texts and numbers worth trying, without duplicates; the most telling ones first.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    /// The empty text is not among them.
    pub(super) texts: Vec<String>,
    pub(super) numbers: Vec<INT>,
}

impl Words {
    /// Those of scripts that parse.
    pub(super) fn of<'a>(
        scripts: impl IntoIterator<Item = &'a str>,
        names: Option<&Names>,
    ) -> Self {
        let mut found = Self::default();
        for script in scripts {
            let Self { texts, numbers } = literals(script);
            texts.iter().for_each(|it| found.text(it));
            numbers.into_iter().for_each(|it| found.number(it));
        }
        let mut words = Self::default();
        words.text(UNKNOWN);
        words.number(0);
        for text in &found.texts {
            words.text(text);
            words.number(INT::try_from(text.len()).unwrap_or(0));
        }
        for number in &found.numbers {
            for near in [*number, number.saturating_sub(1), number.saturating_add(1)] {
                words.number(near);
            }
        }
        for number in &found.numbers {
            words.text(&number.to_string());
        }
        for text in &found.texts {
            // What a pattern of `matches` fits.
            words.text(&text.replace('*', "").replace('?', "x"));
        }
        for name in names
            .iter()
            .flat_map(|it| it.teams.iter().chain(&it.people))
        {
            words.text(name);
        }
        words.number(1);
        words
    }

    fn text(&mut self, text: &str) {
        let is_new = !text.is_empty() && !self.texts.iter().any(|it| it == text);
        if is_new && text.len() <= TEXT_BYTES_MAX && self.texts.len() < TEXTS_MAX {
            self.texts.push(text.to_owned());
        }
    }

    fn number(&mut self, number: INT) {
        if !self.numbers.contains(&number) && self.numbers.len() < NUMBERS_MAX {
            self.numbers.push(number);
        }
    }
}

/// The literals of a script as it writes them, except what is written for people. They are taken
/// while it is parsed, since the labels of a `switch` are hashed then.
fn literals(script: &str) -> Words {
    let found = Arc::new(Mutex::new(Words::default()));
    let mut engine = Engine::new_raw();
    let (into, before) = (Arc::clone(&found), Mutex::new(Before::default()));
    #[allow(
        deprecated,
        reason = "it is volatile, not deprecated; the version is pinned"
    )]
    engine.on_parse_token(move |token, _, _| {
        let token = unreserved(token);
        let mut before = before.lock();
        match &token {
            Token::StringConstant(text) if !before.is_for_people() => into.lock().text(text),
            Token::IntegerConstant(number) => into.lock().number(*number),
            // A key of a map, which a text may select.
            Token::Colon if !FIELDS.contains(&before.word.as_str()) => {
                into.lock().text(&before.word);
            }
            _ => {}
        }
        before.pass(&token);
        token
    });
    engine.set_max_expr_depths(0, 0);
    // It was parsed before; a fault here would only mean that fewer values are tried.
    drop(engine.compile(script));
    found.lock().clone()
}

/// The last tokens.
#[derive(Default)]
struct Before {
    word: String,
    is_for_people: bool,
}

impl Before {
    /// Whether a text that follows is a reason, a title or a message.
    fn is_for_people(&self) -> bool {
        self.is_for_people
    }

    fn pass(&mut self, token: &Token) {
        self.is_for_people = match token {
            Token::Colon => matches!(self.word.as_str(), "reason" | "title"),
            Token::LeftParen => matches!(self.word.as_str(), "print" | "debug"),
            Token::Throw => true,
            _ => false,
        };
        match token {
            Token::Identifier(word) => word.as_str().clone_into(&mut self.word),
            _ => self.word.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn the_texts_and_numbers_of_a_script_are_tried_and_what_is_for_people_is_not() {
        let script = "const A = [\"one\"];\nfn f(x) { switch x { \"two\" | 5 => 1, _ => 2 } \
             if x.matches(\"thr*\") { throw \"oops\"; } #{ reason: \"why\", key: \"k\" } }";
        let words = Words::of([script], None);
        let has = |text: &str| words.texts.iter().any(|it| it == text);
        for text in ["one", "two", "thr", "k", "other", "5"] {
            assert!(has(text), "{text}: {:?}", words.texts);
        }
        for text in ["why", "oops", ""] {
            assert!(!has(text), "{text}: {:?}", words.texts);
        }
        for number in [0, 1, 2, 4, 5, 6] {
            assert!(words.numbers.contains(&number), "{:?}", words.numbers);
        }
    }
}
