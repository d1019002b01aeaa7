//! Checks of a manifest beyond TOML types: names, references between sections, URLs, limits.

use super::inject::RawInject;
use super::raw::{
    Raw, RawAddress, RawHttp, RawSchedule, RawSetting, RawSocket, RawVerify, RawWebhook,
};
use super::{
    AddressAsk, ENTRIES_MAX, Fault, HttpAsk, Inject, Manifest, ManifestFaults, NAME_BYTES_MAX,
    OriginAsk, PatternAsk, SCHEMA, ScheduleAsk, Scheme, SecretAsk, Setting, SettingKind, SocketAsk,
    VerifyAsk, WebhookAsk, line_of, whole_pattern,
};
use crate::event_kind::EventKind;
use crate::rights::grants::RightKind;
use crate::rights::limits::WEBHOOK_WALL_MS;
use crate::rights::schedule::Schedule;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use url::Url;

/// Default limit of a webhook's body, in bytes.
const WEBHOOK_BODY_BYTES: usize = 64 << 10;
/// Largest webhook body that a route may ask for, in bytes.
const WEBHOOK_BODY_BYTES_MAX: usize = 1 << 20;
/// Longest budget that a route may ask for, in milliseconds.
const WEBHOOK_BUDGET_MS_MAX: u64 = 10_000;

pub(super) fn check(text: &str, raw: Raw) -> Result<Manifest, ManifestFaults> {
    let mut checker = Checker {
        text,
        faults: Vec::new(),
    };
    let manifest = checker.manifest(raw);
    if checker.faults.is_empty() {
        return Ok(manifest);
    }
    checker.faults.sort_by_key(|fault| fault.line);
    Err(ManifestFaults(checker.faults))
}

struct Checker<'t> {
    text: &'t str,
    faults: Vec<Fault>,
}

