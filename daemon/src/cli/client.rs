//! The client of a running daemon's API. Only the daemon opens the store, so every command about
//! incidents, alerts, silences and tokens goes through the API.

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

/// Request timeout, in seconds.
const ANSWER_S_MAX: u64 = 30;
/// Largest response that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Longest plain-text error that is shown, in bytes; a longer one is probably a proxy's page.
const REASON_BYTES_MAX: usize = 500;
/// How to get a token.
const GET_TOKEN: &str = "the first start wrote one to admin.token in the data folder: pass it with \
                         --token-file FILE or TOCSIN_TOKEN_FILE; `tocsin token create` makes more";

/// The daemon's URL and the caller's token.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Daemon")]
pub(super) struct ClientArgs {
    /// URL of the daemon
    #[arg(
        long,
        env = "TOCSIN_URL",
        default_value = "http://127.0.0.1:9377",
        value_name = "URL"
    )]
    url: String,
    /// API token; visible to other users of this machine, so prefer --token-file
    ///
    /// Without --token and --token-file, the token is read from the environment variable
    /// TOCSIN_TOKEN, or else from the file that TOCSIN_TOKEN_FILE names.
    #[arg(long, value_name = "TOKEN")]
    token: Option<SecretString>,
    /// File that contains only the token, such as admin.token in the data folder
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A daemon's response: JSON, or null when the body is empty.
#[derive(Debug)]
pub(super) struct Answer(Value);

/// Sends requests to a daemon.
pub(super) struct Client {
    url: String,
    token: Option<SecretString>,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Client {
    /// A client for these arguments. The command line takes precedence over the environment, and
    /// a token over a file.
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
            // A redirect must not send the token to another server.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Failure::failed(format!("cannot set up the HTTP client: {error}")))?;
        Ok(Self {
            url: args.url.trim_end_matches('/').to_owned(),
            token,
            http,
            runtime: super::runtime()?,
        })
    }

    /// Whether a daemon answers at all; needs no token.
    pub(super) fn reach(&self) -> Result<(), Failure> {
        let url = format!("{}/healthz", self.url);
        // Built inside the runtime: its timeout needs the runtime's timer.
        let answer = self
            .runtime
            .block_on(async { self.http.get(url).send().await });
        answer.map(drop).map_err(|error| self.no_daemon(&error))
    }

    /// Waits before the next request.
    pub(super) fn pause(&self, ms: u64) {
        let pause = Duration::from_millis(ms);
        self.runtime
            .block_on(async { tokio::time::sleep(pause).await });
    }

    /// Waits as [`pause`](Self::pause); says whether it was interrupted by Ctrl-C meanwhile.
    pub(super) fn pause_or_interrupted(&self, ms: u64) -> bool {
        let pause = Duration::from_millis(ms);
        self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(pause) => false,
                _ = tokio::signal::ctrl_c() => true,
            }
        })
    }

    /// Sends a GET request.
    pub(super) fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.ask(Method::GET, path, None::<&()>)
    }

    /// Sends a GET request with a query.
    pub(super) fn list(&self, path: &str, query: &impl Serialize) -> Result<Answer, Failure> {
        let query = serde_urlencoded::to_string(query)
            .map_err(|error| Failure::failed(format!("cannot encode the query: {error}")))?;
        self.get(&format!("{path}?{query}"))
    }

    /// Sends a POST request with a JSON body.
    pub(super) fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        self.ask(Method::POST, path, Some(body))
    }

    /// Sends a DELETE request.
    pub(super) fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.ask(Method::DELETE, path, None::<&()>)
    }

    /// Sends a GET request with a query, whose answer is text.
    pub(super) fn text(&self, path: &str, query: &impl Serialize) -> Result<String, Failure> {
        let query = serde_urlencoded::to_string(query)
            .map_err(|error| Failure::failed(format!("cannot encode the query: {error}")))?;
        let path = format!("{path}?{query}");
        let (status, text) = self.send(Method::GET, &path, None::<&()>)?;
        if status.is_success() {
            return Ok(text);
        }
        let value = serde_json::from_str(&text);
        Err(self.refused(status, value.unwrap_or(Value::String(text))))
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Answer, Failure> {
        let url = format!("{}{path}", self.url);
        let (status, text) = self.send(method, path, body)?;
        let value = match text.trim() {
            "" => Ok(Value::Null),
            text => serde_json::from_str(text),
        };
        match value {
            Ok(value) if status.is_success() => Ok(Answer(value)),
            Err(_) if status.is_success() => Err(Failure::failed(format!(
                "{url} answers {status} without JSON; is it a tocsin daemon? name another with \
                 --url"
            ))),
            value => Err(self.refused(status, value.unwrap_or(Value::String(text)))),
        }
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<(StatusCode, String), Failure> {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method, &url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let answer = request
                .send()
                .await
                .map_err(|error| self.no_daemon(&error))?;
            let status = answer.status();
            if answer.content_length().unwrap_or(0) > ANSWER_BYTES_MAX {
                return Err(Failure::failed(format!(
                    "the response is over {ANSWER_BYTES_MAX} bytes; ask for less"
                )));
            }
            let text = answer
                .text()
                .await
                .map_err(|error| self.no_daemon(&error))?;
            Ok((status, text))
        })
    }

    fn no_daemon(&self, error: &reqwest::Error) -> Failure {
        if error.is_builder() {
            let url = &self.url;
            return Failure::usage(format!(
                "`{url}` is not a valid URL; write --url http://HOST:PORT"
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

    /// The daemon's reason for refusing, with its remedy.
    fn refused(&self, status: StatusCode, answer: Value) -> Failure {
        // Alertmanager's API answers with a string instead of problem details.
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
                Some(_) => "the token is unknown or revoked",
            };
            text = format!("{had}; {GET_TOKEN}");
        }
        Failure::failed(format!("{text} ({})", status.as_u16()))
    }
}

impl Answer {
    /// The response as the API's type.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        T::deserialize(&self.0).map_err(|error| {
            Failure::failed(format!(
                "cannot read the daemon's response: {error}; is the daemon another version? \
                 --output json shows the response"
            ))
        })
    }

    /// Keeps the items of a list for which `keep` is true, unchanged.
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

    /// The first item of the list `name` for which `is_it` is true.
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

    /// Prints the response: as JSON unchanged, as text with `print`.
    pub(super) fn show<T: DeserializeOwned>(
        &self,
        output: OutputArg,
        out: &mut Out<'_>,
        print: impl FnOnce(&T, &mut Out<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match output.output {
            Format::Json => out.json(&self.0),
            Format::Text => print(&self.read()?, out),
        }
    }
}

/// A percent-encoded path segment.
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
