//! How much people had to do, and how unequally that is shared.

use std::fmt;

use serde::{Deserialize, Serialize};
use tocsin_core::{PersonId, TeamId, Timestamp};
use utoipa::{IntoParams, ToSchema};

use crate::config::Span;
use crate::people::{LOAD_WINDOW_MS, Load, Roster, Top, Window, gini, top};
use crate::time::format_time;

/// Most people that a text for chat names.
const LINES_MAX: usize = 40;

/// Whose load to show, and of which time.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoadQuery {
    /// Only the members of this team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<String>,
    /// How far back, such as 7d; at most 366d. Default 28d.
    #[schema(value_type = Option<String>)]
    #[param(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Span>,
    /// A token, for programs that cannot send headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

/// What people had to do in some time, and how unequally that is shared.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LoadReport {
    pub(crate) from: String,
    /// The end, exclusive: now.
    pub(crate) until: String,
    /// The team whose members these are; null: everybody in the configuration.
    pub(crate) team: Option<String>,
    /// Who had the most to do first, with those who had nothing.
    pub(crate) people: Vec<LoadLine>,
    pub(crate) concentration: Concentration,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LoadLine {
    pub(crate) person: String,
    pub(crate) name: String,
    /// One number for comparisons: the minutes in both roles, 15 for each page, and 45 more for
    /// each at night.
    pub(crate) load: u64,
    /// In which they had a role.
    pub(crate) incidents: u64,
    /// How often they were paged; what went out together counts once.
    pub(crate) pages: u64,
    /// How many of the pages came from 22:00 to 06:00 where the person is.
    pub(crate) night_pages: u64,
    pub(crate) operator_minutes: u64,
    pub(crate) spokesperson_minutes: u64,
}

/// How unequally the load is shared.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Concentration {
    /// The Gini coefficient of `load`, rounded to two digits: 0 if all have the same, (n - 1) / n
    /// if one of n has everything.
    pub(crate) gini: f64,
    /// Who had the most; null if nobody had anything.
    pub(crate) top: Option<TopLine>,
    /// Who was paged most often at night; null if nobody was.
    pub(crate) top_at_night: Option<TopLine>,
    /// The same in one sentence.
    pub(crate) says: String,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TopLine {
    pub(crate) person: String,
    /// Their part of all, rounded to two digits.
    pub(crate) share: f64,
}

impl LoadQuery {
    /// Of whom the load is asked.
    ///
    /// # Errors
    /// When the team does not exist.
    pub(crate) fn people(&self, roster: &Roster) -> Result<Vec<PersonId>, String> {
        match &self.team {
            None => Ok(roster.people.keys().cloned().collect()),
            Some(team) if roster.teams.contains_key(team.as_str()) => {
                Ok(roster.members(&TeamId::from(team.as_str())))
            }
            Some(team) => Err(roster.no_team(team)),
        }
    }

    /// Of which time it is asked.
    pub(crate) fn window(&self, now: Timestamp) -> Window {
        let since_ms = self.since.map_or(LOAD_WINDOW_MS, Span::as_ms);
        (now.minus_ms(since_ms), now)
    }
}

impl LoadReport {
    /// The load of the people who were asked about.
    pub(crate) fn of(
        query: &LoadQuery,
        roster: &Roster,
        (from, until): Window,
        loads: Vec<(PersonId, Load)>,
    ) -> Self {
        let lines = loads.into_iter();
        let lines = lines.map(|(person, load)| LoadLine::of(roster, &person, load));
        let mut people: Vec<LoadLine> = lines.collect();
        people.sort_by(|a, b| (b.load, &a.person).cmp(&(a.load, &b.person)));
        Self {
            from: format_time(from),
            until: format_time(until),
            team: query.team.clone(),
            concentration: Concentration::of(&people),
            people,
        }
    }
}

impl LoadLine {
    fn of(roster: &Roster, person: &PersonId, load: Load) -> Self {
        Self {
            name: roster.name(person),
            person: person.to_string(),
            load: load.minutes(),
            incidents: load.incidents,
            pages: load.pages,
            night_pages: load.night_pages,
            operator_minutes: load.operator_minutes(),
            spokesperson_minutes: load.spokesperson_minutes(),
        }
    }
}