impl Checker<'_> {
    fn manifest(&mut self, raw: Raw) -> Manifest {
        if *raw.schema.get_ref() != SCHEMA {
            let message = format!("this daemon supports manifests of schema {SCHEMA} only");
            self.fault(raw.schema.span(), message);
        }
        self.count("http", raw.http.len());
        self.count("webhook", raw.webhook.len());
        self.count("schedule", raw.schedule.len());
        self.count("socket", raw.socket.len());
        self.count("config", raw.config.len());
        self.count("address", raw.address.len());
        self.count("secret", raw.secret.len());
        let mut events = Vec::new();
        for event in &raw.events {
            match event.get_ref().parse::<EventKind>() {
                Ok(kind) => events.push(kind),
                Err(error) => self.fault(event.span(), error.to_string()),
            }
        }
        let config = self.settings(raw.config);
        let secrets = self.secrets(raw.secret);
        let addresses = raw.address.into_iter();
        let addresses = addresses.map(|ask| self.address(ask, &raw.contacts, &config));
        let addresses = addresses.collect();
        let http = raw
            .http
            .into_iter()
            .map(|ask| self.http(ask, &config, &secrets))
            .collect();
        let webhooks = raw
            .webhook
            .into_iter()
            .map(|ask| self.webhook(ask, &secrets))
            .collect();
        let schedules = raw
            .schedule
            .into_iter()
            .filter_map(|ask| self.schedule(ask))
            .collect();
        let sockets = raw
            .socket
            .into_iter()
            .map(|ask| self.socket(ask, &config, &secrets))
            .collect();
        let manifest = Manifest {
            id: self.name("id", raw.id),
            version: self.version(raw.version),
            name: raw.name.into_inner(),
            events,
            contacts: self.names("contact", raw.contacts),
            addresses,
            config,
            secrets,
            http,
            webhooks,
            schedules,
            sockets,
            verbs: raw.commands.verbs,
            relays: self.names("relay", raw.mail.relays),
            limits: raw.limits,
        };
        self.all_unique(&manifest);
        self.needs(&manifest);
        manifest
    }

    fn all_unique(&mut self, manifest: &Manifest) {
        self.unique("http", manifest.http.iter().map(|ask| ask.name.as_str()));
        self.unique(
            "webhook",
            manifest.webhooks.iter().map(|ask| ask.route.as_str()),
        );
        self.unique(
            "schedule",
            manifest.schedules.iter().map(|ask| ask.name.as_str()),
        );
        self.unique(
            "socket",
            manifest.sockets.iter().map(|ask| ask.name.as_str()),
        );
    }

    fn settings(&mut self, raw: Vec<RawSetting>) -> Vec<Setting> {
        let mut settings = Vec::new();
        for one in raw {
            if let Some(default) = &one.default
                && !one.kind.accepts(default.get_ref())
            {
                let message = format!(
                    "the default of `{}` is not of type {}",
                    one.key.get_ref(),
                    one.kind
                );
                self.fault(default.span(), message);
            }
            settings.push(Setting {
                key: self.name("setting", one.key),
                kind: one.kind,
                default: one.default.map(Spanned::into_inner),
                required: one.required,
                help: one.help,
                needs: one.needs,
                replaces_links: one.replaces_links,
            });
        }
        self.unique(
            "config",
            settings.iter().map(|setting| setting.key.as_str()),
        );
        settings
    }

    fn secrets(&mut self, raw: Vec<Spanned<SecretAsk>>) -> Vec<SecretAsk> {
        let mut secrets: Vec<SecretAsk> = Vec::new();
        for one in raw {
            self.check_name("secret", &one.get_ref().name, one.span());
            secrets.push(one.into_inner());
        }
        self.unique("secret", secrets.iter().map(|secret| secret.name.as_str()));
        secrets
    }

    /// What settings and secrets need must be something that the manifest asks for.
    fn needs(&mut self, manifest: &Manifest) {
        for (needs, whose) in manifest.needs() {
            for kind in RightKind::ALL {
                let asked = manifest.asked(kind);
                for name in needs.of(kind) {
                    let is_known = match name.strip_prefix("config:") {
                        Some(key) => manifest.config.iter().any(|it| it.key == key),
                        None => asked.contains(&name.as_str()),
                    };
                    if !is_known {
                        let message = format!(
                            "{whose} needs {} `{name}`, which this manifest does not ask for",
                            kind.key()
                        );
                        let at = self.text.rfind(&format!("\"{name}\"")).unwrap_or(0);
                        self.fault(at..at, message);
                    }
                }
            }
        }
    }

    fn address(
        &mut self,
        raw: RawAddress,
        contacts: &[Spanned<String>],
        config: &[Setting],
    ) -> AddressAsk {
        if !contacts
            .iter()
            .any(|it| it.get_ref() == raw.contact.get_ref())
        {
            let message = format!("`{}` is not one of `contacts`", raw.contact.get_ref());
            self.fault(raw.contact.span(), message);
        }
        let pattern = match raw.pattern.get_ref().strip_prefix("config:") {
            Some(key) => {
                self.text_setting(key, config, &raw.pattern);
                PatternAsk::Setting(key.to_owned())
            }
            None => {
                if let Err(error) = whole_pattern(raw.pattern.get_ref()) {
                    self.fault(raw.pattern.span(), error);
                }
                PatternAsk::Fixed(raw.pattern.into_inner())
            }
        };
        AddressAsk {
            contact: raw.contact.into_inner(),
            pattern,
            help: raw.help,
        }
    }

    /// That `config:KEY` names a setting with a text.
    fn text_setting(&mut self, key: &str, config: &[Setting], raw: &Spanned<String>) {
        let found = config.iter().find(|setting| setting.key == key);
        if found.is_none_or(|setting| setting.kind != SettingKind::String) {
            let message = format!("`{key}` is not a [[config]] of kind \"string\"");
            self.fault(raw.span(), message);
        }
    }

    fn http(&mut self, raw: RawHttp, config: &[Setting], secrets: &[SecretAsk]) -> HttpAsk {
        let origin = self.origin(&raw.origin, config);
        for path in &raw.paths {
            if !path.get_ref().starts_with(['/', '*']) {
                let message = format!("the path `{}` must begin with `/` or `*`", path.get_ref());
                self.fault(path.span(), message);
            }
        }
        if raw.paths.is_empty() || raw.methods.is_empty() {
            let message = "`paths` and `methods` must each have at least one entry".to_owned();
            self.fault(raw.name.span(), message);
        }
        let inject = raw.inject;
        let inject = inject.map(|inject| self.inject(inject, config, secrets));
        HttpAsk {
            methods: self.methods(raw.methods),
            paths: raw.paths.into_iter().map(Spanned::into_inner).collect(),
            name: self.name("http right", raw.name),
            origin,
            inject,
        }
    }

    fn origin(&mut self, raw: &Spanned<String>, config: &[Setting]) -> OriginAsk {
        if let Some(key) = raw.get_ref().strip_prefix("config:") {
            self.text_setting(key, config, raw);
            return OriginAsk::Setting(key.to_owned());
        }
        match Url::parse(raw.get_ref()) {
            Ok(url) if bare_origin(&url) => OriginAsk::Fixed(url.origin()),
            _ => {
                let message = format!(
                    "`{}` is not an origin; write scheme, host and port only, such as \
                     \"https://api.example.com\", or \"config:KEY\"",
                    raw.get_ref()
                );
                self.fault(raw.span(), message);
                OriginAsk::Setting(String::new())
            }
        }
    }

    fn inject(
        &mut self,
        raw: Spanned<RawInject>,
        config: &[Setting],
        secrets: &[SecretAsk],
    ) -> Inject {
        let span = raw.span();
        let (inject, faults) = raw.into_inner().checked(config, secrets);
        for fault in faults {
            self.fault(span.clone(), fault);
        }
        inject
    }

    fn webhook(&mut self, raw: RawWebhook, secrets: &[SecretAsk]) -> WebhookAsk {
        let budget_ms = raw
            .budget_ms
            .as_ref()
            .map_or(WEBHOOK_WALL_MS, |ms| *ms.get_ref());
        if let Some(ms) = raw
            .budget_ms
            .filter(|ms| *ms.get_ref() > WEBHOOK_BUDGET_MS_MAX)
        {
            self.fault(
                ms.span(),
                format!("`budget-ms` is at most {WEBHOOK_BUDGET_MS_MAX}"),
            );
        }
        let body_bytes_max = raw
            .max_body_bytes
            .as_ref()
            .map_or(WEBHOOK_BODY_BYTES, |bytes| *bytes.get_ref());
        if body_bytes_max > WEBHOOK_BODY_BYTES_MAX {
            let span = raw.max_body_bytes.map_or(0..0, |bytes| bytes.span());
            self.fault(
                span,
                format!("`max-body-bytes` is at most {WEBHOOK_BODY_BYTES_MAX}"),
            );
        }
        WebhookAsk {
            verify: self.verify(raw.verify, secrets),
            methods: self.methods(raw.methods),
            route: self.name("route", raw.route),
            budget_ms,
            body_bytes_max,
        }
    }

    fn verify(&mut self, raw: Spanned<RawVerify>, secrets: &[SecretAsk]) -> VerifyAsk {
        let span = raw.span();
        let ask = VerifyAsk::read(raw.into_inner(), |message| {
            self.fault(span.clone(), message)
        });
        if ask.scheme != Scheme::None {
            self.known_secret(&ask.secret, secrets, &span);
        }
        ask
    }

    fn socket(
        &mut self,
        raw: Spanned<RawSocket>,
        config: &[Setting],
        secrets: &[SecretAsk],
    ) -> SocketAsk {
        let (span, raw) = (raw.span(), raw.into_inner());
        self.name("socket", raw.name.clone());
        SocketAsk::read(raw, config, secrets, |message| {
            self.fault(span.clone(), message)
        })
    }

    fn schedule(&mut self, raw: RawSchedule) -> Option<ScheduleAsk> {
        let timezone = raw
            .timezone
            .as_ref()
            .map_or("UTC", |zone| zone.get_ref().as_str());
        match Schedule::parse(raw.cron.get_ref(), timezone) {
            Ok(schedule) => Some(ScheduleAsk {
                name: self.name("schedule", raw.name),
                schedule,
            }),
            Err(error) => {
                self.fault(raw.cron.span(), error.to_string());
                None
            }
        }
    }

    fn methods(&mut self, raw: Vec<Spanned<String>>) -> Vec<String> {
        for method in &raw {
            if !method
                .get_ref()
                .bytes()
                .all(|byte| byte.is_ascii_uppercase())
            {
                let message = format!("write the method `{}` in upper case", method.get_ref());
                self.fault(method.span(), message);
            }
        }
        raw.into_iter().map(Spanned::into_inner).collect()
    }

    fn known_secret(&mut self, name: &str, secrets: &[SecretAsk], span: &Range<usize>) {
        if !secrets.iter().any(|secret| secret.name == name) {
            self.fault(
                span.clone(),
                format!("`{name}` is not a [[secret]] of this manifest"),
            );
        }
    }

    fn version(&mut self, raw: Spanned<String>) -> String {
        let parts: Vec<_> = raw.get_ref().split(['.', '-', '+']).collect();
        if parts.len() < 3 || !parts.iter().take(3).all(|part| part.parse::<u32>().is_ok()) {
            let message = format!("`{}` is not a version such as 1.2.3", raw.get_ref());
            self.fault(raw.span(), message);
        }
        raw.into_inner()
    }

    fn names(&mut self, what: &str, raw: Vec<Spanned<String>>) -> Vec<String> {
        self.count(what, raw.len());
        raw.into_iter().map(|name| self.name(what, name)).collect()
    }

    fn name(&mut self, what: &str, raw: Spanned<String>) -> String {
        self.check_name(what, raw.get_ref(), raw.span());
        raw.into_inner()
    }

    fn check_name(&mut self, what: &str, name: &str, span: Range<usize>) {
        if !is_name(name) {
            let message = format!(
                "the {what} `{}` must be 1 to {NAME_BYTES_MAX} of a-z, 0-9 and hyphens",
                name.escape_debug()
            );
            self.fault(span, message);
        }
    }

    fn unique<'n>(&mut self, section: &str, names: impl Iterator<Item = &'n str>) {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                let at = self.text.rfind(&format!("\"{name}\"")).unwrap_or(0);
                self.fault(at..at, format!("[[{section}]] has `{name}` twice"));
            }
        }
    }

    fn count(&mut self, section: &str, count: usize) {
        if count > ENTRIES_MAX {
            self.fault(
                0..0,
                format!("{count} entries of {section}; at most {ENTRIES_MAX} are allowed"),
            );
        }
    }

    fn fault(&mut self, span: Range<usize>, message: String) {
        self.faults.push(Fault {
            line: line_of(self.text, span.start),
            message,
        });
    }
}

/// Lower case letters, digits and hyphens.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(allowed)
}

/// Scheme, host and port, and nothing else.
fn bare_origin(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}
