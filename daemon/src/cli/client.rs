//! The way to a running daemon: its API, with a token. The store belongs to the daemon alone, so
//! every command about incidents, alerts, silences and tokens asks it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failure::Failure;
use super::output::{Format, Out, OutputArg, clean};
use crate::api::ProblemDetails;

/// How long the daemon has to answer, in seconds.
const ANSWER_S_MAX: u64 = 30;
/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Longest refusal in plain text that is shown, in bytes; a longer one is some proxy's page.
const REASON_BYTES_MAX: usize = 500;
/// How to get a token.
const GET_TOKEN: &str = "the first start wrote one to admin.token in the data folder: give it by \
                         --token-file FILE or TOCSIN_TOKEN_FILE; `tocsin token create` makes more";

/// Where the daemon is, and who asks.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Daemon")]
pub(super) struct ClientArgs {
    /// Where the daemon is
    #[arg(
        long,
        env = "TOCSIN_URL",
        default_value = "http://127.0.0.1:9377",
        value_name = "URL"
    )]
    url: String,
    /// A token; other people on this machine can see it here, so prefer --token-file
    ///
    /// Left out, with --token-file too, the environment's TOCSIN_TOKEN is the token, or else the
    /// file that TOCSIN_TOKEN_FILE names holds it.
    #[arg(long, value_name = "TOKEN")]
    token: Option<SecretString>,
    /// A file that holds the token and nothing else, such as admin.token in the data folder
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// What a daemon answered: JSON, or null when it answered nothing.
#[derive(Debug)]
pub(super) struct Answer(Value);

/// Asks a daemon.
pub(super) struct Client {
    url: String,
    token: Option<SecretString>,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Client {
    /// A client for what the arguments say. The command line takes precedence over the
    /// environment, and a token over a file.
    pub(super) fn new(args: &ClientArgs) -> Result<Self, Failure> {
        let env = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty());
        let env_token = || env("TOCSIN_TOKEN").and_then(|it| it.into_string().ok());
        let (mut token, mut file) = (args.token.clone(), args.token_file.clone());
        if token.is_none() && file.is_none() {
            token = env_token().map(|it| SecretString::from(it.trim()));
            file = env("TOCSIN_TOKEN_FILE").map(PathBuf::from);
        }
        let token = match (&token, &file) {
            (Some(token), _) => Some(token.clone()),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    let path = path.display();
                    Failure::usage(format!("cannot read the token in {path}: {error}"))
                })?;
                Some(SecretString::from(text.trim()))
            }
            (None, None) => None,
        };
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(ANSWER_S_MAX))
            .user_agent(concat!("tocsin/", env!("CARGO_PKG_VERSION")))
            // A token goes to the daemon that was named and to nobody else.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Failure::failed(format!("no HTTP client: {error}")))?;
        Ok(Self {
            url: args.url.trim_end_matches('/').to_owned(),
            token,
            http,
            runtime: super::runtime()?,
        })
    }

    /// Whether a daemon answers at all; it needs no token for that.
    pub(super) fn reach(&self) -> Result<(), Failure> {
        let url = format!("{}/healthz", self.url);
        // Inside, because a request asks for the runtime's clock as soon as it is made.
        let answer = self
            .runtime
            .block_on(async { self.http.get(url).send().await });
        answer.map(drop).map_err(|error| self.no_daemon(&error))
    }

    /// What is at a path.
    pub(super) fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.ask(Method::GET, path, None::<&()>)
    }

    /// What is at a path, as far as the query asks for it.
    pub(super) fn list(&self, path: &str, query: &impl Serialize) -> Result<Answer, Failure> {
        let query = serde_urlencoded::to_string(query)
            .map_err(|error| Failure::failed(format!("the query cannot be written: {error}")))?;
        self.get(&format!("{path}?{query}"))
    }

    /// What the daemon answers to a body.
    pub(super) fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        self.ask(Method::POST, path, Some(body))
    }

    /// Removes what is at a path.
    pub(super) fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.ask(Method::DELETE, path, None::<&()>)
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Answer, Failure> {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method, &url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let (status, text) = self.runtime.block_on(async {
            let answer = request
                .send()
                .await
                .map_err(|error| self.no_daemon(&error))?;
            let status = answer.status();
            if answer.content_length().unwrap_or(0) > ANSWER_BYTES_MAX {
                return Err(Failure::failed(format!(
                    "the answer is over {ANSWER_BYTES_MAX} bytes; ask for less"
                )));
            }
            let text = answer
                .text()
                .await
                .map_err(|error| self.no_daemon(&error))?;
            Ok((status, text))
        })?;
        let value = match text.trim() {
            "" => Ok(Value::Null),
            text => serde_json::from_str(text),
        };
        match value {
            Ok(value) if status.is_success() => Ok(Answer(value)),
            Err(_) if status.is_success() => Err(Failure::failed(format!(
                "{url} answers {status} without JSON; is it a tocsin? name another with --url"
            ))),
            value => Err(self.refused(status, value.unwrap_or(Value::String(text)))),
        }
    }

    fn no_daemon(&self, error: &reqwest::Error) -> Failure {
        if error.is_builder() {
            let url = &self.url;
            return Failure::usage(format!(
                "`{url}` is not a URL; write --url http://HOST:PORT"
            ));
        }
        let mut why: &dyn std::error::Error = error;
        while let Some(source) = why.source() {
            why = source;
        }
        Failure::failed(format!(
            "no daemon answers at {}: {why}; start one with `tocsin serve`, or name another with \
             --url",
            self.url
        ))
    }

    /// What the daemon said against it, with its remedy.
    fn refused(&self, status: StatusCode, answer: Value) -> Failure {
        // Alertmanager's API answers a text instead of problem details.
        let problem = match answer {
            Value::String(detail) if detail.len() < REASON_BYTES_MAX => ProblemDetails {
                detail,
                ..ProblemDetails::default()
            },
            answer => serde_json::from_value(answer).unwrap_or_default(),
        };
        let said = [problem.detail.as_str(), problem.title.as_str()];
        let said = said.into_iter().find(|it| !it.is_empty());
        let mut text = clean(said.unwrap_or("the daemon gives no reason"));
        if let Some(remedy) = problem.more.get("remedy").and_then(Value::as_str) {
            text.push_str("; ");
            text.push_str(&clean(remedy));
        }
        if status == StatusCode::UNAUTHORIZED {
            let had = match self.token {
                None => "no token was given",
                Some(_) => "the daemon does not know this token",
            };
            text = format!("{had}; {GET_TOKEN}");
        }
        Failure::failed(format!("{text} ({})", status.as_u16()))
    }
}

