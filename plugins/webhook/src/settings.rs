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

/// The host refuses a longer one.
const URL_BYTES_MAX: usize = 8 << 10;
/// Headers that the host sets, or that have a setting of their own.
const HEADERS_OF_OTHERS: [&str; 15] = [
    "authorization",
    "x-api-key",
    "content-type",
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "expect",
    "accept-encoding",
    "content-encoding",
    "http2-settings",
];

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
        let kind = self.content_type.split(';').next().unwrap_or_default();
        match kind.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Escape::Form,
            kind if kind.ends_with("/json") || kind.ends_with("+json") => Escape::Json,
            kind if kind.ends_with("xml") || kind == "text/html" => Escape::Xml,
            _ => Escape::Nothing,
        }
    }
}

/// Every fault in the settings, each once.
pub(crate) fn check(config: &Value) -> Vec<Issue> {
    let settings = Settings::of(config);
    let mut faults = Vec::new();
    if !METHODS.contains(&settings.method.as_str()) {
        let why = format!("must be one of {}", METHODS.join(", "));
        faults.push(("method", why));
    }
    faults.extend(url_fault(&settings.url).map(|why| ("url", why)));
    let samples = template::samples();
    let first = |fault: &dyn Fn(&Value) -> Option<String>| samples.iter().find_map(fault);
    if faults.iter().all(|(path, _)| *path != "url") {
        let fault = first(&|sample| filled_url_fault(&settings.url, sample));
        faults.extend(fault.map(|why| ("url", why)));
    }
    let fault = first(&|sample| body_fault(&settings, sample));
    faults.extend(fault.map(|why| ("body", why)));
    for header in &settings.headers {
        let fault = first(&|sample| header_fault(header, sample));
        faults.extend(fault.map(|why| ("headers", why)));
    }
    faults.extend(credential_fault(&settings, config));
    let issue = |(path, message): (&str, String)| Issue {
        path: path.into(),
        message,
    };
    faults.into_iter().map(issue).collect()
}

fn url_fault(url: &str) -> Option<String> {
    let rest = url
        .split_once("://")
        .filter(|it| matches!(it.0, "http" | "https"));
    let host = rest.map(|it| it.1.split(['/', '?']).next().unwrap_or_default());
    match host.unwrap_or_default() {
        "" => Some("must begin with https:// or http:// and a host".into()),
        host if host.contains('{') => Some("must name the host itself, not a template".into()),
        host if host.contains('@') => {
            Some("must not contain a user or password: write credential = \"basic\"".into())
        }
        _ => None,
    }
}

fn filled_url_fault(url: &str, sample: &Value) -> Option<String> {
    match template::render(url, sample, Escape::Url) {
        Err(why) => Some(why),
        Ok(url) if url.len() > URL_BYTES_MAX => Some(format!(
            "is over {URL_BYTES_MAX} bytes for a long page: write {{{{ body | cut(300) }}}}"
        )),
        Ok(_) => None,
    }
}

fn body_fault(settings: &Settings, sample: &Value) -> Option<String> {
    let body = match template::render(&settings.body, sample, settings.escape()) {
        Err(why) => return Some(why),
        Ok(body) => body,
    };
    if settings.escape() != Escape::Json {
        return None;
    }
    let error = serde_json::from_str::<Value>(&body).err()?;
    let why = "is not JSON once it is filled in, because a value is quoted by itself: write \
               \"text\": {{ body }}, and {{ a ~ b }} to join texts";
    Some(format!("{why} ({error})"))
}

fn header_fault(header: &str, sample: &Value) -> Option<String> {
    let Some((name, value)) = header.split_once(':') else {
        return Some(format!("`{header}` is not of the form \"Name: value\""));
    };
    let name = name.trim().to_ascii_lowercase();
    let allowed = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it);
    if name.is_empty() || !name.bytes().all(allowed) {
        return Some(format!("`{name}` is not the name of a header"));
    }
    if HEADERS_OF_OTHERS.contains(&name.as_str()) || name.starts_with("proxy-") {
        return Some(format!(
            "`{name}` is not set here: `credential` and `content-type` are settings of their own"
        ));
    }
    template::header(value, sample).err()
}

fn credential_fault(settings: &Settings, config: &Value) -> Option<(&'static str, String)> {
    let credential = settings.credential.as_str();
    let user = config["user"].as_str().unwrap_or_default();
    let (path, query) = settings.url.split_once('?').unwrap_or((&settings.url, ""));
    let has_placeholder = path.matches(PLACEHOLDER).count() == 1;
    let has_token = query.split('&').any(|it| it.starts_with("token="));
    if !CREDENTIALS.contains(&credential) {
        let why = format!("must be one of {}", CREDENTIALS.join(", "));
        return Some(("credential", why));
    }
    match (credential, config::has_secret("secret")) {
        ("none", true) => Some(("credential", "says nowhere where the secret goes".into())),
        ("none", false) => None,
        (_, false) => Some(("credential", "needs the secret `secret`".into())),
        ("basic", true) if user.contains(':') => Some((
            "user",
            "must not contain a colon, where the password begins".into(),
        )),
        ("basic", true) if user.is_empty() => {
            Some(("user", "is missing: credential is \"basic\"".into()))
        }
        ("path", true) if !has_placeholder => {
            let why =
                format!("must contain `{PLACEHOLDER}` once in its path, where the secret goes");
            Some(("url", why))
        }
        ("query", true) if has_token => Some((
            "url",
            "must not have the parameter `token`, which is the secret".into(),
        )),
        _ => None,
    }
}
