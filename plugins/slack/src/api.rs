//! Calling Slack's Web API: form-encoded, with the token added by the host.
//!
//! A response with status 200 can still be a refusal (`"ok": false`). Errors are classified by
//! whether Slack carried out the request: no, perhaps, or not this time.

use std::cell::Cell;
use tocsin_plugin_sdk::config;
use tocsin_plugin_sdk::http::{self, HttpError, Request, Response};
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::{Failure, RetryHint, Timestamp};

/// One slow response must leave time for the other calls of the same delivery.
const TIMEOUT_MS: u64 = 4_000;
/// Retry delay if Slack rate-limits without a `Retry-After`.
const RATE_LIMITED_MS: u64 = 30_000;

/// Error codes after which Slack did nothing, and a retry can succeed.
const BUSY: [&str; 4] = [
    "ratelimited",
    "rate_limited",
    "service_unavailable",
    "request_timeout",
];
/// Error codes after which Slack may have carried out the request, according to its documentation.
const UNSURE: [&str; 2] = ["fatal_error", "internal_error"];
/// Error codes of a channel that the app can no longer post to.
const GONE: [&str; 3] = ["channel_not_found", "is_archived", "not_in_channel"];
/// Error codes that only the operator can fix.
const MISCONFIGURED: [&str; 11] = [
    "access_denied",
    "account_inactive",
    "ekm_access_denied",
    "invalid_auth",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "org_login_required",
    "token_expired",
    "token_revoked",
];

