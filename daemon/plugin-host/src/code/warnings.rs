//! What an operator should know about a plugin that was loaded: a grant that is misspelled or
//! missing, a limit that is not granted, an optional secret that is not set but needed.

use crate::capability::Shared;

/// All warnings about a plugin, with remedies.
pub(super) fn warnings(shared: &Shared) -> Vec<String> {
    let mut warnings = shared.rights.warnings();
    let is_set = |name: &str| shared.secrets.contains_key(name);
    warnings.extend(shared.rights.missing(&shared.settings, is_set));
    let plugin = shared.rights.plugin();
    let remedy = |secret: &str| {
        format!(
            "under [plugins.{plugin}] in tocsin.toml write: \
             secrets.{secret} = {{ env = \"VARIABLE\" }}"
        )
    };
    for (right, secret) in shared.net.policy().without_secret(is_set) {
        warnings.push(format!(
            "plugin `{plugin}` can send nothing under its right `{right}`, which adds the secret \
             `{secret}`, and that is not set; {}",
            remedy(secret)
        ));
    }
    let routes = shared.rights.manifest().webhooks.iter();
    let granted = routes.filter(|ask| shared.rights.webhook(&ask.route).is_ok());
    for ask in granted {
        let secret = ask.verify.secret.as_str();
        if !secret.is_empty() && !is_set(secret) {
            warnings.push(format!(
                "requests to `/hooks/{plugin}/{}` are refused: the secret `{secret}`, which \
                 verifies them, is not set; {}",
                ask.route,
                remedy(secret)
            ));
        }
    }
    warnings
}
