//! `commands`: a plugin's requests to the incident engine, limited to its verbs, once per key.

use super::Services;
use super::context::Context;
use super::service::{Reply, not_provided};
use crate::rights::manifest::Verb;
use crate::wit::commands::{Actor, CommandError, Draft, Host, Incident, LogDraft, PageReceipt};
use std::fmt;
use std::sync::Arc;

const COMMANDS_PER_CALL: u32 = 100;

/// The calling plugin, and the key under which the command takes effect once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandCaller {
    pub plugin: String,
    /// Stable across retries: derived from the delivery, the function, its arguments, and the
    /// number of equal commands before it in this call.
    pub key: String,
}

/// A future with the result of a command.
pub type CommandReply<'a, T> = Reply<'a, T, CommandError>;

/// What the daemon provides: the functions of the interface `commands`, each with its caller. Verbs
/// are already checked; the implementation resolves `by` and decides what that person may do. Each
/// command takes effect once per key.
pub trait CommandService: Send + Sync + 'static {
    fn get_incident(&self, _caller: CommandCaller, _id: String) -> CommandReply<'_, Incident> {
        not_provided()
    }

    fn list_incidents(
        &self,
        _caller: CommandCaller,
        _filter: String,
        _after: Option<String>,
    ) -> CommandReply<'_, Vec<Incident>> {
        not_provided()
    }

    fn find_incident(
        &self,
        _caller: CommandCaller,
        _kind: String,
        _id: String,
    ) -> CommandReply<'_, Option<Incident>> {
        not_provided()
    }

    fn open_incident(
        &self,
        _caller: CommandCaller,
        _draft: Draft,
        _by: Actor,
    ) -> CommandReply<'_, Incident> {
        not_provided()
    }

    fn run_line(
        &self,
        _caller: CommandCaller,
        _incident_id: Option<String>,
        _line: String,
        _by: Actor,
    ) -> CommandReply<'_, String> {
        not_provided()
    }

    fn apply_action(
        &self,
        _caller: CommandCaller,
        _incident_id: String,
        _action: String,
        _by: Actor,
    ) -> CommandReply<'_, String> {
        not_provided()
    }

    fn acknowledge_page(
        &self,
        _caller: CommandCaller,
        _page_id: String,
        _item_id: Option<String>,
        _by: Actor,
    ) -> CommandReply<'_, String> {
        not_provided()
    }

    fn report_receipt(
        &self,
        _caller: CommandCaller,
        _page_id: String,
        _receipt: PageReceipt,
        _by: Option<Actor>,
    ) -> CommandReply<'_, ()> {
        not_provided()
    }

    fn answer_prompt(
        &self,
        _caller: CommandCaller,
        _prompt_id: String,
        _choice_id: String,
        _by: Actor,
    ) -> CommandReply<'_, String> {
        not_provided()
    }

    fn add_log(
        &self,
        _caller: CommandCaller,
        _incident_id: String,
        _entry: LogDraft,
        _by: Actor,
    ) -> CommandReply<'_, ()> {
        not_provided()
    }

    fn link_incident(
        &self,
        _caller: CommandCaller,
        _incident_id: String,
        _kind: String,
        _ref_id: String,
        _url: Option<String>,
    ) -> CommandReply<'_, ()> {
        not_provided()
    }

    fn record_change(&self, _caller: CommandCaller, _change: String) -> CommandReply<'_, ()> {
        not_provided()
    }

    fn send_signal(&self, _caller: CommandCaller, _signal: String) -> CommandReply<'_, ()> {
        not_provided()
    }
}

type Answer<T> = wasmtime::Result<Result<T, CommandError>>;

/// A command's name and arguments as text, for its key. The format must never change: a call that
/// is retried after an upgrade must use the keys of its first attempt.
struct Arguments<'a>(&'a str, &'a [(&'a str, &'a dyn fmt::Debug)]);

impl fmt::Debug for Arguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct(self.0);
        for (name, value) in self.1 {
            text.field(name, value);
        }
        text.finish()
    }
}

impl Context {
    /// Checks the right, counts the command, and passes it to the daemon.
    async fn command<T>(
        &mut self,
        verb: Verb,
        arguments: String,
        call: impl for<'a> FnOnce(&'a dyn Services, CommandCaller) -> CommandReply<'a, T> + Send,
    ) -> Answer<T> {
        let _pause = self.pause();
        let caller = match self.admit(verb, &arguments) {
            Ok(caller) => caller,
            Err(error) => return Ok(Err(error)),
        };
        let services = Arc::clone(&self.shared.services);
        Ok(call(&*services, caller).await)
    }

    fn admit(&mut self, verb: Verb, arguments: &str) -> Result<CommandCaller, CommandError> {
        if self.facts.without_rights {
            return Err(CommandError::Denied(
                "commands are not available during this call".into(),
            ));
        }
        self.check_verb(verb)?;
        self.commands += 1;
        if self.commands > COMMANDS_PER_CALL {
            let message = format!("at most {COMMANDS_PER_CALL} commands per call; enqueue a job");
            return Err(CommandError::Unavailable(message));
        }
        Ok(CommandCaller {
            plugin: self.plugin().to_owned(),
            key: self.operation_key(verb.as_str(), arguments),
        })
    }

    fn check_verb(&mut self, verb: Verb) -> Result<(), CommandError> {
        let rights = &self.shared.rights;
        let Err(denied) = rights.verb(verb) else {
            return Ok(());
        };
        // `run` covers every line, `ack` only `ack` lines and the acknowledging of pages.
        if verb == Verb::Ack && rights.verb(Verb::Run).is_ok() {
            return Ok(());
        }
        Err(CommandError::Denied(self.deny(denied)))
    }
}

