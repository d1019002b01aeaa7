//! Checks what people were sent and told in a scenario.

use anyhow::{Context as _, Result, anyhow, ensure};

use super::check::count_is;
use super::fact::Fact;
use super::world::{World, numbers_in};

impl World {
    /// Checks a fact about messages.
    ///
    /// # Errors
    /// What was expected, and what was found.
    pub(super) fn check_message(&self, fact: &Fact) -> Result<()> {
        match fact {
            Fact::Messages {
                person,
                count,
                at_most,
            } => {
                let found = self.messages.iter().filter(|it| it.0 == *person).count();
                let is_so = found == *count || (*at_most && found < *count);
                count_is("messages", is_so, count, found)
            }
            Fact::Questions {
                person,
                count,
                channel,
            } => {
                let is_by = |it: &str| channel.as_ref().is_none_or(|by| by == it);
                let mut asked = self.questions.clone();
                asked.retain(|it| it.0 == *person && is_by(it.1));
                count_is("questions", asked.len() == *count, *count, asked.len())
            }
            Fact::MessageSays { person, text } => {
                let found = self.message(person)?;
                ensure!(
                    found.contains(text.as_str()),
                    "expected {text:?} in the message to {person}, but it says:\n{found}"
                );
                Ok(())
            }
            Fact::MessageNames { person, numbers } => {
                let found = numbers_in(self.message(person)?);
                ensure!(
                    found.starts_with(numbers),
                    "expected that the message to {person} names {numbers:?}, but it names \
                     {found:?}"
                );
                Ok(())
            }
            Fact::Attempt {
                person,
                channel,
                incident,
                state,
            } => {
                let found = self.attempt(person, channel, *incident)?;
                ensure!(found == *state, "expected {state}, but it is {found}");
                Ok(())
            }
            Fact::Told { person, text } => {
                let found = self.told.get(person).map_or("nothing", String::as_str);
                ensure!(
                    found.contains(text.as_str()),
                    "expected that {person} is told {text:?}, but it was {found:?}"
                );
                Ok(())
            }
            _ => Err(anyhow!("not about a message")),
        }
    }

    /// The newest message that brought pages to a person.
    fn message(&self, person: &str) -> Result<&str> {
        let mut newest = self.messages.iter().rev();
        let found = newest.find(|it| it.0 == person);
        let found = found.with_context(|| format!("{person} has no message"))?;
        Ok(&found.1)
    }

    /// What became of a person's newest page about an incident at a contact.
    fn attempt(&self, person: &str, channel: &str, incident: u64) -> Result<String> {
        let state = self.state(incident)?;
        let mut newest = state.incident.paging.pages.values().rev();
        let page = newest.find(|it| it.person.as_str() == person);
        let page = page.with_context(|| format!("{person} has no page"))?;
        let tried = |it: &&u32| {
            let contact = page.contacts.get(**it as usize);
            contact.is_some_and(|it| it.kind == channel)
        };
        let contact = page.attempts.keys().rev().find(tried);
        let contact = contact.with_context(|| format!("nothing was tried by {channel}"))?;
        let found = serde_json::to_value(page.attempts[contact])?;
        Ok(found.as_str().unwrap_or_default().to_owned())
    }
}
