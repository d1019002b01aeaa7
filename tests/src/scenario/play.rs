//! Runs a scenario line by line, and moves the clock from one due time to the next.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::action::{Action, Slack};
use super::fact::Fact;
use super::script::{Line, Script, What, When};
use super::setup::StoreKind;
use super::story::{Story, difference};
use super::words::format_span;
use super::world::World;
use crate::skip::slack_plugin;

/// How a scenario is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    pub store: StoreKind,
    /// Whether the daemon is killed and restarted between every two steps.
    pub restarts: bool,
}

/// Runs the scenario in `path`: once normally, once with restarts between every two steps, and on
/// sled if it says so. Reports a skip if the Slack plugin is needed but not built.
///
/// # Errors
/// The line that failed, what was expected and what happened; or how two runs differ.
pub async fn play(path: &Path) -> Result<(), String> {
    let script = Script::read(path)?;
    let check = format!("scenario {}", script.file);
    if script.setup.needs_slack() && slack_plugin(&check).is_none() {
        return Ok(());
    }
    let mode = |store, restarts| Mode { store, restarts };
    let (plain, timed) = run_once(&script, mode(StoreKind::Memory, false)).await?;
    if script.setup.once.is_some() {
        return Ok(());
    }
    let mut modes = vec![("with restarts", mode(StoreKind::Memory, true))];
    if script.setup.on_sled {
        modes.push(("on sled", mode(StoreKind::Sled, false)));
        modes.push(("on sled with restarts", mode(StoreKind::Sled, true)));
    }
    for (name, mode) in modes {
        let result = run_once(&script, mode).await;
        let (story, _) = result.map_err(|failure| format!("{name}: {failure}"))?;
        let differs = difference(&plain.lines(timed), &story.lines(timed));
        let must_agree = !(mode.restarts && script.setup.restarts_matter.is_some());
        if must_agree && !differs.is_empty() {
            let file = &script.file;
            let differs = differs.join("\n  ");
            return Err(format!("{file}: the run {name} differs\n  {differs}"));
        }
    }
    Ok(())
}

/// Runs a scenario once. Returns what happened, and whether its times are deterministic.
///
/// # Errors
/// The line that failed, what was expected and what happened.
pub async fn run_once(script: &Script, mode: Mode) -> Result<(Story, bool), String> {
    let file = &script.file;
    let hangs = |line: &Line| matches!(line.what, What::Do(Action::Slack(Slack::Hangs)));
    let hangs = script.lines.iter().any(hangs);
    let mut world = World::begin(&script.setup, mode.store, hangs)
        .await
        .map_err(|error| format!("{file}: the daemon does not start: {error:#}"))?;
    for line in &script.lines {
        if let Err(error) = line_of(&mut world, line, mode.restarts).await {
            return Err(format!(
                "{file}:{}: {error:#}\n  {}\nwhat happened until {}:\n{}",
                line.number,
                line.text,
                format_span(world.now()),
                world.log()
            ));
        }
    }
    let unexpected = world.unexpected();
    if !unexpected.is_empty() {
        let unexpected = unexpected.join("\n  ");
        return Err(format!(
            "{file}: unexpected:\n  {unexpected}\nwhat happened:\n{}",
            world.log()
        ));
    }
    let story = world
        .story()
        .map_err(|error| format!("{file}: {error:#}"))?;
    Ok((story, !world.has_retries))
}

async fn line_of(world: &mut World, line: &Line, restarts: bool) -> Result<()> {
    if restarts {
        world.restart().await?;
    }
    let holding = match (&line.what, line.when) {
        (What::Expect(fact), When::Until(_)) => Some(fact),
        _ => None,
    };
    advance(world, line.when.end(), restarts, holding).await?;
    match &line.what {
        What::Do(action) => {
            world.note(format!("> {}", line.text));
            act(world, action).await?;
            if restarts {
                world.restart().await?;
            }
            world.settle().await
        }
        What::Expect(fact) => {
            let window = match line.when {
                When::Within(from, to) => (from, to),
                other => (0, other.end()),
            };
            match fact {
                Fact::Get { path, text } => world.check_answer(path, text).await,
                fact => world.check(fact, window),
            }
        }
    }
}

/// Moves the clock to `to`, stopping whenever something is due.
async fn advance(world: &mut World, to: u64, restarts: bool, holding: Option<&Fact>) -> Result<()> {
    loop {
        world.settle().await?;
        if let Some(fact) = holding {
            world
                .check(fact, (0, to))
                .with_context(|| format!("already at {}", format_span(world.now())))?;
        }
        if world.now() >= to {
            return Ok(());
        }
        let (stop, is_due) = world.next_stop(to)?;
        world.set_clock(stop);
        if restarts && is_due {
            world.restart().await?;
        }
    }
}

async fn act(world: &mut World, action: &Action) -> Result<()> {
    match action {
        Action::Fire { labels, lasts } => world.fire(labels, *lasts).await,
        Action::Trigger { name, labels } => world.endpoints()?.trigger(name, labels).await,
        Action::Resolve { name } => world.endpoints()?.resolve(name).await,
        Action::EndByHand { person, name } => world.end_by_hand(person, name).await,
        Action::End { labels } => world.end(labels).await,
        Action::Storm { count, labels } => world.storm(*count, labels).await,
        Action::Press { person, button } => world.press(person, button).await,
        Action::MailLink { person, incident } => world.follow_mail_link(person, *incident).await,
        Action::MailAnswer { person, answer } => world.answer_by_mail(person, answer).await,
        Action::Slash { person, line, room } => world.write_command(person, line, *room).await,
        Action::Drill {
            run,
            alert,
            labels,
            firing,
        } => {
            let somebody = world.somebody()?;
            let about = (run.as_str(), alert.as_str());
            let endpoints = world.endpoints()?;
            endpoints.drill(&somebody, about, labels, *firing).await
        }
        Action::Change { title, labels } => world.endpoints()?.change(title, labels).await,
        Action::Command {
            person,
            incident,
            action,
        } => world.endpoints()?.command(person, *incident, action).await,
        Action::OnCall { person, action } => world.endpoints()?.on_call(person, action).await,
        Action::TestPage {
            person,
            whom,
            channel,
        } => {
            let endpoints = world.endpoints()?;
            endpoints.test_page(person, whom, channel.as_deref()).await
        }
        Action::Silence { labels, lasts } => world.silence(labels, *lasts).await,
        Action::EndSilence => world.end_silence().await,
        Action::Restart => world.restart().await,
        Action::Down(lasts) => {
            world.set_clock(world.now() + lasts);
            world.restart().await
        }
        Action::Slack(how) => world.slack_behaves(how),
        Action::Mail { accepts } => {
            world.has_retries = true;
            world.relay.set_accepts(*accepts);
            Ok(())
        }
        Action::Policy { name, text } => {
            // `grading.test` is the test file next to the policy.
            let kind = if name.ends_with(".test") {
                "toml"
            } else {
                "rhai"
            };
            let path = world.policies().join(format!("{name}.{kind}"));
            match text {
                Some(text) => std::fs::write(path, text)?,
                None => std::fs::remove_file(path)?,
            }
            world.app()?.reload_policies();
            Ok(())
        }
        Action::PoliciesRepaired => {
            world.write_policies()?;
            world.app()?.reload_policies();
            if let Some(faults) = world.app()?.policies.faults() {
                bail!("the policies still have errors: {faults}");
            }
            Ok(())
        }
    }
}
