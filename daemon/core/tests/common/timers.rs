//! Fires the timers of the incident, with what the runtime would look up.

use tocsin_core::command::{Command, Outcome, Refusal, Responders};
use tocsin_core::consequences::{Timer, TimerKind};
use tocsin_core::{Actor, PersonId, Timestamp};

use super::World;
use super::made::*;

impl World {
    /// Fires every timer that is due, in due order, as the runtime does.
    pub fn run_until(&mut self, ms: u64) {
        let until = Timestamp(i64::try_from(ms).unwrap());
        while let Some(timer) = self.timers().into_iter().find(|it| it.due <= until) {
            self.now = self.now.max(timer.due);
            self.fire_timer(&timer).unwrap();
        }
        self.now = until;
    }

    pub fn fire_timer(&mut self, timer: &Timer) -> Result<Outcome, Refusal> {
        let command = match timer.kind {
            TimerKind::Escalation => {
                let escalation = &self.incident().escalation;
                let ahead = escalation.ahead().cloned();
                let places = escalation.next_step..;
                let steps = ahead
                    .zip(places)
                    .map(|(step, at)| (step, self.responders(at)));
                Command::EscalationDue {
                    due: timer.due,
                    steps: steps.collect(),
                }
            }
            TimerKind::Contact { page, contact } => {
                let due = timer.due;
                Command::ContactDue {
                    page,
                    contact,
                    due,
                    held_until: self.held_until,
                }
            }
            TimerKind::Hold => Command::HoldDue {
                due: timer.due,
                operator: self.operator().map(|it| self.named(it.id.as_str())),
            },
            TimerKind::Prompt { prompt } => Command::PromptDue {
                prompt,
                due: timer.due,
                held_until: self.held_until,
            },
            TimerKind::Ask { question } => Command::AskDue {
                question,
                due: timer.due,
                operator: self.operator().map(|it| self.named(it.id.as_str())),
            },
            TimerKind::Respond => Command::Respond {
                due: timer.due,
                seen: self.incident().roles.call.ask_at,
                verdict: Some(Box::new(verdict(self.response.clone()))),
            },
            TimerKind::Offer { role } => {
                let (_, next) = self.incident().roles.next_offer(role).unwrap();
                Command::OfferDue {
                    role,
                    due: timer.due,
                    to: Some(self.named(next.as_str())),
                }
            }
            TimerKind::Promise { audience } => {
                let roles = &self.incident().roles;
                let people = [roles.speaker(), roles.operator.as_ref()];
                let named = |id: &PersonId| self.named(id.as_str());
                Command::PromiseDue {
                    audience,
                    due: timer.due,
                    people: people.into_iter().flatten().map(named).collect(),
                }
            }
            TimerKind::Fallback => Command::FallbackDue {
                fallback: Responders {
                    people: self
                        .fallback_people
                        .iter()
                        .map(|it| self.reached(it))
                        .collect(),
                    note: None,
                },
            },
            TimerKind::Tally => Command::TallyDue,
            TimerKind::Clear => Command::ClearDue,
            TimerKind::Review => return self.review(),
            TimerKind::Reopen => Command::Reopen {
                reason: None,
                replan: None,
                rival: false,
            },
        };
        self.command(command, &Actor::Tocsin)
    }
}
