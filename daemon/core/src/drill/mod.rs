//! Drills: exercises with alerts that nobody's service sent. Their incidents say so everywhere and
//! count in no measure.

mod score;

use crate::{Audience, Incident, IncidentKey, Labels, Route, Signal, Target};

pub use score::{Goals, Part, QuestionGoal, Score, score};

/// The integration of a drill's alerts; the configuration has none of this name.
pub const INTEGRATION: &str = "drill";
/// The label of a drill's alert that names the drill.
pub const LABEL: &str = "drill";
const KEY_PREFIX: &str = "drill/";

/// Under which alerts join the incident of the drill's run with this name.
#[must_use]
pub fn key(drill: &str) -> IncidentKey {
    IncidentKey::from(format!("{KEY_PREFIX}{drill}").as_str())
}

/// Whether it is the key of a drill.
#[must_use]
pub fn is_key(key: &IncidentKey) -> bool {
    key.as_str().starts_with(KEY_PREFIX)
}

impl Signal {
    /// The drill that it belongs to.
    #[must_use]
    pub fn drill(&self) -> Option<&str> {
        let is_its = self.integration.as_str() == INTEGRATION;
        let name = self.labels.get(LABEL).map_or("", String::as_str);
        is_its.then_some(name)
    }
}

impl Route {
    /// The route of an alert that belongs to no drill: no key of a policy leads into one.
    #[must_use]
    pub fn outside_drills(mut self) -> Self {
        if let Self::Incident(target) | Self::Wait { target, .. } = &mut self
            && is_key(&target.key)
        {
            target.key = IncidentKey::from(format!("real/{}", target.key).as_str());
        }
        self
    }

    /// The route of a drill's alert: whatever the policy says of it, a drill is one incident, which
    /// no real one becomes part of.
    #[must_use]
    pub fn in_drill(self, drill: &str) -> Self {
        let in_drill = |target| Target {
            key: key(drill),
            merges: Labels::new(),
            ..target
        };
        match self {
            Self::Incident(target) | Self::Wait { target, .. } => Self::Incident(in_drill(target)),
            Self::Ignore => Self::Ignore,
        }
    }
}

impl Incident {
    /// Whether an audience hears of it outside of its war room. In a drill only engineers do:
    /// others could take it for real.
    #[must_use]
    pub(crate) fn tells(&self, audience: Audience) -> bool {
        audience == Audience::Engineering || !self.about.drill
    }
}
