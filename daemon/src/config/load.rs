//! Loads the configuration file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use tocsin_core::PluginId;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::check::{self, AddressForm};
use super::fault::{Fault, Faults, Severity};
use super::plugin;
use super::source::{Place, Source, at};
use super::{CalendarUrl, Config, PluginTable, read};

/// Largest configuration file, in bytes: 4 MiB.
pub const CONFIG_BYTES_MAX: u64 = 4 * 1024 * 1024;

const SECTIONS: [&str; 13] = [
    "server",
    "store",
    "policy",
    "incidents",
    "escalation",
    "mail",
    "relays",
    "heartbeat",
    "people",
    "teams",
    "rotations",
    "integrations",
    "plugins",
];

/// A valid configuration, and the positions of its values in the file.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration, with its paths joined to the folder of the file.
    pub config: Config,
    /// What may not work as expected.
    pub warnings: Faults,
    source: Source,
}

/// Why the configuration could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {cause}; name the file with --config, or run tocsin init")]
    Unreadable {
        path: PathBuf,
        cause: std::io::Error,
    },
    /// The file is too large.
    #[error("{path} is over {CONFIG_BYTES_MAX} bytes; name a configuration file with --config")]
    TooLarge { path: PathBuf },
    /// The configuration is not valid: its faults and warnings.
    #[error("{0}")]
    Faults(#[from] Faults),
}

