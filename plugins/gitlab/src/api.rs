//! Calling GitLab's REST API. The host adds the token. Errors are classified by whether GitLab
//! carried out the request: no, perhaps, or by an earlier attempt.

use crate::settings;
use std::cell::Cell;
use tocsin_plugin_sdk::clock;
use tocsin_plugin_sdk::http::{self, HttpError, Request, Response};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::text::{cut, one_line};
use tocsin_plugin_sdk::types::{Failure, Timestamp};

/// One slow response must leave time for the other calls of the same delivery.
const TIMEOUT_MS: u64 = 4_000;
/// Retry delay if GitLab limits the rate and does not say for how long.
const RATE_LIMITED_MS: u64 = 60_000;
/// Longest wait that GitLab may ask for: clocks differ.
const WAIT_MS_MAX: u64 = 3_600_000;
/// Of what GitLab says about a refusal.
const SAID_CHARS_MAX: usize = 200;

thread_local! {
    static DEADLINE: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

/// Sets when the host stops this call. Each instance handles one call, so a thread-local will do.
pub(crate) fn stop_at(deadline: Timestamp) {
    DEADLINE.set(Some(deadline).filter(|it| *it > 0));
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ApiError {
    /// What the request is about does not exist, or not for this token.
    Missing(Failure),
    /// It is as the request wants it already.
    Conflict(Failure),
    /// GitLab did not carry it out.
    NotDone(Failure),
    /// GitLab may have carried it out: look before it is sent again.
    Unsure(Failure),
    /// Nothing was sent: an earlier attempt of this delivery was, and its response was lost.
    Lost(Failure),
}

impl ApiError {
    /// The failure to return if the call cannot continue.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            ApiError::Missing(it)
            | ApiError::Conflict(it)
            | ApiError::NotDone(it)
            | ApiError::Unsure(it)
            | ApiError::Lost(it) => it,
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        error.into_failure()
    }
}

/// The path of a project's issues.
pub(crate) fn issues(project: &str) -> String {
    format!("projects/{}/issues", project.replace('/', "%2F"))
}

pub(crate) fn get(path: &str, query: &[(&str, &str)]) -> Result<Value, ApiError> {
    send(Request::get(url(path)).query(query), path)
}

/// Changes something. The host stores a success under `once` for this delivery.
pub(crate) fn write(method: &str, path: &str, body: &Value, once: &str) -> Result<Value, ApiError> {
    let request = Request::new(method, url(path)).once(once).json(body);
    let request = request.map_err(|error| ApiError::NotDone(error.into()))?;
    send(request, path)
}

fn url(path: &str) -> String {
    format!("{}/api/v4/{path}", settings::base_url())
}

fn send(request: Request, path: &str) -> Result<Value, ApiError> {
    let what = format!("{} {path}", request.method);
    let Some(timeout_ms) = http::timeout_before(DEADLINE.get(), TIMEOUT_MS) else {
        // Everything done so far is recorded or repeatable: the next attempt continues from here.
        let why = format!("no time was left for {what}");
        return Err(ApiError::NotDone(Failure::retry_after(why, 0)));
    };
    answer(&what, request.auth("token").timeout_ms(timeout_ms).send())
}

fn answer(what: &str, result: Result<Response, HttpError>) -> Result<Value, ApiError> {
    let response = match result {
        Ok(response) => response,
        Err(HttpError::OutcomeUnknown(_)) => {
            let why = format!("{what}: the response to an earlier attempt was lost");
            return Err(ApiError::Lost(Failure::retry(why)));
        }
        Err(HttpError::Timeout) => {
            let why = format!("{what}: GitLab did not answer in time");
            return Err(ApiError::Unsure(Failure::retry(why)));
        }
        // It was sent, and the response was cut off or too large.
        Err(error @ (HttpError::Other(_) | HttpError::TooLarge(_))) => {
            let why = format!("{what}: {error:?}");
            return Err(ApiError::Unsure(Failure::retry(why)));
        }
        Err(error) => return Err(ApiError::NotDone(error.into())),
    };
    let said = said(&response);
    let refused = format!(
        "{what}: GitLab responded with status {}: {said}",
        response.status
    );
    match response.status {
        200..300 => response
            .json()
            .map_err(|_| ApiError::Unsure(Failure::retry(format!("{what}: no JSON came back")))),
        401 => Err(ApiError::NotDone(misconfigured(
            &refused,
            "the secret `token` is wrong, expired or revoked; create a project access token with \
             the scope api and the role Reporter",
        ))),
        403 => Err(ApiError::NotDone(misconfigured(
            &refused,
            "the secret `token` needs the scope api, and its user the role Reporter or a higher \
             one in the project",
        ))),
        404 if said.contains("Project Not Found") => Err(ApiError::NotDone(misconfigured(
            &refused,
            "check the setting `project`, and that the user of the secret `token` is a member",
        ))),
        404 => Err(ApiError::Missing(Failure::Permanent(refused))),
        409 => Err(ApiError::Conflict(Failure::Permanent(refused))),
        429 => {
            let after_ms = wait_ms(&response).unwrap_or(RATE_LIMITED_MS);
            let failure = Failure::retry_after(refused, after_ms);
            Err(ApiError::NotDone(failure))
        }
        408 | 500.. => Err(ApiError::Unsure(match wait_ms(&response) {
            Some(after_ms) => Failure::retry_after(refused, after_ms),
            None => Failure::retry(refused),
        })),
        _ => Err(ApiError::NotDone(Failure::Permanent(refused))),
    }
}

fn misconfigured(what: &str, remedy: &str) -> Failure {
    Failure::Misconfigured(format!("{what}; {remedy}"))
}

fn said(response: &Response) -> String {
    cut(
        &one_line(&String::from_utf8_lossy(&response.body)),
        SAID_CHARS_MAX,
    )
}

/// How long GitLab asks to wait: `Retry-After`, or until `RateLimit-Reset`, in seconds since 1970.
fn wait_ms(response: &Response) -> Option<u64> {
    let wait = response.retry_after_ms().or_else(|| {
        let is_used_up = response.header("ratelimit-remaining")?.trim() == "0";
        let reset_s: u64 = response.header("ratelimit-reset")?.trim().parse().ok()?;
        let reset = reset_s.checked_mul(1000).filter(|_| is_used_up)?;
        Some(reset.saturating_sub(clock::now()))
    });
    wait.map(|it| it.min(WAIT_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::http::Header;
    use tocsin_plugin_sdk::testing::FakeHost;

    fn answered(status: u16, headers: &[(&str, &str)], body: &str) -> ApiError {
        let headers = headers.iter().map(|(name, value)| Header {
            name: (*name).into(),
            value: (*value).into(),
        });
        let response = Response {
            status,
            headers: headers.collect(),
            body: body.into(),
            replayed: false,
        };
        answer("POST x", Ok(response)).unwrap_err()
    }

    #[test]
    fn what_only_the_operator_can_fix_says_how() {
        let cases = [
            (401, "401 Unauthorized", "expired or revoked"),
            (403, "insufficient_scope", "scope api"),
            (403, "403 Forbidden", "role Reporter"),
            (404, "404 Project Not Found", "setting `project`"),
        ];
        for (status, body, want) in cases {
            let ApiError::NotDone(Failure::Misconfigured(why)) = answered(status, &[], body) else {
                panic!("{status} {body}")
            };
            assert!(why.contains(want) && why.contains(body), "{why}");
        }
    }

    #[test]
    fn gitlab_says_how_long_to_wait() {
        let host = FakeHost::install(|_| Err(HttpError::Timeout));
        let now_s = clock::now() / 1000;
        let (soon, late) = ((now_s + 20).to_string(), (now_s + 90_000).to_string());
        let cases = [
            (429, vec![("Retry-After", "7")], Some(7_000)),
            (429, vec![], Some(RATE_LIMITED_MS)),
            (
                429,
                vec![
                    ("RateLimit-Remaining", "0"),
                    ("RateLimit-Reset", soon.as_str()),
                ],
                Some(20_000),
            ),
            (
                429,
                vec![
                    ("RateLimit-Remaining", "0"),
                    ("RateLimit-Reset", late.as_str()),
                ],
                Some(WAIT_MS_MAX),
            ),
            (503, vec![("Retry-After", "5")], Some(5_000)),
            (500, vec![], None),
        ];
        for (status, headers, want) in cases {
            let Failure::Retry(hint) = answered(status, &headers, "").into_failure() else {
                panic!("{status} {headers:?}")
            };
            assert_eq!(hint.after_ms, want, "{status} {headers:?}");
        }
        drop(host);
    }

    #[test]
    fn the_outcome_is_unsure_only_if_gitlab_may_have_acted() {
        let unsure = [
            answer("m", Err(HttpError::Timeout)).unwrap_err(),
            answer("m", Err(HttpError::Other("reset".into()))).unwrap_err(),
            answered(500, &[], ""),
            answered(502, &[], ""),
            answered(201, &[], "<html>"),
        ];
        for error in unsure {
            assert!(matches!(error, ApiError::Unsure(_)), "{error:?}");
        }
        let not_done = [
            answer("m", Err(HttpError::Connect("refused".into()))).unwrap_err(),
            answered(400, &[], "title is missing"),
            answered(422, &[], ""),
            answered(429, &[], ""),
        ];
        for error in not_done {
            assert!(matches!(error, ApiError::NotDone(_)), "{error:?}");
        }
    }
}
