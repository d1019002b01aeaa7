//! `inject` of an outbound right: the credential that the host adds, and where in the request.

use super::{SecretAsk, Setting, SettingKind};
use serde::Deserialize;

/// Longest name of a query parameter, form field or placeholder, in bytes.
const PLACE_BYTES_MAX: usize = 64;

/// A credential that the host adds to an allowed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inject {
    /// The secret's name. For [`InjectPlace::Basic`] it is the password.
    pub secret: String,
    pub place: InjectPlace,
}

/// Where in a request the secret goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InjectPlace {
    Header {
        /// In lower case.
        name: String,
        /// The value; `{}` is replaced by the secret.
        format: String,
    },
    /// The query parameter of this name.
    Query(String),
    /// The field of this name of a form-encoded body.
    Form(String),
    /// This placeholder in the path, such as `:token`.
    Path(String),
    /// HTTP basic authentication as this user.
    Basic(BasicUser),
}

/// The secret or the setting with the user name of HTTP basic authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BasicUser {
    Secret(String),
    Setting(String),
}

impl Inject {
    /// The header that a guest must not set itself, in lower case.
    pub(crate) fn header(&self) -> Option<&str> {
        match &self.place {
            InjectPlace::Header { name, .. } => Some(name),
            InjectPlace::Basic(_) => Some("authorization"),
            InjectPlace::Query(_) | InjectPlace::Form(_) | InjectPlace::Path(_) => None,
        }
    }

    /// The names of the secrets that it needs.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let user = match &self.place {
            InjectPlace::Basic(BasicUser::Secret(name)) => Some(name.as_str()),
            _ => None,
        };
        std::iter::once(self.secret.as_str()).chain(user)
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawInject {
    secret: String,
    header: Option<String>,
    format: Option<String>,
    query: Option<String>,
    form: Option<String>,
    path: Option<String>,
    basic: Option<String>,
}

impl RawInject {
    /// The credential, and every fault in it.
    pub(super) fn checked(
        self,
        config: &[Setting],
        secrets: &[SecretAsk],
    ) -> (Inject, Vec<String>) {
        let mut faults = Vec::new();
        let is_secret = |name: &str| secrets.iter().any(|secret| secret.name == name);
        if !is_secret(&self.secret) {
            faults.push(not_a_secret(&self.secret));
        }
        if self.format.is_some() && self.header.is_none() {
            faults.push("`format` goes with `header` only".to_owned());
        }
        let places = [
            self.header
                .map(|name| header(&name, self.format, &mut faults)),
            self.query
                .map(|name| InjectPlace::Query(word("query", name, &mut faults))),
            self.form
                .map(|name| InjectPlace::Form(word("form", name, &mut faults))),
            self.path.map(|placeholder| path(placeholder, &mut faults)),
            self.basic.map(|user| {
                let user = match user.strip_prefix("config:") {
                    Some(key) => BasicUser::Setting(key.to_owned()),
                    None => BasicUser::Secret(user),
                };
                faults.extend(basic_fault(&user, config, is_secret));
                InjectPlace::Basic(user)
            }),
        ];
        let mut places = places.into_iter().flatten();
        let (first, second) = (places.next(), places.next());
        if first.is_none() || second.is_some() {
            let message = "`inject` has one of header, query, form, path and basic: where the \
                           secret goes";
            faults.push(message.to_owned());
        }
        let inject = Inject {
            secret: self.secret,
            place: first.unwrap_or(InjectPlace::Query(String::new())),
        };
        (inject, faults)
    }
}

fn header(name: &str, format: Option<String>, faults: &mut Vec<String>) -> InjectPlace {
    let name = name.to_ascii_lowercase();
    let format = format.unwrap_or_else(|| "{}".to_owned());
    if format.matches("{}").count() != 1 {
        faults.push("`format` must contain `{}` once, for the secret".to_owned());
    }
    if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err()
        || crate::rights::is_reserved_header(&name)
    {
        faults.push(format!("`{name}` is not a header that can be injected"));
    }
    InjectPlace::Header { name, format }
}

/// The placeholder begins with `:`, which no URL parser encodes in a path.
fn path(placeholder: String, faults: &mut Vec<String>) -> InjectPlace {
    if !placeholder.strip_prefix(':').is_some_and(is_word) {
        faults.push(format!(
            "`{}` is not a placeholder for the path; write a colon and a word, such as \":token\"",
            placeholder.escape_debug()
        ));
    }
    InjectPlace::Path(placeholder)
}

fn word(place: &str, name: String, faults: &mut Vec<String>) -> String {
    if !is_word(&name) {
        faults.push(format!(
            "the name `{}` in `{place}` must be 1 to {PLACE_BYTES_MAX} letters, digits, `-`, `_` \
             and `.`",
            name.escape_debug()
        ));
    }
    name
}

fn is_word(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= PLACE_BYTES_MAX && name.bytes().all(allowed)
}

fn basic_fault(
    user: &BasicUser,
    config: &[Setting],
    is_secret: impl Fn(&str) -> bool,
) -> Option<String> {
    match user {
        BasicUser::Secret(name) => (!is_secret(name)).then(|| {
            format!(
                "{}; `basic` is the user: a secret or \"config:KEY\"",
                not_a_secret(name)
            )
        }),
        BasicUser::Setting(key) => {
            let found = config.iter().find(|setting| setting.key == *key);
            found
                .is_none_or(|setting| setting.kind != SettingKind::String)
                .then(|| format!("`{key}` is not a [[config]] of kind \"string\""))
        }
    }
}

fn not_a_secret(name: &str) -> String {
    format!("`{name}` is not a [[secret]] of this manifest")
}
