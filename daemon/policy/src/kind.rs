//! Which policies there are, and what each file must define.

/// Which question a policy file answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `route(alert)`: where an alert belongs.
    Routing,
    /// `grade(incident, alert)`: how bad it is.
    Grading,
    /// `escalate(incident)`: whom to page, and whom next.
    Escalation,
    /// `cadence(incident)`, `respond(incident, candidates)`: how often to speak, who is called.
    Communication,
    /// `due(incident)`: by when the post-mortem is due.
    Postmortem,
}

impl Kind {
    /// Every kind, in the order in which an incident meets them.
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

    /// The functions that the file defines, with their parameters; each may take the context as
    /// one parameter more.
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

    /// Whether a set is no set without it.
    pub(crate) fn required(self) -> bool {
        matches!(self, Self::Routing | Self::Grading | Self::Escalation)
    }

    /// Whether a team may have its own. Routing finds the team, so it is everybody's.
    pub(crate) fn per_team(self) -> bool {
        matches!(self, Self::Grading | Self::Escalation)
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
