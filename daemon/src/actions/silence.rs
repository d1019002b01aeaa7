//! Silences that people set: on the command line, in chat, through Alertmanager's API.

use tocsin_core::{Labels, Timestamp};

use super::verb::{split, split_at_word};
use crate::config::Span;
use crate::runtime::{SilenceError, Silences, Writer};
use crate::silence::{Matcher, PostableSilence, SilenceCreated, WireMatcher, parse_matcher};
use crate::time::format_time;

/// How `silence` is written in chat.
pub(crate) const SYNTAX: &str = "LABEL=VALUE … for TIME [because TEXT] | list | end LABEL=VALUE …";

/// What follows `silence` in chat.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SilenceLine {
    Set(NewSilence),
    List,
    /// End those with exactly these matchers.
    End(Vec<Matcher>),
}

impl SilenceLine {
    /// Parses what follows `silence` in chat.
    ///
    /// # Errors
    /// What is wrong with it, and what to type instead.
    pub(crate) fn parse(rest: &str) -> Result<Self, String> {
        match split(rest) {
            ("list", "") => Ok(Self::List),
            ("end", "") => Err("write `silence end LABEL=VALUE …` as it was set; \
                 `silence list` shows them"
                .to_owned()),
            ("end", matchers) => {
                let read = |it| parse_matcher(it).map_err(|error| error.to_string());
                let matchers: Result<_, _> = matchers.split_whitespace().map(read).collect();
                matchers.map(Self::End)
            }
            _ => NewSilence::parse(rest).map(Self::Set),
        }
    }
}

/// A silence that begins now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewSilence {
    pub(crate) matchers: Vec<WireMatcher>,
    pub(crate) lasts: Span,
    pub(crate) comment: String,
}

impl NewSilence {
    /// Parses what follows `silence` in chat. A matcher ends at the next space.
    ///
    /// # Errors
    /// What is wrong with it, and what to type instead.
    pub(crate) fn parse(rest: &str) -> Result<Self, String> {
        let usage = || format!("write `silence {SYNTAX}`, such as `silence service=shop for 2h`");
        let (rest, comment) = split_at_word(rest, "because").unwrap_or((rest, ""));
        let (matchers, lasts) = split_at_word(rest, "for").ok_or_else(usage)?;
        let lasts = lasts.trim();
        let lasts: Span = lasts
            .parse()
            .map_err(|_| format!("`{lasts}` is no time; write it as 30m, 2h or 1d"))?;
        let matchers: Vec<&str> = matchers.split_whitespace().collect();
        if matchers.is_empty() {
            return Err(usage());
        }
        let comment = match comment.trim() {
            "" => "set in chat",
            comment => comment,
        };
        Ok(Self {
            matchers: parsed_matchers(&matchers)?,
            lasts,
            comment: comment.to_owned(),
        })
    }

    /// As Alertmanager's API takes it.
    pub(crate) fn postable(self, by: String, now: Timestamp) -> PostableSilence {
        PostableSilence {
            id: None,
            matchers: self.matchers,
            starts_at: format_time(now),
            ends_at: format_time(now.plus_ms(self.lasts.as_ms())),
            created_by: by,
            comment: self.comment,
            annotations: Labels::new(),
        }
    }
}

/// Reads matchers such as `service=shop`.
///
/// # Errors
/// Which one is wrong, and why.
pub(crate) fn parsed_matchers(matchers: &[impl AsRef<str>]) -> Result<Vec<WireMatcher>, String> {
    let read = |text: &str| parse_matcher(text).map(WireMatcher::from);
    let matchers: Result<Vec<_>, _> = matchers.iter().map(|it| read(it.as_ref())).collect();
    matchers.map_err(|error| error.to_string())
}

/// Sets a silence, and says what speaks against it.
///
/// # Errors
/// [`SilenceError`] when it is not valid, names an unknown one, or cannot be stored.
pub(crate) async fn set_silence(
    silences: &Silences,
    posted: PostableSilence,
    now: Timestamp,
    writer: &Writer,
) -> Result<SilenceCreated, SilenceError> {
    let new_id = uuid::Uuid::now_v7().to_string();
    let silence_id = silences.set(posted, &new_id, now, writer).await?;
    let all = silences.all();
    let set = all.iter().find(|it| it.id == silence_id);
    let warnings = set.map(|it| it.dangers()).unwrap_or_default();
    for warning in &warnings {
        tracing::warn!(id = silence_id, "a silence may hide too much: {warning}");
    }
    Ok(SilenceCreated {
        silence_id,
        warnings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_in_chat_has_matchers_a_time_and_a_reason() {
        let set = NewSilence::parse("service=shop host=~web-.* for 2h because we deploy").unwrap();
        assert_eq!(
            set.matchers,
            parsed_matchers(&["service=shop", "host=~web-.*"]).unwrap()
        );
        assert_eq!(
            (set.lasts, set.comment.as_str()),
            (Span::from_s(7_200), "we deploy")
        );
        let plain = NewSilence::parse("service=shop for 30m").unwrap();
        assert_eq!(plain.comment, "set in chat");
    }

    #[test]
    fn silences_are_listed_and_ended_in_chat() {
        assert_eq!(SilenceLine::parse("list"), Ok(SilenceLine::List));
        let end = SilenceLine::parse("end service=shop host=~web-.*");
        let matchers = ["service=shop", "host=~web-.*"].map(|it| parse_matcher(it).unwrap());
        assert_eq!(end, Ok(SilenceLine::End(matchers.to_vec())));
        let why = SilenceLine::parse("end").unwrap_err();
        assert!(why.contains("`silence list` shows them"), "{why}");
    }

    #[test]
    fn a_faulty_silence_says_what_to_type() {
        let cases = [
            ("", "write `silence LABEL=VALUE"),
            ("service=shop", "write `silence LABEL=VALUE"),
            ("for 2h", "write `silence LABEL=VALUE"),
            (
                "service=shop for ever",
                "`ever` is no time; write it as 30m",
            ),
            ("service for 2h", "must be followed by ="),
        ];
        for (line, wanted) in cases {
            let why = NewSilence::parse(line).map(|_| ()).unwrap_err();
            assert!(why.contains(wanted), "{line}: {why}");
        }
    }
}
