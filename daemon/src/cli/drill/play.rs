//! Plays a drill against a running daemon.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{RunArgs, print, score};
use crate::api::{DrillRun, IncidentDetail, Outcome};
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::output::{Format, Out, clean};
use crate::drill::{DrillAlert, DrillScenario, DrillStep, Happening};

/// Time between two looks at the incident, in milliseconds.
const LOOK_EVERY_MS: u64 = 1_000;
/// How often a request is tried again, and how long the pause before it is, in milliseconds: the
/// daemon may be restarted during a drill.
const RETRIES: u32 = 20;
const RETRY_EVERY_MS: u64 = 1_500;
/// How long whoever resolved it has for the updates that say so.
const LAST_UPDATE_WITHIN: Duration = Duration::from_secs(300);
/// How much of a drill's name is in that of its runs.
const RUN_CHARS_MAX: usize = 60;

/// Plays the drill until its incident is resolved or its time is over, and prints the score.
pub(super) fn run(
    args: &RunArgs,
    scenario: &DrillScenario,
    out: &mut Out<'_>,
) -> Result<(), Failure> {
    let client = Client::new(&args.client)?;
    client.reach()?;
    let mut play = Play {
        args,
        scenario,
        client: &client,
        run: run_name(&scenario.name)?,
        began: Instant::now(),
        incident: None,
        firing: BTreeSet::new(),
    };
    let played = play.all(out);
    // Also after a failure: what fires would page on.
    let ended = play.end_alerts();
    played?;
    ended?;
    let Some(incident) = play.incident else {
        let why = "the routing policy opened no incident for the drill's alerts; \
                   `tocsin alert list` shows them";
        return Err(Failure::failed(why));
    };
    let is_over = play.is_over(incident)?;
    if is_over {
        play.await_last_update(incident, out)?;
    }
    let score = score(&client, incident, scenario)?;
    if args.output.output == Format::Json {
        return out.json(&json!({ "incident": incident, "score": score }));
    }
    out.line("")?;
    print(&score, out)?;
    if !is_over {
        out.line(format!(
            "incident {incident} is still open; `tocsin incident resolve {incident}` ends it"
        ))?;
    }
    Ok(())
}

struct Play<'a> {
    args: &'a RunArgs,
    scenario: &'a DrillScenario,
    client: &'a Client,
    /// Names this run, so that it is an incident of its own.
    run: String,
    began: Instant,
    incident: Option<u64>,
    firing: BTreeSet<String>,
}

