//! Calling Statuspage's API. Errors are classified by whether Statuspage carried out the request:
//! no, perhaps, or there is nothing of that id.

use crate::page::{Component, PageIncident};
use crate::settings;
use serde::de::DeserializeOwned;
use tocsin_plugin_sdk::http::{self, HttpError, Request, Response};
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::text;
use tocsin_plugin_sdk::types::{Failure, Timestamp};

/// One slow response must leave time for the other requests of the same delivery.
const TIMEOUT_MS: u64 = 4_000;
/// Retry delay if Statuspage rate-limits without a `Retry-After`: it counts over 60 seconds.
const RATE_LIMITED_MS: u64 = 30_000;
/// Most incidents in one answer. Those of a year with their updates exceed what a call may read.
const LISTED: usize = 50;
/// Most answers that are read of a list.
const PAGES_MAX: usize = 4;
/// Of Statuspage's own words, in characters.
const SAID_CHARS_MAX: usize = 300;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ApiError {
    /// Statuspage did not carry it out.
    NotDone(Failure),
    /// There is no such thing; with the failure if that is the page.
    NotFound(Failure),
    /// Statuspage may have carried it out: read the page before it is sent again.
    Unsure(Failure),
}

impl ApiError {
    /// The failure to return if the call cannot continue.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::NotDone(failure) | Self::NotFound(failure) | Self::Unsure(failure) => failure,
        }
    }
}

/// The requests of one call about one page.
#[derive(Debug)]
pub(crate) struct Api {
    base: String,
    /// When the host stops this call.
    deadline: Option<Timestamp>,
}

impl Api {
    pub(crate) fn until(deadline: Timestamp) -> Self {
        Self {
            deadline: Some(deadline),
            ..Self::without_deadline()
        }
    }

    pub(crate) fn without_deadline() -> Self {
        let (url, page) = (settings::base_url(), settings::page_id());
        Self {
            base: format!("{url}/pages/{page}"),
            deadline: None,
        }
    }

    /// Whether the page can be read with the key.
    pub(crate) fn probe(&self) -> Result<(), ApiError> {
        self.read::<Vec<PageIncident>>("/incidents/unresolved?per_page=1")
            .map(drop)
    }

