//! Timers, sweeps, and changes to policies, silences and plugins.

use std::sync::Arc;

use tocsin::runtime::{
    Cause, IncidentState, OUTCOME_TIMER, Paged, Request, SCHEDULE_TIMER, View, all_told, bundle,
    ended_by_hand, firing, gathering, history, lapses, merges, moved_aside, moving, reviewed,
    routed_again, silencing, silencing_page, telling, ticking, to_review, told,
};
use tocsin_core::command::Command;
use tocsin_core::limits::REVIEW_EVERY_MS;
use tocsin_core::standing::{Review, needs_review};
use tocsin_core::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use tocsin_core::{Actor, Alert, IncidentId, PluginId, SignalStatus, Step};
use tocsin_store::{Store, TimerRow};

use super::asked::{Asked, Then};
use super::nodes::Node;
use super::senders::key_of;
use super::{LIMIT, World};
use crate::sim::cast;
use crate::sim::check::text;
use crate::sim::history::PACKED_TOGETHER;

impl World {
    /// Fires due timers; sometimes the clock is set back in between.
    pub(super) fn fire(&mut self) -> Result<(), String> {
        let due = self.store.timers_due(self.now, LIMIT).map_err(text)?;
        if let Some(early) = due.iter().find(|row| row.key.due > self.now) {
            return Err(format!("timer {} fires early", early.key.id));
        }
        let (told, due): (Vec<_>, Vec<_>) = due
            .into_iter()
            .partition(|row| row.key.kind == OUTCOME_TIMER);
        self.tell_pages(told)?;
        let (gathers, due) = gathering(due);
        let place = self.draw_node();
        let mut asked = self.fired(&due, place)?;
        asked.extend(gathers.iter().cloned().map(|request| Asked {
            request,
            then: Then::Nothing,
        }));
        if !self.well && self.rng.chance(10) {
            self.now = self.now.minus_ms(20 * SECOND_MS);
        }
        if !self.well && self.rng.chance(30) {
            asked.push(self.utter());
        }
        if self.are_two() && self.rng.chance(60) {
            // Both engines see the due timers.
            let mut others = self.fired(&due, 1 - place)?;
            others.extend(gathers.into_iter().map(|request| Asked {
                request,
                then: Then::Nothing,
            }));
            self.arm();
            return self.process_beside(place, asked, others).map(drop);
        }
        self.process(asked)
    }

    /// Tells the pages of messages what became of these, and takes the timers of those that are
    /// told.
    fn tell_pages(&mut self, due: Vec<TimerRow>) -> Result<(), String> {
        self.untold.clear();
        let mut asked = Vec::new();
        for row in due {
            let (message, outcome) = told(&row).map_err(text)?;
            let part = bundle(self.store.as_ref(), &message).map_err(text)?;
            let tells = part.map(|it| telling(&row.key, (&message, &outcome), &it));
            let tells = tells.unwrap_or_default();
            self.untold.insert(row.key.clone(), tells.len());
            asked.extend(tells.into_iter().map(|request| Asked {
                request,
                then: Then::Told(row.key.clone()),
            }));
        }
        if !self.well && self.rng.chance(10) {
            // The daemon is killed half way.
            asked.truncate(asked.len() / 2);
        }
        self.process(asked)?;
        let all = std::mem::take(&mut self.untold).into_iter();
        let taken = all.filter(|(_, left)| *left == 0).map(|(timer, _)| Asked {
            request: all_told(timer),
            then: Then::Nothing,
        });
        self.process(taken.collect())
    }

    /// The requests that an engine makes for due timers.
    fn fired(&self, due: &[TimerRow], place: usize) -> Result<Vec<Asked>, String> {
        let Node { view, desk, .. } = &self.nodes[place];
        let looked_up = |paged: Paged<'_>| desk.looked_up(paged, self.now);
        let schedule_of = |plugin: &PluginId, name: &str| {
            let key = (plugin.to_string(), name.to_owned());
            self.schedules.get(&key).cloned()
        };
        let fired = due.iter().cloned().map(|row| {
            let request = match (row.key.kind.as_str(), to_review(&row)) {
                (SCHEDULE_TIMER, _) => ticking(row, self.now, schedule_of),
                (_, Some(id)) => match self.review(place, &id)? {
                    Some(review) => Ok(reviewed(row, id, review)),
                    None => firing(row, view, looked_up),
                },
                _ => firing(row, view, looked_up),
            };
            let then = Then::Nothing;
            let mut request = request.map_err(text)?;
            cast::look_up(&mut request);
            self.say_who_responds(&mut request, view)?;
            Ok(Asked { request, then })
        });
        fired.collect()
    }

