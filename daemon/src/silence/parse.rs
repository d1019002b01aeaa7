//! Parses the text form of matchers, as used by `amtool` and the `filter=` of Alertmanager's API.
//!
//! Alertmanager has two dialects and prefers the older one, the classic dialect: a plain name, an
//! operator, and the rest as value, quoted or not. Only a name other than
//! `[a-zA-Z_:][a-zA-Z0-9_:]*` uses the newer one, with Go's escapes in quotes. Source:
//! Alertmanager's documentation of UTF-8 matchers ("fallback mode").

use super::MATCHERS_MAX;
use super::matcher::{MatchOp, Matcher, MatcherError};

/// Longest text of a query's matchers, in bytes.
const TEXT_BYTES_MAX: usize = 64 * 1_024;
/// What a bare word of the newer dialect must not contain, besides whitespace.
const RESERVED: &str = "{}!=~,\\\"'`";

/// Parses one matcher: `severity="critical"`, `instance=~db-.+`, `"foo bar"!=baz`.
///
/// # Errors
/// When the text is not a matcher, or its pattern does not compile.
pub fn parse_matcher(text: &str) -> Result<Matcher, MatcherSyntaxError> {
    let fault = |reason| MatcherSyntaxError::Syntax {
        text: shown(text),
        reason,
    };
    let body = text.trim();
    if body.len() > TEXT_BYTES_MAX {
        return Err(fault("it is too long"));
    }
    let (name, rest) = name(body).map_err(fault)?;
    let (op, rest) = operator(rest.trim_start())
        .ok_or_else(|| fault("the label's name must be followed by =, !=, =~ or !~"))?;
    let rest = rest.trim();
    let value = if is_classic_name(&name) && !body.starts_with('"') {
        classic_value(rest)
    } else {
        new_value(rest)
    };
    Ok(Matcher::new(name, op, value.map_err(fault)?)?)
}

/// Parses a list of matchers: `{a="b", c=~"d"}`, with or without braces.
///
/// # Errors
/// When one of them is not a matcher, or there are more than [`MATCHERS_MAX`].
pub fn parse_matchers(text: &str) -> Result<Vec<Matcher>, MatcherSyntaxError> {
    let fault = |reason| MatcherSyntaxError::Syntax {
        text: shown(text),
        reason,
    };
    if text.len() > TEXT_BYTES_MAX {
        return Err(fault("it is too long"));
    }
    let inner = match (text.trim().strip_prefix('{'), text.trim().strip_suffix('}')) {
        (Some(open), Some(_)) => open
            .strip_suffix('}')
            .ok_or_else(|| fault("a brace is not closed"))?,
        (None, None) => text.trim(),
        _ => return Err(fault("the braces do not match")),
    };
    let parts = split_outside_quotes(inner);
    if parts.len() > MATCHERS_MAX {
        return Err(MatcherSyntaxError::TooMany(parts.len()));
    }
    parts.into_iter().map(parse_matcher).collect()
}

/// Whether this name needs no quotes in the classic dialect.
pub(super) fn is_classic_name(name: &str) -> bool {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':');
    first
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

fn name(text: &str) -> Result<(String, &str), &'static str> {
    if text.starts_with('"') {
        let end = closing_quote(text).ok_or("a quote is not closed")?;
        let (quoted, rest) = text.split_at(end + 1);
        return Ok((go_unquote(quoted)?, rest));
    }
    let end = bare_end(text);
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        Err("it does not start with a label's name")
    } else {
        Ok((name.into(), rest))
    }
}

fn bare_end(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || RESERVED.contains(c))
        .unwrap_or(text.len())
}

fn operator(text: &str) -> Option<(MatchOp, &str)> {
    // The longer operators first: `=~` starts with `=`.
    [
        MatchOp::Matches,
        MatchOp::NotMatches,
        MatchOp::NotEqual,
        MatchOp::Equal,
    ]
    .into_iter()
    .find_map(|op| text.strip_prefix(op.as_str()).map(|rest| (op, rest)))
}