thread_local! {
    static DEADLINE: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

/// Sets when the host stops this call. Each instance handles one call, so a thread-local will do.
pub(crate) fn stop_at(deadline: Timestamp) {
    DEADLINE.set(Some(deadline).filter(|it| *it > 0));
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ApiError {
    /// Slack refused and did nothing.
    Refused {
        /// Slack's error code, e.g. `channel_not_found`.
        code: String,
        /// The missing scope, if that is the reason.
        needed: Option<String>,
    },
    /// Slack may have carried it out: check before retrying.
    Unsure(Failure),
    /// Nothing was sent: an earlier attempt of this delivery was, and its response was lost.
    Lost,
    /// Slack did not carry it out.
    NotDone(Failure),
}

impl ApiError {
    /// Whether Slack refused with this code.
    pub(crate) fn is(&self, wanted: &str) -> bool {
        matches!(self, ApiError::Refused { code, .. } if code == wanted)
    }

    /// Whether Slack refused because a channel that there was is no longer there for the app: it
    /// was archived or deleted, or the app was removed from it.
    pub(crate) fn is_gone(&self) -> bool {
        GONE.iter().any(|it| self.is(it))
    }

    /// The failure to return if the call cannot continue.
    pub(crate) fn into_failure(self, method: &str) -> Failure {
        match self {
            ApiError::Unsure(failure) | ApiError::NotDone(failure) => failure,
            ApiError::Lost => Failure::retry(format!(
                "{method}: the response to an earlier attempt was lost"
            )),
            ApiError::Refused { code, needed } => refusal(method, &code, needed.as_deref()),
        }
    }
}

/// Calls a method that changes something. With `once`, the host stores a success for this
/// delivery, but not a refusal.
pub(crate) fn post(
    method: &str,
    params: &[(&str, &str)],
    once: Option<&str>,
) -> Result<Value, ApiError> {
    post_as("bot", method, params, once)
}

/// [`post`] with another token than the bot's.
pub(crate) fn post_as(
    auth: &str,
    method: &str,
    params: &[(&str, &str)],
    once: Option<&str>,
) -> Result<Value, ApiError> {
    let mut request = Request::post(url(method)).form(params);
    if let Some(key) = once {
        request = request.once(key);
    }
    let result = send(auth, method, request);
    if let (Err(ApiError::Refused { .. } | ApiError::NotDone(_)), Some(key)) = (&result, once) {
        http::forget(key);
    }
    result
}

/// Calls a method that only reads.
pub(crate) fn get(method: &str, params: &[(&str, &str)]) -> Result<Value, ApiError> {
    send("bot", method, Request::get(url(method)).query(params))
}

fn send(auth: &str, method: &str, request: Request) -> Result<Value, ApiError> {
    let Some(timeout_ms) = http::timeout_before(DEADLINE.get(), TIMEOUT_MS) else {
        // Everything done so far is recorded or repeatable: the next attempt continues from here.
        let why = format!("no time was left for {method}");
        return Err(ApiError::NotDone(Failure::retry_after(why, 0)));
    };
    answer(method, request.auth(auth).timeout_ms(timeout_ms).send())
}

fn url(method: &str) -> String {
    let base = config::get("base-url").unwrap_or_else(|| "https://slack.com/api".into());
    format!("{}/{method}", base.trim_end_matches('/'))
}

fn answer(method: &str, result: Result<Response, HttpError>) -> Result<Value, ApiError> {
    let response = match result {
        Ok(response) => response,
        Err(HttpError::OutcomeUnknown(_)) => return Err(ApiError::Lost),
        Err(HttpError::Timeout) => {
            let why = format!("{method}: Slack did not answer in time");
            return Err(ApiError::Unsure(Failure::retry(why)));
        }
        // It was sent, and the response was cut off or too large.
        Err(error @ (HttpError::Other(_) | HttpError::TooLarge(_))) => {
            let why = format!("{method}: {error:?}");
            return Err(ApiError::Unsure(Failure::retry(why)));
        }
        Err(error) => return Err(ApiError::NotDone(error.into())),
    };
    let retry_after_ms = response.retry_after_ms();
    match response.status {
        429 => Err(ApiError::NotDone(busy(
            method,
            "rate limited",
            retry_after_ms,
        ))),
        500.. => {
            let why = format!("status {}", response.status);
            Err(ApiError::Unsure(Failure::Retry(hint(
                method,
                &why,
                retry_after_ms,
            ))))
        }
        200..300 => body(method, &response, retry_after_ms),
        status => Err(ApiError::NotDone(Failure::Permanent(format!(
            "{method} returned status {status}; check base-url"
        )))),
    }
}

fn body(method: &str, response: &Response, after_ms: Option<u64>) -> Result<Value, ApiError> {
    let Ok(body) = serde_json::from_slice::<Value>(&response.body) else {
        let why = format!("{method} did not return valid JSON");
        return Err(ApiError::Unsure(Failure::retry(why)));
    };
    if body["ok"] == true {
        return Ok(body);
    }
    let code = body["error"]
        .as_str()
        .unwrap_or("no error code")
        .to_string();
    if BUSY.contains(&code.as_str()) {
        return Err(ApiError::NotDone(busy(method, &code, after_ms)));
    }
    if UNSURE.contains(&code.as_str()) {
        return Err(ApiError::Unsure(Failure::Retry(hint(
            method, &code, after_ms,
        ))));
    }
    let needed = body["needed"].as_str().map(Into::into);
    Err(ApiError::Refused { code, needed })
}

fn refusal(method: &str, code: &str, needed: Option<&str>) -> Failure {
    let what = format!("Slack refused {method}: {code}");
    if MISCONFIGURED.contains(&code) {
        let remedy = match needed {
            Some(scope) => format!("add the scope {scope} to the Slack app and reinstall it"),
            None => "check the secret bot-token and that the Slack app is installed".into(),
        };
        return Failure::Misconfigured(format!("{what}; {remedy}"));
    }
    let remedy = match code {
        "not_in_channel" => "; invite the Slack app to that channel",
        "channel_not_found" => "; check the channel's id, and that the Slack app can see it",
        "user_not_found" | "users_not_found" => "; check the person's contact of kind slack",
        _ => "",
    };
    Failure::Permanent(format!("{what}{remedy}"))
}

fn busy(method: &str, why: &str, after_ms: Option<u64>) -> Failure {
    Failure::Retry(hint(method, why, Some(after_ms.unwrap_or(RATE_LIMITED_MS))))
}

fn hint(method: &str, why: &str, after_ms: Option<u64>) -> RetryHint {
    RetryHint {
        reason: format!("{method}: {why}"),
        after_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::http::Header;

    fn answered(status: u16, retry_after: Option<&str>, body: &str) -> Failure {
        let value = |it: &str| Header {
            name: "Retry-After".into(),
            value: it.into(),
        };
        let headers = retry_after.map(value).into_iter().collect();
        let response = Response {
            status,
            headers,
            body: body.into(),
            replayed: false,
        };
        answer("chat.postMessage", Ok(response))
            .unwrap_err()
            .into_failure("chat.postMessage")
    }

    #[test]
    fn errors_that_only_the_operator_can_fix_pause_the_plugin() {
        for code in MISCONFIGURED {
            let failure = answered(200, None, &format!(r#"{{"ok":false,"error":"{code}"}}"#));
            assert!(
                matches!(failure, Failure::Misconfigured(_)),
                "{code}: {failure:?}"
            );
        }
        let scope = r#"{"ok":false,"error":"missing_scope","needed":"chat:write"}"#;
        let Failure::Misconfigured(why) = answered(200, None, scope) else {
            panic!("{scope}")
        };
        assert!(why.contains("add the scope chat:write"), "{why}");
    }

    #[test]
    fn a_refusal_that_a_retry_cannot_fix_is_permanent() {
        for code in [
            "channel_not_found",
            "not_in_channel",
            "is_archived",
            "user_not_found",
        ] {
            let failure = answered(200, None, &format!(r#"{{"ok":false,"error":"{code}"}}"#));
            assert!(
                matches!(failure, Failure::Permanent(_)),
                "{code}: {failure:?}"
            );
        }
    }

    #[test]
    fn retry_after_from_slack_is_respected() {
        let cases = [
            (429, Some("7"), "", Some(7_000)),
            (429, None, "", Some(RATE_LIMITED_MS)),
            (
                200,
                Some("3"),
                r#"{"ok":false,"error":"ratelimited"}"#,
                Some(3_000),
            ),
            (503, Some("5"), "", Some(5_000)),
            (500, None, "oops", None),
            (200, None, r#"{"ok":false,"error":"fatal_error"}"#, None),
            (200, None, "<html>", None),
        ];
        for (status, retry_after, body, expected) in cases {
            let failure = answered(status, retry_after, body);
            let Failure::Retry(hint) = failure else {
                panic!("{status} {body}: {failure:?}")
            };
            assert_eq!(hint.after_ms, expected, "{status} {body}");
        }
    }

    #[test]
    fn the_outcome_is_unsure_only_if_slack_may_have_acted() {
        let respond = |status: u16, body: &str| {
            let body = body.as_bytes().to_vec();
            answer(
                "m",
                Ok(Response {
                    status,
                    headers: Vec::new(),
                    body,
                    replayed: false,
                }),
            )
        };
        let unsure = [
            answer("m", Err(HttpError::Timeout)),
            answer("m", Err(HttpError::Other("connection reset".into()))),
            respond(502, ""),
            respond(200, r#"{"ok":false,"error":"internal_error"}"#),
        ];
        for result in unsure {
            assert!(matches!(result, Err(ApiError::Unsure(_))), "{result:?}");
        }
        let not_done = [
            answer("m", Err(HttpError::Connect("refused".into()))),
            respond(429, ""),
            respond(200, r#"{"ok":false,"error":"ratelimited"}"#),
        ];
        for result in not_done {
            assert!(matches!(result, Err(ApiError::NotDone(_))), "{result:?}");
        }
    }
}
