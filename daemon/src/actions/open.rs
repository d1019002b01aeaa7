//! `open`: opens an incident by hand. It acts on no existing incident, so it is not in the list
//! of verbs.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_core::{Draft, IncidentKey, TeamId};
use tocsin_store::CommandKey;
use utoipa::ToSchema;

use super::authorize::authorize;
use super::grade::grades;
use super::{Caller, NotDone};
use crate::api::Outcome;
use crate::runtime::Intake;

/// How `open` is written in chat.
pub(crate) const SYNTAX: &str = "TITLE [service=NAME] [team=ID] [grade=GRADE] [security]";

/// An incident to open by hand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewIncident {
    /// What is wrong, in one line.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: String,
    /// More details.
    #[serde(default)]
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) summary: String,
    /// The affected service.
    #[serde(default)]
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) service: String,
    /// The team that owns it.
    #[serde(default)]
    #[arg(long, value_name = "ID")]
    pub(crate) team: Option<String>,
    /// How bad it is. By default, the policy decides.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "major")]
    #[arg(long, value_parser = grades())]
    pub(crate) grade: Option<tocsin_core::Grade>,
    /// Whether only people with clearance may see it.
    #[serde(default)]
    #[arg(long)]
    pub(crate) security: bool,
    /// Whether it is a drill.
    #[serde(default)]
    #[arg(skip)]
    pub(crate) drill: bool,
}

/// Opens an incident if the caller may; `teams` are those of the configuration. Under a `same_as`,
/// an incident that is already open is the answer. A repeat with the same `key` gets the first
/// answer and opens nothing.
///
/// # Errors
/// [`NotDone`] when the caller may not, a field is not valid, or the engine refuses.
pub(crate) async fn open<T>(
    intake: &Arc<Intake>,
    teams: &BTreeMap<TeamId, T>,
    caller: Caller,
    new: NewIncident,
    same_as: Option<IncidentKey>,
    key: Option<CommandKey>,
) -> Result<Outcome, NotDone> {
    authorize(&caller)?;
    let draft = new.into_draft(teams, same_as).map_err(NotDone::Invalid)?;
    Ok(intake.open(draft, caller.by, key).await?.into())
}

impl NewIncident {
    /// Parses what follows `open` in chat: the title, and at the end, in any order, the service,
    /// the team, the grade and `security`.
    ///
    /// # Errors
    /// What is wrong with it, and what to type instead.
    pub(crate) fn parse(rest: &str) -> Result<Self, String> {
        let mut new = Self::default();
        let mut title: Vec<&str> = rest.split_whitespace().collect();
        while let Some(word) = title.last() {
            match word.split_once('=') {
                Some(("service", service)) => service.clone_into(&mut new.service),
                Some(("team", team)) => new.team = Some(team.to_owned()),
                Some(("grade", grade)) => {
                    let grade = grade.parse::<tocsin_core::Grade>();
                    new.grade = Some(grade.map_err(|error| error.to_string())?);
                }
                Some(("security", "yes" | "true")) => new.security = true,
                Some((name, _)) => {
                    return Err(format!(
                        "there is no `{name}=`; at the end of the title write service=, team=, \
                         grade= or `security`"
                    ));
                }
                None if is_security(word) => new.security = true,
                None => break,
            }
            title.pop();
        }
        // Whoever writes it means it, and a public title cannot be taken back.
        if title.first().is_some_and(|it| is_security(it)) && !new.security {
            return Err("write `security` as the last word, after the title".to_owned());
        }
        new.title = title.join(" ");
        match new.title.is_empty() {
            true => Err(format!(
                "write `open {SYNTAX}`, such as `open Payments fail service=checkout`"
            )),
            false => Ok(new),
        }
    }

    fn into_draft<T>(
        self,
        teams: &BTreeMap<TeamId, T>,
        key: Option<IncidentKey>,
    ) -> Result<Draft, String> {
        let team = self.team.filter(|it| !it.is_empty()).map(TeamId);
        if let Some(team) = team.as_ref().filter(|it| !teams.contains_key(*it)) {
            return Err(format!("there is no team `{team}` in the configuration"));
        }
        if self.service.len() > NAME_BYTES_MAX {
            return Err(format!(
                "a service's name can have at most {NAME_BYTES_MAX} bytes"
            ));
        }
        let key = key.filter(|it| !it.as_str().is_empty());
        if key.as_ref().is_some_and(tocsin_core::drill::is_key) {
            return Err("keys that begin with `drill/` are those of drills".to_owned());
        }
        let is_long = |it: &IncidentKey| it.as_str().len() > NAME_BYTES_MAX;
        if key.as_ref().is_some_and(is_long) {
            return Err(format!(
                "an incident's key can have at most {NAME_BYTES_MAX} bytes"
            ));
        }
        Ok(Draft {
            title: self.title,
            summary: self.summary,
            service: self.service,
            team,
            key,
            grade: self.grade,
            security: self.security,
            drill: self.drill,
        })
    }
}

fn is_security(word: &str) -> bool {
    let word = word.trim_matches(|it: char| it.is_ascii_punctuation());
    word.eq_ignore_ascii_case("security")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_with_what_is_known_of_the_incident() {
        let new = NewIncident::parse("Orders  are lost service=shop grade=major security").unwrap();
        let wanted = NewIncident {
            title: "Orders are lost".to_owned(),
            service: "shop".to_owned(),
            grade: Some(tocsin_core::Grade::Major),
            security: true,
            ..NewIncident::default()
        };
        assert_eq!(new, wanted);
        let title = NewIncident::parse("A security hole in a=b is open").unwrap();
        assert_eq!(
            (title.title.as_str(), title.security),
            ("A security hole in a=b is open", false)
        );
    }

    #[test]
    fn however_security_is_spelled_the_incident_is_secret() {
        for end in [
            "security",
            "SECURITY",
            "Security.",
            "(security)",
            "security=yes",
        ] {
            let new = NewIncident::parse(&format!("A token is public {end}")).unwrap();
            assert!(
                new.security && new.title == "A token is public",
                "{end}: {new:?}"
            );
        }
        let first = NewIncident::parse("security: a token is public").unwrap_err();
        assert!(first.contains("as the last word"), "{first}");
    }

    #[test]
    fn a_faulty_line_says_what_to_type() {
        let why = |line| NewIncident::parse(line).map(|_| ()).unwrap_err();
        assert!(
            why("service=shop").starts_with("write `open TITLE"),
            "{}",
            why("service=shop")
        );
        assert!(
            why("Down grade=bad").contains("minor, major or critical"),
            "{}",
            why("x grade=bad")
        );
    }
}