/// Reads and checks the configuration in `path`. Relative paths in it are relative to its folder.
///
/// # Errors
/// [`ConfigError`] when the file cannot be read or is not valid.
pub fn load(path: &Path) -> Result<Loaded, ConfigError> {
    let unreadable = |cause| ConfigError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    if std::fs::metadata(path).map_err(unreadable)?.len() > CONFIG_BYTES_MAX {
        return Err(ConfigError::TooLarge {
            path: path.to_owned(),
        });
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(parse(&text, &path.display().to_string(), folder)?)
}

/// Parses and checks a configuration. `file` is its name in faults; relative paths are relative to
/// `folder`.
///
/// # Errors
/// Every fault, if one of them prevents the daemon from starting.
pub fn parse(text: &str, file: &str, folder: &Path) -> Result<Loaded, Faults> {
    let (root, broken) = DeTable::parse_recoverable(text);
    let source = Source::new(file, text, root.get_ref());
    if !broken.is_empty() {
        let faults = broken.iter().map(|error| {
            let byte = error.span().map_or(0, |span| span.start);
            let message = format!("not valid TOML: {}", error.message().replace('\n', ", "));
            source.fault_at(byte, Severity::Error, message, "correct it and check again")
        });
        return Err(Faults(faults.collect()).settle());
    }
    let mut sections = Sections::new(&source, root.into_inner());
    let mut config = sections.read(folder);
    let Sections {
        mut faults,
        declared,
        unread,
        ..
    } = sections;
    check::config(&config, &source, &declared, &unread, &mut faults);
    let faults = Faults(faults).settle();
    if faults.any_error() {
        return Err(faults);
    }
    base_on(&mut config, folder);
    Ok(Loaded {
        config,
        warnings: faults,
        source,
    })
}

impl Loaded {
    /// An error at `place`, for checks that need more than the file.
    #[must_use]
    pub fn fault(&self, place: &[Place<'_>], message: String, remedy: &str) -> Fault {
        self.source.error(place, message, remedy)
    }

    /// The `[plugins.ID]` sections as the plugin host's type, with their paths joined to the
    /// folder of the file.
    ///
    /// # Errors
    /// Every fault in them, at its line.
    pub fn plugins<T: DeserializeOwned>(&self) -> Result<BTreeMap<PluginId, T>, Faults> {
        let (root, _) = DeTable::parse_recoverable(self.source.text());
        let mut sections = Sections::new(&self.source, root.into_inner());
        let mut read = BTreeMap::new();
        for (id, value) in sections.entries("plugins") {
            // Once as written, for the positions of its faults; then with its paths joined.
            if read::entry::<T>(&self.source, value, &mut sections.faults).is_none() {
                continue;
            }
            let table = self
                .config
                .plugins
                .get(id.as_str())
                .cloned()
                .unwrap_or_default();
            match table.try_into() {
                Ok(plugin) => {
                    read.insert(PluginId::from(id), plugin);
                }
                Err(error) => {
                    let message = error.message().to_owned();
                    let fault = self.fault(at!["plugins", &id], message, "correct the section");
                    sections.faults.push(fault);
                }
            }
        }
        match sections.faults.is_empty() {
            true => Ok(read),
            false => Err(Faults(sections.faults).settle()),
        }
    }

    /// Contacts that nothing serves, or whose address is wrong. `served` are the kinds of contacts
    /// in the plugins' manifests, and `forms` what they say of addresses; the daemon itself serves
    /// `email` when there is a `[mail]` section.
    #[must_use]
    pub fn check_contacts(&self, served: &BTreeSet<String>, forms: &[AddressForm]) -> Faults {
        let mut faults = check::contacts_served(&self.config, &self.source, served);
        faults.extend(check::addresses(&self.config, &self.source, forms));
        Faults(faults).settle()
    }
}

/// The ids that the file declares, valid or not, by section.
pub(super) type Declared = BTreeMap<&'static str, BTreeSet<String>>;

/// The sections of the file that have not been read yet, and what was found so far.
struct Sections<'a, 'text> {
    source: &'a Source,
    root: DeTable<'text>,
    faults: Vec<Fault>,
    declared: Declared,
    unread: BTreeSet<&'static str>,
}

impl<'a, 'text> Sections<'a, 'text> {
    fn new(source: &'a Source, root: DeTable<'text>) -> Self {
        let (declared, unread) = (Declared::new(), BTreeSet::new());
        Self {
            source,
            root,
            faults: Vec::new(),
            declared,
            unread,
        }
    }

    fn read(&mut self, folder: &Path) -> Config {
        let unknown = self
            .root
            .keys()
            .filter(|key| !SECTIONS.contains(&&**key.get_ref()));
        for key in unknown {
            let message = format!("unknown section `{}`", key.get_ref());
            let remedy = format!("remove it, or use one of {}", SECTIONS.join(", "));
            let byte = key.span().start;
            self.faults.push(
                self.source
                    .fault_at(byte, Severity::Error, message, &remedy),
            );
        }
        Config {
            server: self.one("server").unwrap_or_default(),
            store: self.one("store").unwrap_or_default(),
            policy: self.one("policy").unwrap_or_default(),
            incidents: self.one("incidents").unwrap_or_default(),
            escalation: self.one("escalation").unwrap_or_default(),
            mail: self.one("mail"),
            relays: self.many("relays"),
            heartbeat: self.one("heartbeat"),
            people: self.many("people"),
            teams: self.many("teams"),
            rotations: self.many("rotations"),
            integrations: self.many("integrations"),
            plugins: self.plugins(folder),
        }
    }

    fn one<T: DeserializeOwned>(&mut self, section: &'static str) -> Option<T> {
        let value = self.root.remove(section)?;
        let read = read::entry(self.source, value, &mut self.faults);
        if read.is_none() {
            self.unread.insert(section);
        }
        read
    }

    fn many<I: From<String> + Ord, T: DeserializeOwned>(
        &mut self,
        section: &'static str,
    ) -> BTreeMap<I, T> {
        let mut read = BTreeMap::new();
        for (id, value) in self.entries(section) {
            if let Some(value) = read::entry(self.source, value, &mut self.faults) {
                read.insert(I::from(id), value);
            }
        }
        read
    }

    fn plugins<I: From<String> + Ord>(&mut self, folder: &Path) -> BTreeMap<I, PluginTable> {
        let mut read = BTreeMap::new();
        for (id, value) in self.entries("plugins") {
            let table = read::entry(self.source, value.clone(), &mut self.faults);
            let places = read::entry(self.source, value, &mut self.faults);
            if let (Some(mut table), Some(places)) = (table, places) {
                plugin::base_on(&mut table, places, folder);
                read.insert(I::from(id), table);
            }
        }
        read
    }

    /// The entries `[section.ID]`, with their ids noted.
    fn entries(&mut self, section: &'static str) -> Vec<(String, Spanned<DeValue<'text>>)> {
        let declared = self.declared.entry(section).or_default();
        let Some(value) = self.root.remove(section) else {
            return Vec::new();
        };
        let DeValue::Table(table) = value.into_inner() else {
            let message = format!("`{section}` is not a table of named sections");
            let remedy = format!("write [{section}.NAME]");
            self.faults
                .push(self.source.error(at![section], message, &remedy));
            return Vec::new();
        };
        let entries = table
            .into_iter()
            .map(|(key, value)| (key.into_inner().into_owned(), value));
        let entries: Vec<_> = entries.collect();
        declared.extend(entries.iter().map(|(id, _)| id.clone()));
        entries
    }
}

/// Joins the paths of the fixed sections to the folder of the file.
fn base_on(config: &mut Config, folder: &Path) {
    config.store.path = folder.join(&config.store.path);
    config.policy.path = folder.join(&config.policy.path);
    for mail in config.mail.iter_mut().chain(config.relays.values_mut()) {
        mail.ca_file = mail.ca_file.take().map(|path| folder.join(path));
        if let Some(password) = &mut mail.password {
            password.base_on(folder);
        }
    }
    for integration in config.integrations.values_mut() {
        if let Some(secret) = &mut integration.secret {
            secret.base_on(folder);
        }
        integration.certificate = integration.certificate.take().map(|it| folder.join(it));
    }
    if let Some(heartbeat) = &mut config.heartbeat {
        heartbeat.url.base_on(folder);
    }
    for calendar in config
        .people
        .values_mut()
        .filter_map(|it| it.calendar.as_mut())
    {
        if let Some(CalendarUrl::Secret(secret)) = &mut calendar.url {
            secret.base_on(folder);
        }
        if let Some(file) = &mut calendar.file {
            *file = folder.join(&file);
        }
    }
}
