//! The kinds of policies, and the functions that each file must define.

/// What a policy file decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `route(alert)`: where an alert belongs.
    Routing,
    /// `grade(incident, alert)`: the severity of an incident.
    Grading,
    /// `escalate(incident)`: who to page, in which order.
    Escalation,
    /// `cadence(incident)`, `respond(incident, candidates)`: how often to post, who responds.
    Communication,
    /// `due(incident)`: when the post-mortem is due.
    Postmortem,
}

impl Kind {
    /// In the order in which an incident uses them.
    pub const ALL: [Self; 5] = [
        Self::Routing,
        Self::Grading,
        Self::Escalation,
        Self::Communication,
        Self::Postmortem,
    ];

    /// The name of its file.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Routing => "routing.rhai",
            Self::Grading => "grading.rhai",
            Self::Escalation => "escalation.rhai",
            Self::Communication => "communication.rhai",
            Self::Postmortem => "postmortem.rhai",
        }
    }

    /// The functions that the file defines, with their parameters; each may take the context as an
    /// additional parameter.
    pub(crate) fn functions(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::Routing => &[("route", &["alert"])],
            Self::Grading => &[("grade", &["incident", "alert"])],
            Self::Escalation => &[("escalate", &["incident"])],
            Self::Communication => &[
                ("cadence", &["incident"]),
                ("respond", &["incident", "candidates"]),
            ],
            Self::Postmortem => &[("due", &["incident"])],
        }
    }

    /// The functions with the script types of their parameters, the context's last; the empty
    /// text for any type.
    pub(crate) fn entries(self) -> Vec<(&'static str, Vec<&'static str>)> {
        let type_of = |parameter: &&str| match *parameter {
            "alert" => "Alert",
            "incident" => "Incident",
            "candidates" => "a list of Candidate",
            _ => "",
        };
        let functions = self.functions().iter();
        let typed = functions.map(|(name, parameters)| {
            let types = parameters.iter().map(type_of).chain(["Context"]);
            (*name, types.collect())
        });
        typed.collect()
    }

    /// Whether every set must have it.
    pub(crate) fn required(self) -> bool {
        matches!(self, Self::Routing | Self::Grading | Self::Escalation)
    }

    /// Whether a team may have its own. Routing determines the team, so it is shared.
    pub(crate) fn per_team(self) -> bool {
        matches!(self, Self::Grading | Self::Escalation | Self::Communication)
    }

    pub(crate) fn signatures(self) -> String {
        let signature =
            |(name, parameters): &(&str, &[&str])| format!("fn {name}({})", parameters.join(", "));
        self.functions()
            .iter()
            .map(signature)
            .collect::<Vec<_>>()
            .join("`, `")
    }
}