    /// The page's incidents that are not resolved.
    pub(crate) fn unresolved(&self) -> Result<Vec<PageIncident>, ApiError> {
        let mut all: Vec<PageIncident> = Vec::new();
        for page in 1..=PAGES_MAX {
            let query = format!("?per_page={LISTED}&page={page}");
            let found: Vec<PageIncident> = self.read(&format!("/incidents/unresolved{query}"))?;
            let is_last = found.len() < LISTED;
            all.extend(found);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// The page's newest incidents.
    pub(crate) fn recent(&self) -> Result<Vec<PageIncident>, ApiError> {
        self.read(&format!("/incidents?limit={LISTED}"))
    }

    /// An incident; none if the page does not have it.
    pub(crate) fn incident(&self, id: &str) -> Result<Option<PageIncident>, ApiError> {
        found(self.read(&format!("/incidents/{id}")))
    }

    /// A component; none if the page does not have it.
    pub(crate) fn component(&self, id: &str) -> Result<Option<Component>, ApiError> {
        found(self.read(&format!("/components/{id}")))
    }

    pub(crate) fn create(
        &self,
        body: &Value,
        once: Option<&str>,
    ) -> Result<PageIncident, ApiError> {
        self.write("POST", "create", "/incidents", body, once)
    }

    pub(crate) fn change(
        &self,
        id: &str,
        body: &Value,
        once: Option<&str>,
    ) -> Result<PageIncident, ApiError> {
        self.write("PATCH", "change", &format!("/incidents/{id}"), body, once)
    }

    fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let request = Request::get(format!("{}{path}", self.base)).auth("read");
        self.send(request)
    }

    fn write<T: DeserializeOwned>(
        &self,
        method: &str,
        right: &str,
        path: &str,
        body: &Value,
        once: Option<&str>,
    ) -> Result<T, ApiError> {
        let request = Request::new(method, format!("{}{path}", self.base));
        let request = request.auth(right).json(body);
        let mut request = request.map_err(|error| ApiError::NotDone(error.into()))?;
        request.once = once.map(Into::into);
        self.send(request)
    }

    fn send<T: DeserializeOwned>(&self, request: Request) -> Result<T, ApiError> {
        let Some(timeout_ms) = http::timeout_before(self.deadline, TIMEOUT_MS) else {
            // What was done so far is recorded: the next attempt continues from here.
            let why = "no time was left for the next request to Statuspage";
            return Err(ApiError::NotDone(Failure::retry_after(why, 0)));
        };
        answer(request.timeout_ms(timeout_ms).send())
    }
}

fn found<T>(result: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match result {
        Err(ApiError::NotFound(_)) => Ok(None),
        other => other.map(Some),
    }
}

fn answer<T: DeserializeOwned>(result: Result<Response, HttpError>) -> Result<T, ApiError> {
    let response = match result {
        Ok(response) => response,
        Err(HttpError::Timeout) => {
            let why = "Statuspage did not answer in time";
            return Err(ApiError::Unsure(Failure::retry(why)));
        }
        // It was sent, and the answer was lost, cut off or too large.
        Err(
            error @ (HttpError::OutcomeUnknown(_) | HttpError::Other(_) | HttpError::TooLarge(_)),
        ) => {
            let why = format!("Statuspage's answer was lost: {error:?}");
            return Err(ApiError::Unsure(Failure::retry(why)));
        }
        Err(error) => return Err(ApiError::NotDone(error.into())),
    };
    if response.is_success() {
        return response.json().map_err(|error| {
            ApiError::Unsure(Failure::retry(format!("Statuspage's answer: {error:?}")))
        });
    }
    Err(refusal(&response))
}

fn refusal(response: &Response) -> ApiError {
    let status = response.status;
    let why = format!(
        "Statuspage responded with status {status}: {}",
        said(response)
    );
    let after_ms = response.retry_after_ms();
    match status {
        401 | 403 => ApiError::NotDone(Failure::Misconfigured(format!(
            "{why}; make a key under API info in Statuspage's user menu, and set it as the secret \
             `api-key`"
        ))),
        404 => ApiError::NotFound(Failure::Misconfigured(format!(
            "{why}; check the setting `page-id`, and that the key is of that page's account"
        ))),
        420 | 429 => ApiError::NotDone(Failure::retry_after(
            why,
            after_ms.unwrap_or(RATE_LIMITED_MS),
        )),
        408 | 500.. => ApiError::Unsure(match after_ms {
            Some(after_ms) => Failure::retry_after(why, after_ms),
            None => Failure::retry(why),
        }),
        _ => ApiError::NotDone(Failure::Permanent(why)),
    }
}

/// Statuspage's own words: its document has them in `message`, the service also in `error`.
fn said(response: &Response) -> String {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let words = ["message", "error"].map(|key| match &body[key] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let words = words.into_iter().find(|it| !it.is_empty());
    let words = words.unwrap_or_else(|| String::from_utf8_lossy(&response.body).into_owned());
    text::cut(&text::one_line(&words), SAID_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::http::Header;

    fn answered(status: u16, retry_after: Option<&str>, body: &str) -> ApiError {
        let value = |it: &str| Header {
            name: "Retry-After".into(),
            value: it.into(),
        };
        let response = Response {
            status,
            headers: retry_after.map(value).into_iter().collect(),
            body: body.into(),
            replayed: false,
        };
        answer::<PageIncident>(Ok(response)).unwrap_err()
    }

    #[test]
    fn a_status_says_who_must_act_and_whether_it_was_carried_out() {
        let cases = [
            (401, None, "", "not done, misconfigured: api-key"),
            (403, None, "", "not done, misconfigured: api-key"),
            (404, None, "", "not found, misconfigured: page-id"),
            (420, None, "", "not done, retry after 30000: "),
            (429, Some("7"), "", "not done, retry after 7000: "),
            (
                422,
                None,
                r#"{"error":["Name is bad"]}"#,
                "not done, permanent: Name is bad",
            ),
            (
                422,
                None,
                r#"{"message":"No body"}"#,
                "not done, permanent: No body",
            ),
            (400, None, "<html>", "not done, permanent: <html>"),
            (500, None, "", "unsure, retry: "),
            (503, Some("5"), "", "unsure, retry after 5000: "),
            (200, None, "<html>", "unsure, retry: "),
        ];
        for (status, retry_after, body, want) in cases {
            let error = answered(status, retry_after, body);
            let done = match &error {
                ApiError::NotDone(_) => "not done",
                ApiError::NotFound(_) => "not found",
                ApiError::Unsure(_) => "unsure",
            };
            let (kind, why) = match error.into_failure() {
                Failure::Retry(hint) => match hint.after_ms {
                    Some(ms) => (format!("retry after {ms}"), hint.reason),
                    None => ("retry".into(), hint.reason),
                },
                Failure::Permanent(why) => ("permanent".into(), why),
                Failure::Misconfigured(why) => ("misconfigured".into(), why),
            };
            let (head, words) = want.split_once(": ").unwrap();
            assert_eq!(format!("{done}, {kind}"), head, "{status}");
            assert!(why.contains(words), "{status}: {why}");
        }
    }

    #[test]
    fn the_outcome_is_unsure_unless_nothing_was_sent() {
        let cases = [
            (HttpError::Timeout, true),
            (HttpError::Other("reset".into()), true),
            (HttpError::OutcomeUnknown("once".into()), true),
            (HttpError::Connect("refused".into()), false),
            (HttpError::Throttled(9), false),
            (HttpError::Denied("grant http".into()), false),
        ];
        for (error, is_unsure) in cases {
            let got = answer::<PageIncident>(Err(error.clone())).unwrap_err();
            assert_eq!(matches!(got, ApiError::Unsure(_)), is_unsure, "{error:?}");
        }
    }
}
