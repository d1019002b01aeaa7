//! What a read may find.

use super::candidates;
use super::input::SIGNAL_STATUSES;
use super::words::Words;
use crate::kind::Kind;
use crate::names::Names;
use crate::trace::{AlertField, Answer, CandidateField, ClockField, IncidentField, Quantity, Read};
use crate::view::Weekday;

/// Most lists of labels' names that are tried.
const NAME_LISTS_MAX: usize = 8;

/// What is known about the questions of a policy.
pub(super) struct World<'a> {
    pub(super) kind: Kind,
    /// The team whose policy it is.
    pub(super) team: Option<&'a str>,
    /// The teams whose incidents another file answers for.
    pub(super) elsewhere: Vec<&'a str>,
    pub(super) names: Option<&'a Names>,
    pub(super) words: Words,
}

impl World<'_> {
    /// The answers worth trying; those that are impossible are dropped when they are tried.
    pub(super) fn answers(&self, read: &Read) -> Vec<Answer> {
        match read {
            Read::Alert(AlertField::StartsAt) | Read::Incident(IncidentField::OpenedAt) => {
                self.numbers()
            }
            Read::Alert(AlertField::Status) => {
                SIGNAL_STATUSES.iter().map(|(name, _)| text(name)).collect()
            }
            Read::Alert(AlertField::Summary | AlertField::Link) => self.texts(true),
            Read::Alert(_) => self.texts(false),
            Read::Incident(field) => self.of_incident(*field),
            Read::Label(..) => self.texts(true),
            Read::LabelNames(_) => {
                let names = self.words.texts.iter().take(NAME_LISTS_MAX);
                let one = names.map(|name| Answer::Texts(vec![name.clone()]));
                one.chain([Answer::Texts(Vec::new())]).collect()
            }
            Read::HasLabel(..) | Read::AtLeast(..) | Read::Equals(..) | Read::IsOpen(_) => flags(),
            // A number that a text is built from needs few values.
            Read::Exactly(Quantity::Age(_, unit_ms)) if *unit_ms == 1 => {
                [0, 60_000, 3_600_000].map(Answer::Whole).to_vec()
            }
            Read::Exactly(_) => self.numbers(),
            Read::Now(field) => self.of_clock(*field),
            Read::HasRotation(_) if self.names.is_none() => flags(),
            Read::OnCall(_) => {
                let people = self.names.iter().flat_map(|it| &it.people).cloned();
                let people: Vec<String> = people.chain(["somebody".to_owned()]).take(2).collect();
                let lists = (0..=people.len()).map(|count| people[..count].to_vec());
                lists.map(Answer::Texts).collect()
            }
            Read::Changes(..) => {
                let one = Answer::Texts(vec!["a change".to_owned()]);
                vec![one, Answer::Texts(Vec::new())]
            }
            Read::Candidates => candidates::COUNTS.map(Answer::Whole).to_vec(),
            Read::Candidate(_, field) => self.of_candidate(*field),
            _ => Vec::new(),
        }
    }

    fn of_candidate(&self, field: CandidateField) -> Vec<Answer> {
        match field {
            CandidateField::Id | CandidateField::Name => self.texts(false),
            CandidateField::Level | CandidateField::Load(_) => self.numbers(),
            CandidateField::OnCall | CandidateField::Night | CandidateField::Operator => flags(),
            CandidateField::Teams => {
                let teams = self.words.texts.iter().take(NAME_LISTS_MAX);
                let one = teams.map(|team| Answer::Texts(vec![team.clone()]));
                one.chain([Answer::Texts(Vec::new())]).collect()
            }
        }
    }

    fn of_incident(&self, field: IncidentField) -> Vec<Answer> {
        match field {
            IncidentField::Id => vec![text(""), text("an id")],
            IncidentField::Number => self.numbers(),
            IncidentField::Team => self.teams(),
            IncidentField::Grade => {
                // The others come after grading.
                let ungraded = Some("").filter(|_| self.kind <= Kind::Grading);
                let grades = ["minor", "major", "critical"].into_iter().chain(ungraded);
                grades.map(text).collect()
            }
            IncidentField::Security | IncidentField::Acknowledged | IncidentField::Drill => flags(),
            IncidentField::Status => {
                let all = ["open", "mitigated", "resolved", "closed"];
                all.map(text).to_vec()
            }
            _ => self.texts(false),
        }
    }

    fn teams(&self) -> Vec<Answer> {
        let mut teams = match (self.team, self.names) {
            (Some(_), _) => Vec::new(),
            (None, Some(names)) => names.teams.iter().map(text).chain([text("")]).collect(),
            (None, None) => self.texts(true),
        };
        teams.retain(|team| !self.elsewhere.iter().any(|it| *team == text(it)));
        teams
    }

    fn of_clock(&self, field: ClockField) -> Vec<Answer> {
        match field {
            ClockField::Hour | ClockField::Minute => {
                let usual = [3, 12, 20].map(Answer::Whole);
                usual.into_iter().chain(self.numbers()).collect()
            }
            ClockField::Utc => self.numbers(),
            ClockField::Zone => self.texts(false),
            ClockField::Weekday => Weekday::ALL.iter().map(|it| text(it.as_str())).collect(),
            ClockField::Weekend => flags(),
        }
    }

    fn texts(&self, may_be_empty: bool) -> Vec<Answer> {
        let empty = Some(text("")).filter(|_| may_be_empty);
        self.words.texts.iter().map(text).chain(empty).collect()
    }

    fn numbers(&self) -> Vec<Answer> {
        self.words
            .numbers
            .iter()
            .copied()
            .map(Answer::Whole)
            .collect()
    }
}

fn text(text: impl AsRef<str>) -> Answer {
    Answer::Text(text.as_ref().to_owned())
}

fn flags() -> Vec<Answer> {
    vec![Answer::Flag(true), Answer::Flag(false)]
}
