//! The functions of the component's imports, implemented by this thread's [`FakeHost`].

use super::{Command, FakeHost, QueuedJob, State};
use crate::types::{Actor, Incident};

impl FakeHost {
    fn with<T>(act: impl FnOnce(&mut State) -> T) -> T {
        let host = FakeHost::current();
        let mut state = host.0.borrow_mut();
        act(&mut state)
    }
}

impl State {
    fn command(&mut self, verb: &'static str, id: Option<&str>, text: &str, by: Option<&Actor>) {
        let command = Command {
            verb,
            id: id.map(Into::into),
            text: text.into(),
            by: by.cloned(),
        };
        self.commands.push(command);
    }

    /// By its id or, as in the daemon, its number.
    fn incident(&self, id: &str) -> Result<Incident, super::CommandError> {
        let numbered = || {
            let mut all = self.incidents.values();
            all.find(|it| it.number.to_string() == id)
        };
        let found = self.incidents.get(id).or_else(numbered);
        found.cloned().ok_or(super::CommandError::NotFound)
    }
}

pub(crate) mod log {
    use super::FakeHost;
    use crate::types::{Field, Level};

    pub(crate) fn write(level: Level, message: &str, _: &[Field]) {
        FakeHost::with(|host| host.logs.push(format!("{level:?}: {message}")));
    }
}

pub(crate) mod clock {
    use super::FakeHost;

    pub(crate) fn now() -> u64 {
        FakeHost::with(|host| host.now)
    }

    pub(crate) fn monotonic() -> u64 {
        now() * 1_000_000
    }

    /// Other ones each time, and the same in every test.
    pub(crate) fn random_bytes(len: u32) -> Vec<u8> {
        FakeHost::with(|host| {
            let from = host.drawn;
            host.drawn += len;
            (from..host.drawn).map(|it| (it % 256) as u8).collect()
        })
    }
}

pub(crate) mod config {
    use super::FakeHost;

    pub(crate) fn get(key: &str) -> Option<String> {
        FakeHost::with(|host| host.config.get(key).cloned())
    }

    pub(crate) fn all() -> String {
        let typed = |text: &String| match text.starts_with('[') {
            true => serde_json::from_str(text).unwrap_or_default(),
            false => serde_json::Value::from(text.as_str()),
        };
        FakeHost::with(|host| {
            let settings = host.config.iter();
            let settings = settings.map(|(key, value)| (key.clone(), typed(value)));
            serde_json::Value::Object(settings.collect()).to_string()
        })
    }

    pub(crate) fn has_secret(name: &str) -> bool {
        FakeHost::with(|host| !host.secrets_unset.contains(name))
    }
}

pub(crate) mod kv {
    use super::super::Stored;
    use super::FakeHost;
    use crate::kv::{Entry, KvError, Page};

    pub(crate) fn get(key: &str) -> Result<Option<Entry>, KvError> {
        FakeHost::with(|host| {
            let found = host.kv.get(key).filter(|it| it.is_kept(host.now));
            Ok(found.map(|it| Entry {
                value: it.value.clone(),
                revision: it.revision,
            }))
        })
    }

    pub(crate) fn set(key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<u64, KvError> {
        FakeHost::with(|host| {
            host.kv_revision += 1;
            let stored = Stored {
                value: value.to_vec(),
                revision: host.kv_revision,
                expires_at: ttl_ms.map(|it| host.now + it),
            };
            host.kv.insert(key.into(), stored);
            Ok(host.kv_revision)
        })
    }

    pub(crate) fn swap(
        key: &str,
        expected: Option<u64>,
        value: &[u8],
        ttl_ms: Option<u64>,
    ) -> Result<u64, KvError> {
        let current = get(key)?.map(|it| it.revision);
        if current == expected {
            set(key, value, ttl_ms)
        } else {
            Err(KvError::Conflict)
        }
    }

    pub(crate) fn delete(key: &str) -> Result<bool, KvError> {
        FakeHost::with(|host| Ok(host.kv.remove(key).is_some()))
    }

    pub(crate) fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Page, KvError> {
        FakeHost::with(|host| {
            let kept = host.kv.iter().filter(|it| it.1.is_kept(host.now));
            let keys = kept.map(|it| it.0).filter(|it| it.starts_with(prefix));
            let keys = keys.filter(|it| after.is_none_or(|after| it.as_str() > after));
            let keys: Vec<String> = keys.take(limit as usize).cloned().collect();
            let is_last = keys.len() < limit as usize;
            Ok(Page {
                cursor: keys.last().filter(|_| !is_last).cloned(),
                keys,
            })
        })
    }
}

pub(crate) mod http {
    use super::FakeHost;
    use crate::http::{HttpError, Request, Response};

    pub(crate) fn send(request: &Request) -> Result<Response, HttpError> {
        FakeHost::with(|host| {
            let once = request
                .once
                .as_ref()
                .map(|key| format!("{}/{key}", host.delivery));
            if let Some(key) = &once {
                if let Some(found) = host.remembered.get(key) {
                    return Ok(Response {
                        replayed: true,
                        ..found.clone()
                    });
                }
                if host.started.contains(key) {
                    return Err(HttpError::OutcomeUnknown(key.clone()));
                }
            }
            host.requests.push(request.clone());
            let answer = (host.outside)(request);
            let sent = format!("{} {}", request.method, request.url);
            if host
                .lose_answer
                .as_ref()
                .is_some_and(|it| sent.ends_with(it))
            {
                host.lose_answer = None;
                host.started.extend(once);
                return Err(HttpError::Timeout);
            }
            if let (Some(key), Ok(response)) = (once, &answer)
                && response.is_success()
            {
                host.remembered.insert(key, response.clone());
            }
            answer
        })
    }

