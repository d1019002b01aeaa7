//! Checks of test pages, and of what they prove.

use std::process::Command;

use anyhow::{Context as _, Result, anyhow, ensure};
use tocsin::health::{Vitals, checks};
use tocsin::runtime::state::tables::proof::proven_at;
use tocsin_core::Contact;
use tocsin_core::trial::TestState;

use super::world::World;
use crate::paths::built;
use crate::support::PROGRAM;

impl World {
    /// Marks the first matching test page as expected, which must have come within a window.
    pub(super) fn claim_test(
        &mut self,
        person: &str,
        channel: &str,
        (from, to): (u64, u64),
    ) -> Result<()> {
        let is_it = |(test, is_claimed): &&mut (_, bool)| {
            let test: &super::story::TestArrived = test;
            let is_named = test.person == person && test.channel == channel;
            !*is_claimed && is_named && (from..=to).contains(&test.at)
        };
        if let Some((_, is_claimed)) = self.tests.iter_mut().find(is_it) {
            *is_claimed = true;
            return Ok(());
        }
        let all: Vec<String> = self.tests.iter().map(|it| it.0.to_string()).collect();
        let all = all.join("; ");
        Err(anyhow!(
            "expected a test page to {person} by {channel}, but: {all}"
        ))
    }

    /// Checks how far the newest test of a person through a channel has come.
    pub(super) fn check_test(&self, person: &str, channel: &str, wanted: &str) -> Result<()> {
        let tests = self.app()?.intake.tests_of(&person.into())?;
        let of_channel = |it: &&(_, tocsin_core::trial::TestPage)| it.1.contact.kind == channel;
        let test = tests.iter().rev().find(of_channel);
        let (_, test) = test.with_context(|| format!("{person} has no test by {channel}"))?;
        let found = match test.state(self.instant()) {
            TestState::Queued => "queued",
            TestState::Accepted => "accepted",
            TestState::Seen => "seen",
            TestState::Pressed => "pressed",
            TestState::Failed => "failed",
            TestState::Unanswered => "unanswered",
        };
        ensure!(
            found == wanted,
            "expected that the test is {wanted}, but it is {found}: {test:?}"
        );
        Ok(())
    }

    /// Checks whether a person's contact is proven.
    pub(super) fn check_proven(&self, person: &str, kind: &str, wanted: bool) -> Result<()> {
        let address = self.setup.contact(person, kind);
        let address = address.with_context(|| format!("{person} has no contact {kind}"))?;
        let contact = Contact {
            kind: kind.to_owned(),
            address: address.to_owned(),
        };
        let store = self.app()?.store.as_ref();
        let at = proven_at(store, &person.into(), &contact, self.instant())?;
        ensure!(
            at.is_some() == wanted,
            "expected that {kind} of {person} is proven: {wanted}, but it is since {at:?}"
        );
        Ok(())
    }

    /// Checks what the newest test page or reminder to a person says.
    pub(super) fn check_test_says(&self, person: &str, text: &str, wanted: bool) -> Result<()> {
        let newest = self.tests.iter().rev().find(|it| it.0.person == person);
        let newest = newest.with_context(|| format!("{person} got no test page"))?;
        says(person, &newest.0.text, text, wanted)
    }

    /// Checks what `tocsin doctor` says, remedies included.
    pub(super) fn check_doctor(&self, text: &str, wanted: bool) -> Result<()> {
        let vitals = Vitals::read(&self.app()?.health)?;
        let said = checks(&vitals).into_iter();
        let said = said.map(|it| format!("{}: {} → {:?}", it.name, it.says, it.remedy));
        says("doctor", &said.collect::<Vec<_>>().join("\n"), text, wanted)
    }

    /// Checks what `tocsin check` says about the configuration of the scenario.
    pub(super) fn check_configuration(&self, text: &str, wanted: bool) -> Result<()> {
        let file = self.write_config()?;
        let mut check = Command::new(built(PROGRAM));
        let output = check.arg("check").arg("--config").arg(file).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        says("check", &said, text, wanted)
    }
}

fn says(who: &str, said: &str, text: &str, wanted: bool) -> Result<()> {
    ensure!(
        said.contains(text) == wanted,
        "expected of {who} that it says {text:?}: {wanted}, but it says:\n{said}"
    );
    Ok(())
}
