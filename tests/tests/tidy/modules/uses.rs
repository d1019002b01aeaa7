//! The paths in a file: its imports, and the paths in its code.

use std::collections::BTreeMap;

use super::tokens::{Token, code};

/// Keywords that begin an item other than a module or an import.
const DECLARES: [&str; 8] = [
    "struct", "enum", "union", "trait", "impl", "fn", "const", "static",
];

/// The paths in a file.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// Its imports, by local name.
    pub(crate) imports: BTreeMap<String, Vec<String>>,
    /// Every path in it, including imports.
    pub(crate) paths: Vec<Vec<String>>,
    /// Whether it has items besides modules and imports.
    pub(crate) declares: bool,
}

/// Reads a file.
pub(crate) fn uses(text: &str) -> Uses {
    let tokens = code(text);
    let mut found = Uses::default();
    let mut at = 0;
    while at < tokens.len() {
        let Some(word) = tokens[at].word() else {
            // After `::` comes the rest of a path that began elsewhere, as in `<T as X>::y`.
            at += if tokens[at] == Token::Path { 2 } else { 1 };
            continue;
        };
        if word == "use" {
            let mut leaves = Vec::new();
            at = tree(&tokens, at + 1, &[], &mut leaves);
            for (name, path) in leaves {
                found.paths.push(path.clone());
                found.imports.insert(name, path);
            }
            continue;
        }
        found.declares |= DECLARES.contains(&word);
        let mut path = vec![word.to_owned()];
        at += 1;
        while let (Some(Token::Path), Some(Token::Word(next))) =
            (tokens.get(at), tokens.get(at + 1))
        {
            path.push(next.clone());
            at += 2;
        }
        if path.len() > 1 {
            found.paths.push(path);
        }
    }
    found
}

/// Reads one tree of a `use`, and returns where it ends.
fn tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(String, Vec<String>)>,
) -> usize {
    let mut path = prefix.to_vec();
    let mut name = None;
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Word(word) if word == "as" => {
                name = tokens.get(at + 1).and_then(Token::word).map(str::to_owned);
                at += 1;
            }
            // In braces `self` is the path before the braces.
            Token::Word(word) if word == "self" && !path.is_empty() => {}
            Token::Word(word) => path.push(word.clone()),
            Token::Path => {}
            Token::Sign('{') => {
                at += 1;
                while tokens.get(at).is_some_and(|it| *it != Token::Sign('}')) {
                    at = tree(tokens, at, &path, found);
                    at += usize::from(tokens.get(at) == Some(&Token::Sign(',')));
                }
                return at + 1;
            }
            Token::Sign('*') => path.push("*".to_owned()),
            Token::Sign(_) => break,
        }
        at += 1;
    }
    let last = path.last().cloned().unwrap_or_default();
    found.push((name.unwrap_or(last), path));
    at
}
