//! `tocsin init`: writes a starting configuration that runs unchanged.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::failure::Failure;
use super::output::Out;
use crate::config::{SHIPPED_POLICIES, STARTER};

/// The folder of the policies, as the configuration names it.
const POLICIES_FOLDER: &str = "policies";

/// `tocsin init DIR`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tocsin init oncall && tocsin serve --config oncall/tocsin.toml"
)]
pub(super) struct InitArgs {
    /// The folder to write to; created if missing, and nothing in it is overwritten
    pub(super) dir: PathBuf,
}

/// Writes the configuration and the policies, and prints the next steps.
///
/// # Errors
/// When one of the files already exists or cannot be written.
pub(super) fn run(args: &InitArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let dir = &args.dir;
    let policies = dir.join(POLICIES_FOLDER);
    let config = std::iter::once((dir.join("tocsin.toml"), STARTER));
    let shipped = SHIPPED_POLICIES.map(|(file, text)| (policies.join(file), text));
    let files: Vec<_> = config.chain(shipped).collect();
    if let Some((there, _)) = files.iter().find(|(file, _)| file.exists()) {
        return Err(Failure::failed(format!(
            "{} already exists and is not overwritten; name another folder, or move it away",
            there.display()
        )));
    }
    for (file, text) in &files {
        write_new(file, text)?;
    }
    let config = dir.join("tocsin.toml");
    let (dir, config) = (dir.display(), config.display());
    out.line(format!(
        "Wrote {config} and {dir}/policies.

Next:
  1. Edit {config}: enter your name and contacts in [people.you].
  2. Check the configuration:    tocsin check --config {config}
  3. Start the daemon:           tocsin serve --config {config}
  4. In another terminal, create a token for the integration `curl`:
       export TOCSIN_TOKEN_FILE={dir}/data/admin.token
       tocsin token create --integration curl
  5. Send an alert as {config} shows above [integrations.curl], and list the incidents:
       tocsin incident list"
    ))
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let cannot = || format!("cannot write {}", path.display());
    let mut file = fs::File::create_new(path).with_context(cannot)?;
    file.write_all(text.as_bytes()).with_context(cannot)
}
