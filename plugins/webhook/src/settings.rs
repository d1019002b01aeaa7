//! The operator's settings, and what is wrong with them: every template is rendered with a made-up
//! page, so that a fault is found by `tocsin check` and not by the first page.

use crate::template::{self, Escape};
use tocsin_plugin_sdk::config;
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::Issue;

const METHODS: [&str; 3] = ["POST", "PUT", "GET"];
/// The rights of the manifest, one for each place of the secret.
const CREDENTIALS: [&str; 7] = [
    "none",
    "bearer",
    "authorization",
    "x-api-key",
    "query",
    "path",
    "basic",
];
/// Where the host puts the secret with `credential = "path"`.
const PLACEHOLDER: &str = ":secret";

#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) url: String,
    pub(crate) method: String,
    pub(crate) content_type: String,
    /// As `Name: template`.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
    pub(crate) credential: String,
    pub(crate) success_field: Option<String>,
}

impl Settings {
    pub(crate) fn read() -> Self {
        let all = config::all();
        Self::of(&all)
    }

    fn of(config: &Value) -> Self {
        let text = |key: &str| config[key].as_str().unwrap_or_default().to_string();
        let headers = config["headers"].as_array().into_iter().flatten();
        Self {
            url: text("url"),
            method: text("method"),
            content_type: text("content-type"),
            headers: headers.filter_map(|it| Some(it.as_str()?.into())).collect(),
            body: text("body"),
            credential: text("credential"),
            success_field: Some(text("success-field")).filter(|it| !it.is_empty()),
        }
    }

    /// How values in the body are escaped.
    pub(crate) fn escape(&self) -> Escape {
        let kind = self
            .content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        match kind {
            "application/x-www-form-urlencoded" => Escape::Form,
            kind if kind == "application/json" || kind.ends_with("+json") => Escape::Json,
            _ => Escape::Nothing,
        }
    }
}

/// Every fault in the settings.
pub(crate) fn check(config: &Value) -> Vec<Issue> {
    let settings = Settings::of(config);
    let mut issues = Vec::new();
    let mut refuse = |path: &str, message: String| {
        issues.push(Issue {
            path: path.into(),
            message,
        });
    };
    if !METHODS.contains(&settings.method.as_str()) {
        refuse("method", format!("must be one of {}", METHODS.join(", ")));
    }
    let sample = template::sample();
    let host = settings.url.split("://").nth(1).unwrap_or_default();
    let host = host.split(['/', '?']).next().unwrap_or_default();
    match template::render(&settings.url, &sample, Escape::Url) {
        _ if host.contains("{{") => {
            refuse("url", "must name the host itself, not a template".into())
        }
        Err(why) => refuse("url", why),
        Ok(_) => {}
    }
    match template::render(&settings.body, &sample, settings.escape()) {
        Err(why) => refuse("body", why),
        Ok(body) if matches!(settings.escape(), Escape::Json) => {
            if let Err(error) = serde_json::from_str::<Value>(&body) {
                let why = "is not JSON once it is filled in, because a value is quoted by itself: \
                           write \"text\": {{ body }}, and {{ a ~ b }} to join texts";
                refuse("body", format!("{why} ({error})"));
            }
        }
        Ok(_) => {}
    }
    for header in &settings.headers {
        let rendered = header
            .split_once(':')
            .map(|(_, value)| template::header(value, &sample));
        match rendered {
            None => refuse(
                "headers",
                format!("`{header}` is not of the form \"Name: value\""),
            ),
            Some(Err(why)) => refuse("headers", why),
            Some(Ok(_)) => {}
        }
    }
    if let Some((path, why)) = credential_fault(&settings, config) {
        refuse(path, why);
    }
    issues
}

fn credential_fault(settings: &Settings, config: &Value) -> Option<(&'static str, String)> {
    let credential = settings.credential.as_str();
    let has_user = config["user"].as_str().is_some_and(|it| !it.is_empty());
    let has_placeholder = settings.url.matches(PLACEHOLDER).count() == 1;
    if !CREDENTIALS.contains(&credential) {
        let why = format!("must be one of {}", CREDENTIALS.join(", "));
        return Some(("credential", why));
    }
    match (credential, config::has_secret("secret")) {
        ("none", true) => Some(("credential", "says nowhere where the secret goes".into())),
        ("none", false) => None,
        (_, false) => Some(("credential", "needs the secret `secret`".into())),
        ("basic", true) if !has_user => {
            Some(("user", "is missing: credential is \"basic\"".into()))
        }
        ("path", true) if !has_placeholder => {
            let why = format!("must contain `{PLACEHOLDER}` once, where the secret goes");
            Some(("url", why))
        }
        _ => None,
    }
}
