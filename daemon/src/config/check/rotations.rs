//! Checks of rotations: turns, people and overrides.

use super::Check;
use crate::config::rotation::{LAYER_PEOPLE_MAX, LAYERS_MAX, OVERRIDES_MAX};
use crate::config::source::at;
use crate::config::{LayerConfig, RotationConfig};
use crate::people::{Every, person_remedy};

impl Check<'_> {
    pub(super) fn rotations(&mut self) {
        let config = self.config;
        for (id, rotation) in &config.rotations {
            let layers = rotation.layers.len();
            if layers == 0 {
                let message = format!("rotation `{id}` has no layers, so nobody is ever on call");
                let remedy = "add layers = [{ people = […], handover = \"monday 09:00\", \
                              start = \"2026-01-05\" }]";
                self.error(at!["rotations", id, "layers"], message, remedy);
            }
            if layers > LAYERS_MAX || rotation.overrides.len() > OVERRIDES_MAX {
                let message = format!("rotation `{id}` has too many layers or overrides");
                let remedy = "keep at most 8 layers and 256 overrides; remove past overrides";
                self.error(at!["rotations", id], message, remedy);
                continue;
            }
            for (number, layer) in rotation.layers.iter().enumerate() {
                self.layer(id, number, layer);
            }
            self.overrides(id, rotation);
        }
    }

    fn layer(&mut self, id: &str, number: usize, layer: &LayerConfig) {
        let place = at!["rotations", id, "layers", number, "people"];
        if !(1..=LAYER_PEOPLE_MAX).contains(&layer.people.len()) {
            let message = format!("a layer of `{id}` has {} people", layer.people.len());
            self.error(place, message, "name 1 to 64 people who take turns");
        }
        for (item, person) in layer.people.iter().enumerate() {
            let place = at!["rotations", id, "layers", number, "people", item];
            self.known_person(place, person.as_str());
        }
        let handover = at!["rotations", id, "layers", number, "handover"];
        match (layer.every, layer.handover.weekday) {
            (Every::Weeks(_), None) => self.error(
                handover,
                format!("turns of {} need the day of the handover", layer.every),
                "write it as \"monday 09:00\", or set the length of a turn in days",
            ),
            (Every::Days(_), Some(_)) => self.error(
                handover,
                format!(
                    "turns of {} cannot end on a fixed day of the week",
                    layer.every
                ),
                "write only the time, \"09:00\", or set the length of a turn in weeks",
            ),
            _ => {}
        }
        if layer
            .restrict
            .as_ref()
            .is_some_and(|restrict| restrict.days.is_empty())
        {
            let place = at!["rotations", id, "layers", number, "restrict", "days"];
            let message = "a restriction without days covers nothing".to_owned();
            self.error(place, message, "name days, or remove `days` for every day");
        }
    }

    fn overrides(&mut self, id: &str, rotation: &RotationConfig) {
        let spans: Vec<_> = rotation
            .overrides
            .iter()
            .map(|over| (rotation.instant(over.from), rotation.instant(over.until)))
            .collect();
        for (number, over) in rotation.overrides.iter().enumerate() {
            let place = at!["rotations", id, "overrides", number, "person"];
            self.known_person(place, over.person.as_str());
            let place = at!["rotations", id, "overrides", number];
            let (from, until) = spans[number];
            if from >= until {
                let message = "an override ends before it begins".to_owned();
                self.error(place, message, "put `until` after `from`");
            }
            if spans[..number]
                .iter()
                .any(|(other, end)| from < *end && *other < until)
            {
                let message = "two overrides overlap".to_owned();
                self.error(place, message, "shorten one of them");
            }
        }
    }

    fn known_person(&mut self, place: &[crate::config::Place<'_>], id: &str) {
        if !self.declares("people", id) {
            let message = format!("there is no person `{id}`");
            let known = self.declared.get("people").into_iter().flatten();
            let remedy = person_remedy(id, known.map(AsRef::as_ref));
            self.error(place, message, &remedy);
        }
    }
}