impl Concentration {
    fn of(lines: &[LoadLine]) -> Self {
        let all = |of: fn(&LoadLine) -> u64| lines.iter().map(of).collect::<Vec<_>>();
        let (load, night) = (all(|it| it.load), all(|it| it.night_pages));
        let (most, at_night, gini) = (top(&load), top(&night), gini(&load));
        let line = |it: Top| TopLine {
            person: lines[it.place].person.clone(),
            share: rounded(it.share),
        };
        Self {
            says: says(lines, most, at_night, gini),
            gini: rounded(gini),
            top: most.map(line),
            top_at_night: at_night.map(line),
        }
    }
}

/// "Ada had 61 % of the load and 75 % of the night pages; Gini 0.52."
fn says(lines: &[LoadLine], most: Option<Top>, at_night: Option<Top>, gini: f64) -> String {
    let Some(most) = most else {
        return "Nobody had anything to do.".to_owned();
    };
    let percent = |it: Top| format!("{:.0} %", it.share * 100.0);
    let name = |it: Top| &lines[it.place].name;
    let night = match at_night {
        None => String::new(),
        Some(it) if it.place == most.place => format!(" and {} of the night pages", percent(it)),
        Some(it) => format!(", {} {} of the night pages", name(it), percent(it)),
    };
    let (who, share) = (name(most), percent(most));
    format!("{who} had {share} of the load{night}; Gini {gini:.2}.")
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// One line per person who had something to do, and the concentration, for chat.
impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let busy = self.people.iter().filter(|it| it.load > 0);
        for line in busy.take(LINES_MAX) {
            let LoadLine {
                name,
                load,
                incidents,
                pages,
                night_pages,
                operator_minutes,
                spokesperson_minutes,
                ..
            } = line;
            writeln!(
                f,
                "{name}: load {load}; incidents {incidents}, pages {pages} ({night_pages} at \
                 night), operator {operator_minutes} min, spokesperson {spokesperson_minutes} min"
            )?;
        }
        f.write_str(&self.concentration.says)
    }
}

#[cfg(test)]
mod tests {
    use tocsin_core::time::MINUTE_MS;

    use super::*;

    fn report(loads: [Load; 3]) -> LoadReport {
        let people = ["ada", "bob", "cyd"].map(PersonId::from);
        let loads = people.into_iter().zip(loads).collect();
        let window = (Timestamp(0), Timestamp(1));
        LoadReport::of(&LoadQuery::default(), &Roster::default(), window, loads)
    }

    fn load(operator_minutes: u64, pages: u64, night_pages: u64) -> Load {
        Load {
            pages,
            night_pages,
            operator_ms: operator_minutes * MINUTE_MS,
            ..Load::default()
        }
    }

    #[test]
    fn one_sentence_says_who_had_the_most_and_who_was_paged_at_night() {
        let says = |loads| report(loads).concentration.says;
        assert_eq!(
            says([load(0, 3, 3), load(700, 1, 1), Load::default()]),
            "bob had 81 % of the load, ada 75 % of the night pages; Gini 0.54."
        );
        assert_eq!(
            says([load(0, 4, 4), Load::default(), load(80, 0, 0)]),
            "ada had 75 % of the load and 100 % of the night pages; Gini 0.50."
        );
        assert_eq!(
            says([load(60, 0, 0), load(60, 0, 0), load(60, 0, 0)]),
            "ada had 33 % of the load; Gini 0.00."
        );
    }

    #[test]
    fn in_chat_whoever_had_nothing_to_do_is_left_out() {
        let text = report([load(0, 0, 0), load(80, 4, 1), load(10, 0, 0)]).to_string();
        assert_eq!(
            text,
            "bob: load 185; incidents 0, pages 4 (1 at night), operator 80 min, spokesperson 0 \
             min\ncyd: load 10; incidents 0, pages 0 (0 at night), operator 10 min, spokesperson \
             0 min\nbob had 95 % of the load and 100 % of the night pages; Gini 0.63."
        );
    }
}