/// Everything up to the end; `\n`, `\"` and `\\` are escapes, and any other backslash is literal.
fn classic_value(text: &str) -> Result<String, &'static str> {
    const UNESCAPED: &str = "its value contains a double quote without a backslash";
    let (text, quoted) = match text.strip_prefix('"') {
        Some(rest) => (closed(rest).ok_or(UNESCAPED)?, true),
        None => (text, false),
    };
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Err(UNESCAPED),
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(c @ ('"' | '\\')) => value.push(c),
                Some(other) => value.extend(['\\', other]),
                None if quoted => return Err(UNESCAPED),
                None => value.push('\\'),
            },
            c => value.push(c),
        }
    }
    Ok(value)
}

/// The text before its last character, if that is a quote.
fn closed(text: &str) -> Option<&str> {
    text.strip_suffix('"')
}

fn new_value(text: &str) -> Result<String, &'static str> {
    if text.starts_with('"') {
        return match closing_quote(text) {
            Some(end) if end + 1 == text.len() => go_unquote(text),
            Some(_) => Err("something follows its value"),
            None => Err("a quote is not closed"),
        };
    }
    if text.is_empty() {
        return Err("its value is missing; write \"\" for an empty value");
    }
    if bare_end(text) < text.len() {
        return Err("its value needs double quotes");
    }
    Ok(text.to_owned())
}

/// The position of the quote that closes the text's first character, a quote.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })
}

/// Parses a string in double quotes as Go's `strconv.Unquote` does.
fn go_unquote(text: &str) -> Result<String, &'static str> {
    const FAULT: &str = "a backslash in quotes is not a valid Go escape";
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .ok_or(FAULT)?;
    // Bytes, because `\xff` is a byte; only the result must be UTF-8.
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == '\n' {
            return Err("there is a line break in quotes; write \\n");
        }
        if c != '\\' {
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        rest = escape(rest, &mut bytes).ok_or(FAULT)?;
    }
    String::from_utf8(bytes).map_err(|_| "the quoted text is not UTF-8")
}

/// Parses the escape after a backslash; returns the rest of the text.
fn escape<'a>(text: &'a str, bytes: &mut Vec<u8>) -> Option<&'a str> {
    let kind = text.chars().next()?;
    let simple = match kind {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' | '"' => kind as u8,
        _ => return numeric_escape(kind, text, bytes),
    };
    bytes.push(simple);
    text.get(1..)
}

fn numeric_escape<'a>(kind: char, text: &'a str, bytes: &mut Vec<u8>) -> Option<&'a str> {
    let (start, digits, radix) = match kind {
        'x' => (1, 2, 16),
        'u' => (1, 4, 16),
        'U' => (1, 8, 16),
        '0'..='7' => (0, 3, 8),
        _ => return None,
    };
    let written = text.get(start..start + digits)?;
    if !written.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let number = u32::from_str_radix(written, radix).ok()?;
    if matches!(kind, 'u' | 'U') {
        bytes.extend(char::from_u32(number)?.encode_utf8(&mut [0; 4]).bytes());
    } else {
        bytes.push(u8::try_from(number).ok()?);
    }
    text.get(start + digits..)
}

fn split_outside_quotes(text: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(|c: char| {
        let splits = c == ',' && !quoted;
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        splits
    });
    parts.filter(|part| !part.trim().is_empty()).collect()
}

/// Most characters of a faulty text in an error message.
const SHOWN_CHARS_MAX: usize = 160;

/// The beginning of untrusted text, for an error message.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Why text is not a matcher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatcherSyntaxError {
    /// The syntax is not valid.
    #[error("bad matcher format: `{text}`: {reason}")]
    Syntax {
        /// The beginning of the text.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The syntax is valid, but the matcher is not.
    #[error(transparent)]
    Matcher(#[from] MatcherError),
    /// There are too many matchers.
    #[error("there are {0} matchers; the limit is {MATCHERS_MAX}")]
    TooMany(usize),
}