impl Play<'_> {
    fn all(&mut self, out: &mut Out<'_>) -> Result<(), Failure> {
        for step in &self.scenario.steps {
            if self.wait(step.after_ms())? {
                return Ok(());
            }
            self.step(step, out)?;
        }
        self.wait(self.scenario.ends.as_ms()).map(drop)
    }

    /// Waits until a time of the drill, in milliseconds, or until the incident is resolved; says
    /// whether it is.
    fn wait(&mut self, until_ms: u64) -> Result<bool, Failure> {
        let until = Duration::from_millis(until_ms) / self.args.speed;
        loop {
            let left = until.saturating_sub(self.began.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            if self
                .client
                .pause_or_interrupted(left_ms.clamp(1, LOOK_EVERY_MS))
            {
                return Err(Failure::failed(
                    "the drill was interrupted; its alerts are over",
                ));
            }
            if let Some(incident) = self.incident
                && self.is_over(incident)?
            {
                return Ok(true);
            }
        }
    }

    fn is_over(&self, incident: u64) -> Result<bool, Failure> {
        Ok(!self.detail(incident)?.line.status.is_active())
    }

    /// Gives people time to say that it is over: that keeps their last promises.
    fn await_last_update(&self, incident: u64, out: &mut Out<'_>) -> Result<(), Failure> {
        let began = Instant::now();
        let mut is_told = false;
        while began.elapsed() < LAST_UPDATE_WITHIN && !self.detail(incident)?.promises.is_empty() {
            if !std::mem::replace(&mut is_told, true) {
                self.show("resolved; waiting for the last updates", out)?;
            }
            if self.client.pause_or_interrupted(LOOK_EVERY_MS) {
                break;
            }
        }
        Ok(())
    }

    fn detail(&self, incident: u64) -> Result<IncidentDetail, Failure> {
        let path = format!("/api/v1/incidents/{incident}");
        self.patiently(|| self.client.get(&path)?.read())
    }

    fn step(&mut self, step: &DrillStep, out: &mut Out<'_>) -> Result<(), Failure> {
        // It was checked when the file was read.
        let happening = step.happening().map_err(Failure::usage)?;
        let text = match happening {
            Happening::Fires(title) => {
                self.alert(step, title, true)?;
                self.firing.insert(title.to_owned());
                format!("alert fires: {title}")
            }
            Happening::Ends(title) => {
                self.alert(step, title, false)?;
                self.firing.remove(title);
                format!("alert is over: {title}")
            }
            // Whoever runs the drill may see it no more, once it is a security incident.
            Happening::Says(text) | Happening::Asks(text) => match self.tell(text) {
                Ok(()) => text.to_owned(),
                Err(why) => format!("{text} (nobody was told: {})", why.text),
            },
        };
        self.show(&text, out)
    }

    fn show(&self, text: &str, out: &mut Out<'_>) -> Result<(), Failure> {
        if self.args.output.output == Format::Json {
            return Ok(());
        }
        let seconds = self.began.elapsed().as_secs();
        let incident = self.incident.map_or(String::new(), |it| format!("#{it}"));
        let text = clean(text);
        out.line(format!(
            "{:>3}:{:02}  {incident:<5} {text}",
            seconds / 60,
            seconds % 60
        ))
    }

    fn alert(&mut self, step: &DrillStep, title: &str, firing: bool) -> Result<(), Failure> {
        let mut labels = step.labels.clone();
        for (label, given) in [("team", &self.args.team), ("service", &self.args.service)] {
            if let Some(given) = given {
                labels.insert(label.to_owned(), given.clone());
            }
        }
        let alert = DrillAlert {
            run: self.run.clone(),
            alert: title.to_owned(),
            summary: step.summary.clone(),
            labels,
            firing,
        };
        let post = || self.client.post("/api/v1/drills/alerts", &alert)?.read();
        let run: DrillRun = self.patiently(post)?;
        self.incident = self.incident.or(run.incident);
        Ok(())
    }

    /// Enters in the log what people hear or are asked.
    fn tell(&self, text: &str) -> Result<(), Failure> {
        let Some(incident) = self.incident else {
            return Ok(());
        };
        let path = format!("/api/v1/incidents/{incident}/actions");
        let action: Value = json!({ "action": "log", "kind": "note", "body": text });
        let post = || self.client.post(&path, &action)?.read();
        self.patiently::<Outcome>(post).map(drop)
    }

    fn end_alerts(&mut self) -> Result<(), Failure> {
        let firing = std::mem::take(&mut self.firing);
        let step = DrillStep::default();
        // All of them, also if the request for one fails.
        let ended = firing.iter().map(|it| self.alert(&step, it, false));
        ended.fold(Ok(()), Result::and)
    }

    fn patiently<T>(&self, request: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
        let mut tries = 0;
        loop {
            match request() {
                Err(_) if tries < RETRIES && self.client.reach().is_err() => {
                    tries += 1;
                    self.client.pause(RETRY_EVERY_MS);
                }
                answer => return answer,
            }
        }
    }
}

fn run_name(drill: &str) -> Result<String, Failure> {
    let mut random = [0; 4];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::failed(format!("cannot get random bytes: {error}")))?;
    let name: String = drill.chars().take(RUN_CHARS_MAX).collect();
    Ok(format!("{name}-{}", hex::encode(random)))
}