    pub(crate) fn forget(once: &str) {
        FakeHost::with(|host| {
            let key = format!("{}/{once}", host.delivery);
            host.remembered.remove(&key);
            host.started.remove(&key);
        });
    }
}

pub(crate) mod mail {
    use super::FakeHost;
    use crate::mail::{Email, MailError, Receipt};

    pub(crate) fn send(email: &Email) -> Result<Receipt, MailError> {
        FakeHost::with(|host| {
            host.mails.push(email.clone());
            Ok(Receipt {
                message_id: format!("<{}@fake>", host.mails.len()),
                replayed: false,
            })
        })
    }
}

pub(crate) mod people {
    use super::FakeHost;
    use crate::types::Person;

    pub(crate) fn by_contact(kind: &str, id: &str) -> Option<Person> {
        FakeHost::with(|host| {
            let mut people = host.people.iter();
            people.find(|it| it.contact(kind) == Some(id)).cloned()
        })
    }

    pub(crate) fn by_id(id: &str) -> Option<Person> {
        FakeHost::with(|host| host.people.iter().find(|it| it.id == id).cloned())
    }
}

pub(crate) mod jobs {
    use super::{FakeHost, QueuedJob};
    use crate::types::JobOptions;

    pub(crate) fn enqueue(
        topic: &str,
        payload: &str,
        options: &JobOptions,
    ) -> Result<String, String> {
        FakeHost::with(|host| {
            let job = QueuedJob {
                topic: topic.into(),
                payload: payload.into(),
                delay_ms: options.delay_ms,
                dedup_key: options.dedup_key.clone(),
            };
            host.jobs.push(job.clone());
            let key = job.dedup_key.as_ref();
            let mut waiting = host.waiting.iter_mut();
            let same = waiting.find(|it| key.is_some() && it.1.dedup_key.as_ref() == key);
            match same {
                // As the daemon: it keeps its place and its time.
                Some((_, waiting)) => *waiting = job,
                None => host.waiting.push((host.now + options.delay_ms, job)),
            }
            Ok(format!("job-{}", host.jobs.len()))
        })
    }
}

pub(crate) mod commands {
    use super::FakeHost;
    use crate::commands::{CommandError, Draft, LogDraft};
    use crate::types::{Actor, Incident, Receipt};

    type Done<T> = Result<T, CommandError>;

    pub(crate) fn get(id: &str) -> Done<Incident> {
        FakeHost::with(|host| host.incident(id))
    }

    pub(crate) fn list(_: &str, _: Option<&str>) -> Done<Vec<Incident>> {
        FakeHost::with(|host| Ok(host.incidents.values().cloned().collect()))
    }

    pub(crate) fn find_by_ref(kind: &str, id: &str) -> Done<Option<Incident>> {
        FakeHost::with(|host| {
            let found = host.refs.get(&(kind.into(), id.into())).cloned();
            found.map(|id| host.incident(&id)).transpose()
        })
    }

    pub(crate) fn open(draft: &Draft, by: &Actor) -> Done<Incident> {
        FakeHost::with(|host| {
            host.command("open", None, &draft.title, Some(by));
            host.command_answer.clone()?;
            Ok(super::super::incident())
        })
    }

    pub(crate) fn run(id: Option<&str>, line: &str, by: &Actor) -> Done<String> {
        FakeHost::with(|host| {
            host.command("run", id, line, Some(by));
            host.command_answer.clone()
        })
    }

    pub(crate) fn apply(id: &str, action: &str, by: &Actor) -> Done<String> {
        FakeHost::with(|host| {
            host.command("apply", Some(id), action, Some(by));
            Ok("{}".into())
        })
    }

    pub(crate) fn acknowledge(page: &str, item: Option<&str>, by: &Actor) -> Done<String> {
        FakeHost::with(|host| {
            let item = item.unwrap_or_default();
            host.command("acknowledge", Some(page), item, Some(by));
            host.command_answer.clone()
        })
    }

    pub(crate) fn receipt(page: &str, receipt: Receipt, by: Option<&Actor>) -> Done<()> {
        let what = match receipt {
            Receipt::Seen => "seen",
            Receipt::Pressed => "pressed",
        };
        FakeHost::with(|host| {
            host.command("receipt", Some(page), what, by);
            host.command_answer.clone().map(drop)
        })
    }

    pub(crate) fn answer(prompt: &str, choice: &str, by: &Actor) -> Done<String> {
        FakeHost::with(|host| {
            host.command("answer", Some(prompt), choice, Some(by));
            host.command_answer.clone()
        })
    }

    pub(crate) fn add_log(id: &str, entry: &LogDraft, by: &Actor) -> Done<()> {
        FakeHost::with(|host| host.command("log", Some(id), &entry.body, Some(by)));
        Ok(())
    }

    pub(crate) fn link(id: &str, kind: &str, ref_id: &str, _: Option<&str>) -> Done<()> {
        FakeHost::with(|host| {
            host.command("link", Some(id), &format!("{kind} {ref_id}"), None);
            host.refs.insert((kind.into(), ref_id.into()), id.into());
        });
        Ok(())
    }

    pub(crate) fn record_change(change: &str) -> Done<()> {
        FakeHost::with(|host| host.command("record-change", None, change, None));
        Ok(())
    }

    pub(crate) fn signal(signal: &str) -> Done<()> {
        FakeHost::with(|host| host.command("signal", None, signal, None));
        Ok(())
    }
}