    /// Completes the question who responds with what the policies say as an engine sees it.
    fn say_who_responds(&self, request: &mut Request, view: &View) -> Result<(), String> {
        if let Request::Command {
            incident,
            command: Command::Respond { seen, verdict, .. },
            ..
        } = request
        {
            let state = view.incident(incident).map_err(text)?;
            *seen = state.and_then(|it| it.incident.roles.call.ask_at);
            *verdict = Some(Box::new(self.policies.respond()));
        }
        Ok(())
    }

    /// What the policies say of an incident as an engine sees it.
    fn review(&self, place: usize, id: &IncidentId) -> Result<Option<Review>, String> {
        let view = &self.nodes[place].view;
        let state = view.incident(id).map_err(text)?;
        let Some(state) = state else {
            return Ok(None);
        };
        let lacks = |alerts: &[_]| (alerts.len() as u64) < state.tally.counts.firing;
        let mut alerts = self.firing_in(place, &state)?;
        if lacks(&alerts) {
            let leases = &self.nodes[place].leases;
            leases.refresh(view.store()).map_err(text)?;
            alerts = self.firing_in(place, &state)?;
        }
        let desk = &self.nodes[place].desk;
        let pages = |step: Option<&Step>| desk.of_step(step, self.now);
        Ok(Some(self.policies.review(&state, &alerts, &pages)))
    }

    /// The alerts that fire in an incident as far as an engine knows, each with its weight.
    fn firing_in(&self, place: usize, state: &IncidentState) -> Result<Vec<(String, u64)>, String> {
        let Node { view, leases, .. } = &self.nodes[place];
        let id = &state.incident.id;
        let standing = state.tally.standing.iter();
        let named = standing.flat_map(|it| it.groups.iter().map(|it| it.alert.clone()));
        let mut keys: Vec<String> = named.collect();
        keys.extend(leases.firing_in(id, LIMIT));
        let mut alerts: Vec<(String, u64)> = Vec::new();
        for key in keys {
            if alerts.iter().any(|(known, _)| *known == key) {
                continue;
            }
            let alert = view.alert(&key).map_err(text)?;
            let is_in = |it: &Alert| it.firing && it.incident() == Some(id);
            if let Some(alert) = alert.filter(is_in) {
                let weight = cast::weight_of(&key, &alert.labels);
                alerts.push((key, weight));
            }
        }
        Ok(alerts)
    }

    /// Has incidents reviewed whose verdicts are of other policies; whether there were any.
    pub(super) fn review_by_others(&mut self) -> Result<bool, String> {
        let place = self.draw_node();
        let states = self.nodes[place].view.in_memory();
        let in_force = self.policies.in_force();
        let mut ids: Vec<IncidentId> = states
            .iter()
            .filter(|it| needs_review(&it.incident, &it.tally, &in_force, self.now))
            .map(|it| it.incident.id.clone())
            .collect();
        ids.sort();
        let mut asked = Vec::new();
        for incident in ids {
            let Some(review) = self.review(place, &incident)? else {
                continue;
            };
            let request = Request::Command {
                incident,
                by: Actor::Tocsin,
                command: Command::Review(Box::new(review)),
                cause: Cause::default(),
            };
            asked.push(Asked {
                request,
                then: Then::Nothing,
            });
        }
        let has_some = !asked.is_empty();
        self.process(asked)?;
        Ok(has_some)
    }

    /// As [`review_by_others`](Self::review_by_others), once that is due again.
    pub(super) fn review_the_rest(&mut self) -> Result<bool, String> {
        self.now = self.now.plus_ms(REVIEW_EVERY_MS);
        self.review_by_others()
    }