impl Answer {
    /// The answer as the type that the API gives there.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        T::deserialize(&self.0).map_err(|error| {
            Failure::failed(format!(
                "the daemon's answer is not understood: {error}; is it of another version? \
                 --output json shows it"
            ))
        })
    }

    /// Leaves out the items of a list that `keep` does not want; the others stay as they came.
    pub(super) fn retain<T: DeserializeOwned>(
        &mut self,
        keep: impl Fn(&T) -> bool,
    ) -> Result<(), Failure> {
        let kept = self.read::<Vec<T>>()?;
        let mut kept = kept.iter().map(keep);
        if let Value::Array(items) = &mut self.0 {
            items.retain(|_| kept.next().unwrap_or(true));
        }
        Ok(())
    }

    /// The first item of the list `name` that `is_it` takes.
    pub(super) fn item<T: DeserializeOwned>(
        &self,
        name: &str,
        is_it: impl Fn(&T) -> bool,
    ) -> Result<Option<Self>, Failure> {
        let items = self.0.get(name).and_then(Value::as_array);
        for item in items.into_iter().flatten() {
            let item = Self(item.clone());
            if is_it(&item.read()?) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// Prints the answer: as JSON every member of it, as text what `tell` makes of it.
    pub(super) fn show<T: DeserializeOwned>(
        &self,
        output: OutputArg,
        out: &mut Out<'_>,
        tell: impl FnOnce(&T, &mut Out<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match output.output {
            Format::Json => out.json(&self.0),
            Format::Text => tell(&self.read()?, out),
        }
    }
}

/// A part of a path, with what would end it written as `%XX`.
pub(super) fn path_part(text: &str) -> String {
    let mut part = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                part.push(char::from(byte));
            }
            _ => part.push_str(&format!("%{byte:02X}")),
        }
    }
    part
}

#[cfg(test)]
mod tests;