/// Formats a command's name and its named arguments.
macro_rules! arguments {
    ($command:literal, $($argument:ident),+) => {
        format!("{:?}", Arguments($command, &[$((stringify!($argument), &$argument)),+]))
    };
}

impl Host for Context {
    async fn get(&mut self, id: String) -> Answer<Incident> {
        let arguments = arguments!("Get", id);
        self.command(Verb::Get, arguments, |it, caller| {
            it.get_incident(caller, id)
        })
        .await
    }

    async fn list(&mut self, filter: String, after: Option<String>) -> Answer<Vec<Incident>> {
        let arguments = arguments!("List", filter, after);
        self.command(Verb::List, arguments, |it, caller| {
            it.list_incidents(caller, filter, after)
        })
        .await
    }

    async fn find_by_ref(&mut self, kind: String, id: String) -> Answer<Option<Incident>> {
        let arguments = arguments!("FindByRef", kind, id);
        self.command(Verb::FindByRef, arguments, |it, caller| {
            it.find_incident(caller, kind, id)
        })
        .await
    }

    async fn open(&mut self, draft: Draft, by: Actor) -> Answer<Incident> {
        let arguments = arguments!("Open", draft, by);
        self.command(Verb::Open, arguments, |it, caller| {
            it.open_incident(caller, draft, by)
        })
        .await
    }

    async fn run(
        &mut self,
        incident_id: Option<String>,
        line: String,
        by: Actor,
    ) -> Answer<String> {
        let arguments = arguments!("Run", incident_id, line, by);
        self.command(verb_of_line(&line), arguments, |it, caller| {
            it.run_line(caller, incident_id, line, by)
        })
        .await
    }

    async fn apply(&mut self, incident_id: String, action: String, by: Actor) -> Answer<String> {
        let arguments = arguments!("Apply", incident_id, action, by);
        self.command(Verb::Apply, arguments, |it, caller| {
            it.apply_action(caller, incident_id, action, by)
        })
        .await
    }

    async fn acknowledge(
        &mut self,
        page_id: String,
        item_id: Option<String>,
        by: Actor,
    ) -> Answer<String> {
        let arguments = arguments!("Acknowledge", page_id, item_id, by);
        self.command(Verb::Ack, arguments, |it, caller| {
            it.acknowledge_page(caller, page_id, item_id, by)
        })
        .await
    }

    async fn receipt(
        &mut self,
        page_id: String,
        receipt: PageReceipt,
        by: Option<Actor>,
    ) -> Answer<()> {
        let arguments = arguments!("Receipt", page_id, receipt, by);
        self.command(Verb::Receipt, arguments, |it, caller| {
            it.report_receipt(caller, page_id, receipt, by)
        })
        .await
    }

    async fn answer(&mut self, prompt_id: String, choice_id: String, by: Actor) -> Answer<String> {
        let arguments = arguments!("Answer", prompt_id, choice_id, by);
        self.command(Verb::Answer, arguments, |it, caller| {
            it.answer_prompt(caller, prompt_id, choice_id, by)
        })
        .await
    }

    async fn add_log(&mut self, incident_id: String, entry: LogDraft, by: Actor) -> Answer<()> {
        let arguments = arguments!("AddLog", incident_id, entry, by);
        self.command(Verb::Log, arguments, |it, caller| {
            it.add_log(caller, incident_id, entry, by)
        })
        .await
    }

    async fn link(
        &mut self,
        incident_id: String,
        kind: String,
        ref_id: String,
        url: Option<String>,
    ) -> Answer<()> {
        let arguments = arguments!("Link", incident_id, kind, ref_id, url);
        self.command(Verb::Link, arguments, |it, caller| {
            it.link_incident(caller, incident_id, kind, ref_id, url)
        })
        .await
    }

    async fn record_change(&mut self, change: String) -> Answer<()> {
        let arguments = arguments!("RecordChange", change);
        self.command(Verb::RecordChange, arguments, |it, caller| {
            it.record_change(caller, change)
        })
        .await
    }

    async fn signal(&mut self, signal: String) -> Answer<()> {
        let arguments = arguments!("Signal", signal);
        self.command(Verb::Signal, arguments, |it, caller| {
            it.send_signal(caller, signal)
        })
        .await
    }
}

/// The verb that a chat line needs: `ack` for one that begins with `ack`, else `run`.
fn verb_of_line(line: &str) -> Verb {
    if is_ack(line) { Verb::Ack } else { Verb::Run }
}

/// Whether the first word is `ack`, in a single line: a second line could be any command.
fn is_ack(line: &str) -> bool {
    line.split_whitespace().next() == Some("ack") && !line.trim().contains(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_ack_covers_one_line_that_begins_with_ack() {
        let cases = [
            ("ack", Verb::Ack),
            (" ack 42\n", Verb::Ack),
            ("acknowledge", Verb::Run),
            ("resolve", Verb::Run),
            ("ack\nresolve", Verb::Run),
            ("", Verb::Run),
        ];
        for (line, want) in cases {
            assert_eq!(verb_of_line(line), want, "{line:?}");
        }
    }

    #[test]
    fn the_arguments_in_a_key_are_written_as_in_every_release() {
        let (incident_id, url) = ("i1", None::<String>);
        let by = Actor {
            kind: "slack".into(),
            id: "U1".into(),
            display_name: None,
        };
        assert_eq!(
            arguments!("Link", incident_id, url),
            r#"Link { incident_id: "i1", url: None }"#
        );
        assert_eq!(
            arguments!("Open", by),
            r#"Open { by: Actor { kind: "slack", id: "U1", display-name: None } }"#
        );
    }
}