    pub(super) fn pass_time(&mut self) -> Result<(), String> {
        let ms = match self.rng.below(20) {
            0..8 => SECOND_MS * self.rng.below(20),
            8..15 => SECOND_MS * self.rng.below(120),
            15..17 => MINUTE_MS * self.rng.below(20),
            17 => HOUR_MS * 2,
            _ => {
                self.now = self.now.minus_ms(MINUTE_MS * self.rng.below(15));
                self.trace.say(|| "the clock is set back".to_owned());
                return Ok(());
            }
        };
        self.now = self.now.plus_ms(ms);
        let now = self.now;
        self.trace.say(|| format!("{ms} ms pass: it is {now}"));
        Ok(())
    }

    /// Ends the alerts whose senders stopped, and tells the engine of alerts whose silences have
    /// changed. Senders may send between the sweep's read and its request.
    pub(super) fn sweep(&mut self) -> Result<(), String> {
        let place = self.draw_node();
        let node = self.nodes[place].clone();
        let Node { view, leases, .. } = &node;
        leases.refresh(view.store()).map_err(text)?;
        let mut words = lapses(view, leases, self.now).map_err(text)?;
        words.extend(ended_by_hand(view, leases).map_err(text)?);
        words.extend(routed_again(view, leases, self.now).map_err(text)?);
        words.extend(moving(view, leases, true).map_err(text)?);
        let aside = leases.aside("", LIMIT);
        words.extend(moved_aside(view, &node.silences, aside, self.now).map_err(text)?);
        let store = self.store.as_ref();
        let page = silencing_page(store, &node.silences, "", LIMIT, self.now).map_err(text)?;
        let tells = |request| Asked {
            request,
            then: Then::Nothing,
        };
        let mut asked: Vec<Asked> = page.requests.into_iter().map(tells).collect();
        asked.extend(merges(view).into_iter().map(tells));
        let bytes_max = history::HISTORY_BYTES_MAX;
        let packing = history::pack(store, PACKED_TOGETHER, self.now, bytes_max).map_err(text)?;
        asked.extend(packing.map(|it| tells(Request::rows(it.write))));
        for word in words {
            let key = key_of(&word.signal);
            if self.rng.chance(20) {
                asked.push(self.interrupt(&word.signal));
            } else if word.signal.status == SignalStatus::Resolved || key.ends_with(cast::SWITCH) {
                self.alerts.remove(&key);
            }
            let is_firing = word.signal.status == SignalStatus::Firing;
            let assessment = is_firing.then(|| self.assess(&word.signal));
            let (request, then) = (word.request(assessment), Then::Nothing);
            asked.push(Asked { request, then });
        }
        self.process(asked)?;
        self.review_by_others().map(drop)
    }

    pub(super) fn expire(&mut self) -> Result<(), String> {
        let (request, then) = (Request::Expire, Then::Nothing);
        self.process(vec![Asked { request, then }])
    }

    /// A silence begins or ends while senders send what it matches.
    fn change_the_silence(&mut self) -> Result<(), String> {
        self.policies.silenced = !self.policies.silenced;
        let silenced = self.policies.silenced;
        self.trace.say(|| format!("a silence changes: {silenced}"));
        let silence = cast::silence(silenced, self.now)?;
        let request = silencing(self.store.as_ref(), &silence).map_err(text)?;
        let then = Then::Nothing;
        let mut asked = vec![Asked { request, then }];
        for integration in ["am", "pd"] {
            let signal = cast::signal_of(integration, 2, SignalStatus::Firing, self.now);
            asked.push(self.asked_of(signal, true));
        }
        self.process(asked)
    }

    /// Policies are reloaded, broken or repaired; a silence begins or ends; a plugin is added or
    /// removed.
    pub(super) fn change_the_world(&mut self) -> Result<(), String> {
        match self.rng.below(4) {
            0 => self.policies.version += 1,
            1 => self.policies.broken = !self.policies.broken,
            2 => return self.change_the_silence(),
            _ => {
                let has_pager = self
                    .subscribers
                    .load()
                    .for_contact("pager", tocsin_plugin_host::EventKind::Page)
                    .is_some();
                self.subscribers
                    .store(Arc::new(cast::subscribers(!has_pager)));
            }
        }
        let policies = self.policies;
        self.trace
            .say(|| format!("the world changes: {policies:?}"));
        Ok(())
    }
}
