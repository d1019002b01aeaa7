//! What is open when somebody else is on call from now on.

use std::cmp::Reverse;

use tocsin_core::limits::SHIFT_INCIDENTS_MAX;
use tocsin_core::{Incident, IncidentId, PageTarget};

use super::Intake;
use crate::people::{HandoverAhead, Roster};

impl Intake {
    /// The active incidents that whoever takes over should know, the worst first, at most
    /// [`SHIFT_INCIDENTS_MAX`]: those of a team whose rotation it is, those whose plan pages the
    /// rotation, and those that whoever was on call before operates. No drills.
    pub(crate) fn open_at(&self, handover: &HandoverAhead, roster: &Roster) -> Vec<IncidentId> {
        let all = self.view.in_memory();
        open_of(all.iter().map(|it| it.incident.as_ref()), handover, roster)
    }
}

fn open_of<'a>(
    all: impl Iterator<Item = &'a Incident>,
    handover: &HandoverAhead,
    roster: &Roster,
) -> Vec<IncidentId> {
    let mut open: Vec<_> = all
        .filter(|it| it.is_handed_over())
        .filter(|it| concerns(it, handover, roster))
        .collect();
    open.sort_by_key(|it| (Reverse(it.grading.grade), it.lifecycle.opened_at, it.number));
    open.truncate(SHIFT_INCIDENTS_MAX);
    open.into_iter().map(|it| it.id.clone()).collect()
}

fn concerns(incident: &Incident, handover: &HandoverAhead, roster: &Roster) -> bool {
    let rotation = &handover.rotation;
    let of_team = incident.about.team.as_ref();
    let mut targets = incident
        .escalation
        .plan
        .steps
        .iter()
        .flat_map(|it| &it.page);
    of_team.is_some_and(|it| roster.is_of_team(it.as_str(), rotation))
        || targets.any(|it| match it {
            PageTarget::OnCall(name) => roster.leads_to(name, rotation),
            PageTarget::Person(_) | PageTarget::Team(_) => false,
        })
        || incident
            .keeps_busy()
            .is_some_and(|it| handover.outgoing.as_ref() == Some(it))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use chrono_tz::Tz;
    use serde_json::{Value, json};
    use tocsin_core::{Actor, Event, Recorded, Timestamp};

    use super::*;
    use crate::people::Rotation;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn recorded(event: Value) -> Recorded {
        Recorded {
            at: NOW,
            by: Actor::Tocsin,
            event: serde_json::from_value::<Event>(event).unwrap(),
        }
    }

    /// An incident with these fields, which somebody may operate.
    fn incident(id: &str, operator: Option<&str>, fields: Value) -> Incident {
        let mut opened = json!({
            "number": 1, "key": id, "title": "it is slow", "service": "", "grade": "major",
            "grade_reason": "", "plan": { "steps": [] }, "plan_reason": "",
        });
        for (name, value) in fields.as_object().unwrap() {
            opened[name] = value.clone();
        }
        let opened = recorded(json!({ "type": "opened", "data": opened }));
        let incident = Incident::begin(&id.into(), &opened).unwrap();
        let taken = operator
            .map(|it| recorded(json!({ "type": "operator-assigned", "data": { "person": it } })));
        taken.iter().fold(incident, Incident::fold)
    }

    fn pages(target: &str) -> Value {
        json!({ "plan": { "steps": [{ "page": [target], "wait_ms": 60_000 }] } })
    }

    fn open(all: &[Incident]) -> Vec<String> {
        let rotation = Rotation {
            zone: Tz::UTC,
            layers: Vec::new(),
            overrides: Vec::new(),
        };
        let roster = Roster {
            teams: [
                ("shop".into(), Some("primary".to_owned())),
                ("db".into(), None),
            ]
            .into(),
            rotations: [
                ("primary".to_owned(), rotation.clone()),
                ("db".to_owned(), rotation),
            ]
            .into(),
            ..Roster::default()
        };
        let handover = HandoverAhead {
            rotation: "primary".to_owned(),
            outgoing: Some("ada".into()),
            incoming: "bob".into(),
            at: NOW,
        };
        let found = open_of(all.iter(), &handover, &roster);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn whoever_takes_over_is_told_what_its_team_its_pages_or_its_person_has() {
        for (operator, fields, is_told) in [
            (None, json!({ "team": "shop" }), true),
            (None, json!({ "team": "db" }), false),
            (None, pages("oncall:primary"), true),
            (None, pages("oncall:shop"), true),
            (None, pages("oncall:db"), false),
            (None, pages("person:ada"), false),
            (Some("ada"), json!({ "team": "db" }), true),
            (Some("bob"), json!({ "team": "db" }), false),
            (None, json!({ "team": "shop", "drill": true }), false),
        ] {
            let found = open(&[incident("i1", operator, fields.clone())]);
            assert_eq!(found.len(), usize::from(is_told), "{operator:?} {fields}");
        }
        let closed = recorded(json!({ "type": "closed", "data": {} }));
        let over = incident("i1", None, json!({ "team": "shop" })).fold(&closed);
        assert_eq!(open(&[over]), [""; 0]);
    }

    #[test]
    fn the_worst_comes_first_and_there_is_a_limit() {
        let of = |id: &str, number: usize, grade: &str| {
            incident(
                id,
                None,
                json!({ "team": "shop", "number": number, "grade": grade }),
            )
        };
        let all = [
            of("i1", 1, "minor"),
            of("i2", 3, "critical"),
            of("i3", 2, "critical"),
        ];
        assert_eq!(open(&all), ["i3", "i2", "i1"]);
        let many: Vec<_> = (0..60)
            .map(|it| of(&format!("i{it}"), it, "minor"))
            .collect();
        assert_eq!(open(&many).len(), SHIFT_INCIDENTS_MAX);
    }
}
