//! Silences that people set, list and end in a chat.

use tocsin_core::time::in_words;
use tocsin_plugin_host::wit;
use tocsin_plugin_host::wit::CommandError;

use super::{Call, refused};
use crate::actions::{NewSilence, SilenceLine, set_silence};
use crate::runtime::SilenceError;
use crate::silence::{Matcher, Silence, SilenceState};

/// Most silences that a list names, those that end first.
const LISTED_MAX: usize = 20;

impl Call<'_> {
    pub(super) async fn about_silences(
        &self,
        line: SilenceLine,
        by: &wit::Actor,
    ) -> Result<String, CommandError> {
        match line {
            SilenceLine::Set(new) => self.silence(new, by).await,
            SilenceLine::List => self.caller(by).map(|_| self.silences()),
            SilenceLine::End(matchers) => self.end_silence(&matchers, by).await,
        }
    }

    async fn silence(&self, new: NewSilence, by: &wit::Actor) -> Result<String, CommandError> {
        let caller = self.caller(by)?;
        let (silences, now) = (&self.access.silences, self.access.clock.now());
        let lasts = new.lasts;
        let posted = new.postable(caller.by.to_string(), now);
        let set = set_silence(silences, posted, now, &self.access.writer).await;
        let created = set.map_err(not_set)?;
        let id = created.silence_id;
        let set = silences.all().iter().find(|it| it.id == id).cloned();
        let matchers = set.map(|it| matchers(&it.matchers)).unwrap_or_default();
        let warnings = created.warnings.iter();
        let warnings: String = warnings.map(|it| format!(" Warning: {it}.")).collect();
        Ok(format!(
            "silenced for {lasts}; `silence end {matchers}` ends it.{warnings}"
        ))
    }

    /// Those that are active or begin later, the first to end first.
    fn silences(&self) -> String {
        let now = self.access.clock.now();
        let all = self.access.silences.all();
        let mut all: Vec<&Silence> = all.iter().map(AsRef::as_ref).collect();
        all.retain(|it| it.state(now) != SilenceState::Expired);
        all.sort_by_key(|it| it.ends_at);
        let line = |it: &&Silence| {
            let when = match it.state(now) {
                SilenceState::Pending => format!("in {}", in_words(it.starts_at.since(now))),
                _ => format!("for another {}", in_words(it.ends_at.since(now))),
            };
            let matchers = matchers(&it.matchers);
            format!("{matchers}: {when}, by {}: {}", it.created_by, it.comment)
        };
        let mut lines: Vec<String> = all.iter().take(LISTED_MAX).map(line).collect();
        if all.len() > LISTED_MAX {
            let more = all.len() - LISTED_MAX;
            lines.push(format!("and {more} more; `tocsin silence list` shows all"));
        }
        match lines.is_empty() {
            true => "nothing is silenced".to_owned(),
            false => lines.join("\n"),
        }
    }

    /// Ends those that were set with these matchers, in any order.
    async fn end_silence(
        &self,
        wanted: &[Matcher],
        by: &wit::Actor,
    ) -> Result<String, CommandError> {
        self.caller(by)?;
        let (silences, now) = (&self.access.silences, self.access.clock.now());
        let is_it = |it: &Silence| {
            it.state(now) != SilenceState::Expired
                && it.matchers.len() == wanted.len()
                && wanted.iter().all(|matcher| it.matchers.contains(matcher))
        };
        let all = silences.all();
        let ending = all.iter().filter(|it| is_it(it));
        let ending: Vec<&str> = ending.map(|it| it.id.as_str()).collect();
        if ending.is_empty() {
            let what = matchers(wanted);
            let why = format!("nothing is silenced by {what}; `silence list` shows what is");
            return Err(CommandError::Invalid(why));
        }
        for id in &ending {
            let ended = silences.expire(id, now, &self.access.writer).await;
            ended.map_err(not_set)?;
        }
        Ok("the silence has ended; what still fires pages somebody".to_owned())
    }
}

/// As they are typed.
fn matchers(all: &[Matcher]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(" ")
}

fn not_set(error: SilenceError) -> CommandError {
    match error {
        SilenceError::Refused(why) => CommandError::Invalid(why.to_string()),
        SilenceError::Engine(error) => refused(error),
    }
}
