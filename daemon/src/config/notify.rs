//! Ladders: `notify = { critical = [["slack", "ntfy"], "2m", ["phone"]] }`, by which kinds of
//! contacts a person is paged, and how long each rung waits for an acknowledgement.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tocsin_core::limits::{LADDER_RUNGS_MAX, RUNG_WAIT_MS, RUNG_WAIT_MS_MAX, RUNG_WAIT_MS_MIN};
use tocsin_core::{Grade, Ladder, LadderRung, Ladders};

use super::text::Span;

/// A `notify` table: a ladder for each grade. Of a person, or of everybody in `[escalation]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct NotifyConfig {
    /// For grades without a ladder of their own. Without it too: every contact in order, each with
    /// a wait of 2 min.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<LadderConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minor: Option<LadderConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub major: Option<LadderConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical: Option<LadderConfig>,
}

/// A list of rungs, each a list of kinds of contacts that are tried at the same time, with waits of
/// 10 s to 1 h between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LadderConfig(pub Ladder);

/// An item of the list.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Item {
    Rung(Vec<String>),
    Wait(String),
}

/// What an item must be.
const SHAPE: &str = "write rungs with waits between them, such as \
                     [[\"slack\", \"ntfy\"], \"2m\", [\"phone\"]]";

impl NotifyConfig {
    /// The ladders, with those of `others` where this table has none.
    #[must_use]
    pub fn ladders(&self, others: &Self) -> Ladders {
        let own = |it: &Option<LadderConfig>| it.as_ref().map(|it| it.0.clone());
        let of = |grade: Grade| {
            let ladder = own(self.of(grade)).or_else(|| own(&self.default));
            Some((grade, ladder.or_else(|| own(others.of(grade)))?))
        };
        Ladders {
            by_grade: Grade::ALL.into_iter().filter_map(of).collect(),
            other: own(&self.default).or_else(|| own(&others.default)),
        }
    }

    /// The kinds of contacts that its ladders name, each once.
    pub fn kinds(&self) -> BTreeSet<&str> {
        let all = [&self.default, &self.minor, &self.major, &self.critical];
        let rungs = all.into_iter().flatten().flat_map(|it| &it.0.0);
        let kinds = rungs.flat_map(|it| &it.kinds);
        kinds.map(String::as_str).collect()
    }

    fn of(&self, grade: Grade) -> &Option<LadderConfig> {
        match grade {
            Grade::Minor => &self.minor,
            Grade::Major => &self.major,
            Grade::Critical => &self.critical,
        }
    }
}

impl LadderConfig {
    fn read(items: Vec<Item>) -> Result<Self, String> {
        let mut rungs: Vec<LadderRung> = Vec::new();
        let mut may_wait = false;
        for item in items {
            match item {
                Item::Rung(kinds) if kinds.is_empty() => {
                    return Err(format!("a rung names no kind of contact; {SHAPE}"));
                }
                Item::Rung(kinds) => {
                    let wait_ms = RUNG_WAIT_MS;
                    rungs.push(LadderRung { kinds, wait_ms });
                    may_wait = true;
                }
                Item::Wait(text) => {
                    let wait: Span = text.parse().map_err(|it| format!("{it}; {SHAPE}"))?;
                    let wait_ms = wait.as_ms();
                    if !(RUNG_WAIT_MS_MIN..=RUNG_WAIT_MS_MAX).contains(&wait_ms) {
                        return Err(format!("a rung waits {wait}; choose \"10s\" to \"1h\""));
                    }
                    match rungs.last_mut().filter(|_| may_wait) {
                        Some(rung) => rung.wait_ms = wait_ms,
                        None => return Err(format!("the wait {text} follows no rung; {SHAPE}")),
                    }
                    may_wait = false;
                }
            }
        }
        match rungs.len() {
            0 => Err(format!("the ladder has no rung; {SHAPE}")),
            count if count > LADDER_RUNGS_MAX => Err(format!(
                "the ladder has {count} rungs; keep at most {LADDER_RUNGS_MAX}"
            )),
            _ => Ok(Self(Ladder(rungs))),
        }
    }
}

impl<'de> Deserialize<'de> for LadderConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wrong = |_| serde::de::Error::custom(format!("this is not a ladder; {SHAPE}"));
        let value = toml::Value::deserialize(from)?;
        let items = Vec::<Item>::deserialize(value).map_err(wrong)?;
        Self::read(items).map_err(serde::de::Error::custom)
    }
}

impl Serialize for LadderConfig {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        let items = |rung: &LadderRung| {
            let wait = Span::from_s(rung.wait_ms / 1_000).to_string();
            [Item::Rung(rung.kinds.clone()), Item::Wait(wait)]
        };
        into.collect_seq(self.0.0.iter().flat_map(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NotifyConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_ladder_is_rungs_of_kinds_with_waits_between_them() {
        let text = "critical = [[\"slack\", \"ntfy\"], \"90s\", [\"phone\"], [\"email\"], \"5m\"]";
        let config = read(text).unwrap();
        let ladder = &config.ladders(&NotifyConfig::default()).by_grade[&Grade::Critical];
        let rungs: Vec<_> = ladder
            .0
            .iter()
            .map(|it| (it.kinds.join("+"), it.wait_ms))
            .collect();
        let expected = [
            ("slack+ntfy", 90_000),
            ("phone", RUNG_WAIT_MS),
            ("email", 300_000),
        ];
        let expected = expected.map(|(kinds, wait_ms)| (kinds.to_owned(), wait_ms));
        assert_eq!(rungs, expected);
        let printed = toml::to_string(&config).unwrap();
        assert_eq!(read(&printed).unwrap(), config, "{printed}");
    }

    #[test]
    fn a_persons_ladder_takes_precedence_over_that_of_everybody_grade_by_grade() {
        let own = read("default = [[\"slack\"]]\nminor = [[\"email\"]]").unwrap();
        let all = read("critical = [[\"phone\"]]\ndefault = [[\"sms\"]]").unwrap();
        let first = |ladders: &Ladders, grade| ladders.of(grade).unwrap().0[0].kinds[0].clone();
        let ladders = own.ladders(&all);
        assert_eq!(first(&ladders, Grade::Minor), "email");
        assert_eq!(first(&ladders, Grade::Critical), "slack");
        let ladders = NotifyConfig::default().ladders(&all);
        assert_eq!(first(&ladders, Grade::Minor), "sms");
        assert_eq!(first(&ladders, Grade::Critical), "phone");
    }

    #[test]
    fn a_list_that_is_no_ladder_is_refused_with_the_remedy() {
        for (text, fault) in [
            ("default = []", "the ladder has no rung"),
            ("default = [[]]", "a rung names no kind of contact"),
            ("default = [\"2m\", [\"a\"]]", "the wait 2m follows no rung"),
            (
                "default = [[\"a\"], \"2m\", \"2m\"]",
                "the wait 2m follows no rung",
            ),
            ("default = [[\"a\"], \"soon\"]", "`soon` is not a duration"),
            (
                "default = [[\"a\"], \"2h\"]",
                "a rung waits 2h; choose \"10s\" to \"1h\"",
            ),
            ("default = [\"slack\"]", "`slack` is not a duration"),
            ("default = [1]", "this is not a ladder"),
            (
                "default = [[\"a\"], [\"b\"], [\"c\"], [\"d\"], [\"e\"], [\"f\"], [\"g\"], \
                 [\"h\"], [\"i\"]]",
                "the ladder has 9 rungs; keep at most 8",
            ),
            ("sometimes = [[\"a\"]]", "unknown field `sometimes`"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(fault), "{text}: {error}");
        }
    }
}
