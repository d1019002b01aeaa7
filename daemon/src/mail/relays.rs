//! The relays of the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::mailer::{Mailer, SetupError};
use crate::config::Config;

/// The relays: `[mail]`, and `[relays.NAME]` for what plugins send under that name.
#[derive(Clone, Debug, Default)]
pub struct Relays {
    main: Option<Arc<Mailer>>,
    named: BTreeMap<String, Arc<Mailer>>,
}

/// A relay's settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("[{section}] {cause}")]
pub struct BadRelay {
    section: String,
    cause: SetupError,
}

impl Relays {
    /// # Errors
    /// [`BadRelay`] when the settings of one cannot be read or used.
    pub fn new(config: &Config) -> Result<Self, BadRelay> {
        let bad = |section: String| |cause| BadRelay { section, cause };
        let main = config.mail.as_ref().map(Mailer::new).transpose();
        let main = main.map_err(bad("mail".to_owned()))?;
        let mut named = BTreeMap::new();
        for (name, relay) in &config.relays {
            let mailer = Mailer::new(relay).map_err(bad(format!("relays.{name}")))?;
            named.insert(name.clone(), Arc::new(mailer));
        }
        Ok(Self {
            main: main.map(Arc::new),
            named,
        })
    }

    /// The relay of `[mail]`, by which pages go.
    #[must_use]
    pub fn main(&self) -> Option<Arc<Mailer>> {
        self.main.clone()
    }

    /// The relay of `[relays.NAME]`, and without one that of `[mail]`.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Arc<Mailer>> {
        self.named.get(name).cloned().or_else(|| self.main())
    }
}
