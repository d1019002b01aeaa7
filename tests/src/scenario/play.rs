//! Playing a scenario: line by line, the clock moved from one due thing to the next.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::action::{Action, Slack};
use super::fact::Fact;
use super::script::{Line, Script, What, When};
use super::setup::Keep;
use super::story::{Story, difference};
use super::words::told;
use super::world::World;
use crate::skip::slack_plugin;

/// How a story is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Where the daemon keeps what must survive.
    pub keep: Keep,
    /// Whether it is killed and started again between every two steps.
    pub restarts: bool,
}

/// Plays the scenario in `path`: as it is, then with restarts between every two steps, and on
/// sled where it asks for that. Skips it by name where the Slack plugin is needed and not built.
///
/// # Errors
/// The line that failed, what was expected, and what has happened; or how two tellings differ.
pub async fn play(path: &Path) -> Result<(), String> {
    let script = Script::read(path)?;
    let check = format!("scenario {}", script.file);
    if script.setup.needs_slack() && slack_plugin(&check).is_none() {
        return Ok(());
    }
    let mode = |keep, restarts| Mode { keep, restarts };
    let (plain, timed) = tell(&script, mode(Keep::Memory, false)).await?;
    if script.setup.once.is_some() {
        return Ok(());
    }
    let mut modes = vec![("with restarts", mode(Keep::Memory, true))];
    if script.setup.on_sled {
        modes.push(("on sled", mode(Keep::Sled, false)));
        modes.push(("on sled with restarts", mode(Keep::Sled, true)));
    }
    for (name, mode) in modes {
        let told = tell(&script, mode).await;
        let (story, _) = told.map_err(|failure| format!("{name}: {failure}"))?;
        let differs = difference(&plain.lines(timed), &story.lines(timed));
        let must_agree = !(mode.restarts && script.setup.restarts_matter.is_some());
        if must_agree && !differs.is_empty() {
            let file = &script.file;
            let differs = differs.join("\n  ");
            return Err(format!(
                "{file}: {name} the story is another one\n  {differs}"
            ));
        }
    }
    Ok(())
}

/// Tells a story once. Gives what happened, and whether the times in it are certain.
///
/// # Errors
/// The line that failed, what was expected, and what has happened.
pub async fn tell(script: &Script, mode: Mode) -> Result<(Story, bool), String> {
    let file = &script.file;
    let hangs = |line: &Line| matches!(line.what, What::Do(Action::Slack(Slack::Hangs)));
    let hangs = script.lines.iter().any(hangs);
    let mut world = World::begin(&script.setup, mode.keep, hangs)
        .await
        .map_err(|error| format!("{file}: the daemon does not start: {error:#}"))?;
    for line in &script.lines {
        if let Err(error) = line_of(&mut world, line, mode.restarts).await {
            return Err(format!(
                "{file}:{}: {error:#}\n  {}\nwhat happened until {}:\n{}",
                line.number,
                line.text,
                told(world.now()),
                world.log()
            ));
        }
    }
    let unexpected = world.unexpected();
    if !unexpected.is_empty() {
        let unexpected = unexpected.join("\n  ");
        return Err(format!(
            "{file}: what no line expects:\n  {unexpected}\nwhat happened:\n{}",
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
            world.check(fact, window)
        }
    }
}

/// Moves the clock to `to`, stopping wherever something is due.
async fn advance(world: &mut World, to: u64, restarts: bool, holding: Option<&Fact>) -> Result<()> {
    loop {
        world.settle().await?;
        if let Some(fact) = holding {
            world
                .check(fact, (0, to))
                .with_context(|| format!("at {} already", told(world.now())))?;
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
        Action::End { labels } => world.end(labels).await,
        Action::Storm { count, labels } => world.storm(*count, labels).await,
        Action::Press { person } => world.press(person).await,
        Action::MailLink { person } => world.follow_mail_link(person).await,
        Action::Command {
            person,
            incident,
            action,
        } => world.door()?.command(person, *incident, action).await,
        Action::Silence { labels, lasts } => world.silence(labels, *lasts).await,
        Action::EndSilence => world.end_silence().await,
        Action::Restart => world.restart().await,
        Action::Down(lasts) => {
            world.set_clock(world.now() + lasts);
            world.restart().await
        }
        Action::Slack(how) => world.slack_behaves(how),
        Action::Mail { takes } => {
            world.has_retries = true;
            world.relay.takes(*takes);
            Ok(())
        }
        Action::Policy { name, text } => {
            let path = world.policies().join(format!("{name}.rhai"));
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
                bail!("the policies are still broken: {faults}");
            }
            Ok(())
        }
    }
}
