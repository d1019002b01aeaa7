//! A minimal Rust tokenizer for finding paths, without comments, strings and tests.

/// One token. Numbers, strings and lifetimes are skipped, since paths have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// An identifier or keyword.
    Word(String),
    Path,
    /// Any other character.
    Sign(char),
}

impl Token {
    /// The identifier, if it is one.
    pub(crate) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// The tokens of a file, without the items under `#[cfg(test)]`.
pub(crate) fn code(text: &str) -> Vec<Token> {
    without_tests(&tokens(text))
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        let next = chars.get(at + 1).copied().unwrap_or_default();
        at = match first {
            '/' if next == '/' => ends(&chars, at, '\n'),
            '/' if next == '*' => comment(&chars, at),
            '"' => text_end(&chars, at),
            'r' if matches!(next, '"' | '#') => raw_end(&chars, at).unwrap_or(at + 1),
            '\'' => quote_end(&chars, at),
            ':' if next == ':' => {
                found.push(Token::Path);
                at + 2
            }
            it if it.is_alphanumeric() || it == '_' => {
                let rest = chars[at..].iter();
                let word: String = rest
                    .take_while(|it| it.is_alphanumeric() || **it == '_')
                    .collect();
                let end = at + word.chars().count();
                found.push(Token::Word(word));
                end
            }
            it => {
                if !it.is_whitespace() {
                    found.push(Token::Sign(it));
                }
                at + 1
            }
        };
    }
    found
}

/// The index after the next `last` from `at` on.
fn ends(chars: &[char], at: usize, last: char) -> usize {
    let length = chars[at..].iter().position(|it| *it == last);
    length.map_or(chars.len(), |it| at + it + 1)
}

fn comment(chars: &[char], at: usize) -> usize {
    let close = chars[at + 2..].windows(2).position(|it| it == ['*', '/']);
    close.map_or(chars.len(), |it| at + it + 4)
}

fn text_end(chars: &[char], at: usize) -> usize {
    let mut at = at + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The end of a raw string; `None` if this is only a name that begins with `r`.
fn raw_end(chars: &[char], at: usize) -> Option<usize> {
    let marks = chars[at + 1..].iter().take_while(|it| **it == '#').count();
    let body = at + marks + 2;
    if chars.get(body - 1) != Some(&'"') {
        return None;
    }
    let closes = |it: &usize| {
        let rest = &chars[*it..];
        rest.first() == Some(&'"') && rest[1..].iter().take(marks).all(|it| *it == '#')
    };
    Some(
        (body..chars.len())
            .find(closes)
            .map_or(chars.len(), |it| it + marks + 1),
    )
}

/// The index after a character literal or, for a lifetime, after its quote.
fn quote_end(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => ends(chars, at + 3, '\''),
        (_, Some('\'')) => at + 3,
        _ => at + 1,
    }
}

fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let attribute = (tokens[at] == Token::Sign('#')).then(|| closing(tokens, at + 1));
        match attribute {
            Some(end) if is_for_tests(&tokens[at..end]) => at = item_end(tokens, end),
            _ => {
                kept.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    kept
}

fn is_for_tests(attribute: &[Token]) -> bool {
    let has = |word: &str| attribute.iter().any(|it| it.word() == Some(word));
    attribute.get(2).and_then(Token::word) == Some("cfg") && has("test") && !has("not")
}

/// The index after the bracket that closes the one at `at`.
fn closing(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// The index after the item that begins at `at`, including its other attributes.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at] {
            Token::Sign(';') => return at + 1,
            Token::Sign('{') => return closing(tokens, at),
            Token::Sign('(' | '[') => at = closing(tokens, at),
            _ => at += 1,
        }
    }
    at
}
