//! Adds the credential of a right to a request, after the policy has checked it.
//!
//! What is checked, traced, logged and redirected is always the request without the credential.

use super::error::NetError;
use super::message::Outgoing;
use super::outbound::leaves_folder;
use crate::rights::manifest::{BasicUser, HttpAsk, Inject, InjectPlace};
use crate::rights::{SecretError, SecretSet, Settings};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use url::form_urlencoded::{self, byte_serialize};

const FORM: &str = "application/x-www-form-urlencoded";

/// The credential of a right, with the user of HTTP basic authentication.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    inject: Inject,
    /// The user, if a setting names it.
    user: Option<String>,
}

/// What goes out on the wire.
pub(super) struct Wire {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Credential {
    pub(super) fn of(ask: &HttpAsk, settings: &Settings) -> Option<Self> {
        let inject = ask.inject.clone()?;
        let user = match &inject.place {
            InjectPlace::Basic(BasicUser::Setting(key)) => {
                let user = settings.get(key).and_then(toml::Value::as_str);
                Some(user.unwrap_or_default().to_owned())
            }
            _ => None,
        };
        Some(Self { inject, user })
    }

    pub(super) fn header(&self) -> Option<&str> {
        self.inject.header()
    }

    /// The first secret that it needs and that is not set.
    pub(super) fn missing(&self, is_set: impl Fn(&str) -> bool) -> Option<&str> {
        self.inject.secrets().find(|name| !is_set(name))
    }

    /// Checks that the guest left the place for the secret free.
    ///
    /// # Errors
    /// What the guest must change.
    pub(crate) fn check(&self, request: &Outgoing) -> Result<(), String> {
        let by_host = |what: &str, name: &str| {
            Err(format!(
                "the {what} `{name}` is added by the host; remove it"
            ))
        };
        match &self.inject.place {
            InjectPlace::Query(name) if has(request.url.query_pairs(), name) => {
                by_host("query parameter", name)
            }
            InjectPlace::Form(name) if has(form_urlencoded::parse(&request.body), name) => {
                by_host("field", name)
            }
            InjectPlace::Form(name) if !is_form(&request.headers) => Err(format!(
                "the host adds the field `{name}`, so the body must be of type {FORM}"
            )),
            InjectPlace::Path(placeholder)
                if request.url.path().matches(placeholder.as_str()).count() != 1 =>
            {
                Err(format!(
                    "the path must contain `{placeholder}` once, where the host adds the secret"
                ))
            }
            _ => Ok(()),
        }
    }

    /// The request with the credential.
    ///
    /// # Errors
    /// When a secret cannot be read, or has characters that its place does not allow.
    pub(super) fn add(&self, request: &Outgoing, secrets: &SecretSet) -> Result<Wire, NetError> {
        let mut wire = Wire::bare(request);
        let secret = self.read(&self.inject.secret, secrets)?;
        match &self.inject.place {
            InjectPlace::Header { name, format } => {
                let value = format.replace("{}", secret);
                let name = HeaderName::from_bytes(name.as_bytes());
                let name = name.map_err(|_| self.unusable("a header"))?;
                wire.headers.insert(name, self.header_value(&value)?);
            }
            InjectPlace::Basic(_) => {
                let value = format!("Basic {}", self.basic(secrets)?.expose_secret());
                wire.headers
                    .insert(AUTHORIZATION, self.header_value(&value)?);
            }
            InjectPlace::Query(name) => set_query(&mut wire.url, name, secret),
            InjectPlace::Form(name) if is_form(&wire.headers) => {
                if !wire.body.is_empty() {
                    wire.body.push(b'&');
                }
                let field: [String; 2] =
                    [name, secret].map(|it| byte_serialize(it.as_bytes()).collect());
                wire.body.extend(field.join("=").bytes());
            }
            // A redirect that dropped the body.
            InjectPlace::Form(_) => {}
            InjectPlace::Path(placeholder) => {
                let path = wire
                    .url
                    .path()
                    .replace(placeholder.as_str(), &in_path(secret));
                if leaves_folder(&path) {
                    return Err(self.unusable("a path"));
                }
                wire.url.set_path(&path);
            }
        }
        Ok(wire)
    }

    /// How the secret is spelled in its place, if only this place spells it so: a response must
    /// not repeat that to the guest either.
    pub(super) fn encoded(&self, secrets: &SecretSet) -> Option<(String, SecretString)> {
        let encoded = match self.inject.place {
            InjectPlace::Basic(_) => self.basic(secrets).ok()?,
            InjectPlace::Path(_) => in_path(self.read(&self.inject.secret, secrets).ok()?).into(),
            InjectPlace::Header { .. } | InjectPlace::Query(_) | InjectPlace::Form(_) => {
                return None;
            }
        };
        Some((self.inject.secret.clone(), encoded))
    }

    fn basic(&self, secrets: &SecretSet) -> Result<SecretString, NetError> {
        let user = match (&self.inject.place, &self.user) {
            (InjectPlace::Basic(BasicUser::Secret(name)), _) => self.read(name, secrets)?,
            (_, user) => user.as_deref().unwrap_or_default(),
        };
        if user.contains(':') {
            return Err(self.unusable("basic authentication: the user has a colon"));
        }
        let password = self.read(&self.inject.secret, secrets)?;
        Ok(STANDARD.encode(format!("{user}:{password}")).into())
    }

    fn read<'s>(&self, name: &str, secrets: &'s SecretSet) -> Result<&'s str, NetError> {
        let secret = secrets.get(name).map_err(NetError::Secret)?;
        Ok(secret.expose_secret())
    }

    fn header_value(&self, text: &str) -> Result<HeaderValue, NetError> {
        let mut value = HeaderValue::from_str(text).map_err(|_| self.unusable("a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn unusable(&self, place: &str) -> NetError {
        NetError::Secret(SecretError::Unreadable {
            name: self.inject.secret.clone(),
            reason: format!("it has characters that are not allowed in {place}"),
        })
    }
}

impl Wire {
    pub(super) fn bare(request: &Outgoing) -> Self {
        Self {
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        }
    }
}

fn has(mut pairs: form_urlencoded::Parse<'_>, name: &str) -> bool {
    pairs.any(|(key, _)| key == name)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    kind.is_some_and(|kind| kind.split(';').next().unwrap_or_default().trim() == FORM)
}

/// A redirect's target may already have the parameter.
fn set_query(url: &mut Url, name: &str, value: &str) {
    if has(url.query_pairs(), name) {
        let others = url.query_pairs().filter(|(key, _)| key != name);
        let others: Vec<_> = others
            .map(|(key, it)| (key.into_owned(), it.into_owned()))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(others);
    }
    url.query_pairs_mut().append_pair(name, value);
}

/// Percent-encodes all that could end a segment or be decoded again.
fn in_path(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b':' => encoded.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
