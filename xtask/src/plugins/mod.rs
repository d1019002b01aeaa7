//! `cargo xtask plugins`: builds `plugins/<name>/` into `plugin.toml` and `plugin.wasm` in
//! `target/plugins/<id>/`.
//!
//! No binary is committed, so every machine builds its own guests. Most machines have no compiler
//! for them: [`compiler`] finds one. A plugin is rebuilt only if its sources changed ([`stamp`]).

mod compiler;
mod component;
mod debian;
mod guest;
mod stamp;
mod steps;

use crate::paths;
use anyhow::Result;
use compiler::Source;
use std::fs;
use std::path::PathBuf;

/// Arguments of `cargo xtask plugins`.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Args {
    /// Build only these (folders under plugins/); all of them if none is named
    names: Vec<String>,
    /// Where to get the compiler
    #[arg(long, value_enum, default_value_t)]
    compiler: Source,
    /// Rebuild up-to-date plugins too
    #[arg(long)]
    force: bool,
}

/// A plugin that is ready to be loaded.
#[derive(Clone, Debug)]
pub(crate) struct BuiltPlugin {
    /// The id in its manifest.
    pub(crate) id: String,
    /// The folder with plugin.toml and plugin.wasm.
    pub(crate) dir: PathBuf,
    /// The component's size.
    pub(crate) size_bytes: u64,
    /// Whether this run compiled it, or it was up to date.
    pub(crate) rebuilt: bool,
}

/// Builds the plugins and lists them.
pub(crate) fn run(args: &Args) -> Result<()> {
    for plugin in build(args)? {
        let word = if plugin.rebuilt {
            "built"
        } else {
            "up to date"
        };
        let kib = plugin.size_bytes.div_ceil(1024);
        println!(
            "{} is {word}: {kib} KiB in {}",
            plugin.id,
            plugin.dir.display()
        );
    }
    Ok(())
}

/// Builds the named plugins that are not up to date, and returns all of the named ones.
///
/// # Errors
/// When no compiler is found, a plugin does not compile, or it has an import that the host lacks.
pub(crate) fn build(args: &Args) -> Result<Vec<BuiltPlugin>> {
    let root = paths::root();
    let guests = guest::discover(&root.join("plugins"), &args.names)?;
    let sources = stamp::Sources::read(&root)?;
    let mut compiler = compiler::ready(args.compiler);
    let mut plugins = Vec::new();
    for guest in &guests {
        let out = paths::target().join("plugins").join(&guest.id);
        let stamp = sources.stamp(&guest.dir)?;
        let known = compiler.as_ref().map(|it| it.identity.as_str());
        let is_stale = args.force || !stamp.is_fresh(&out, known);
        plugins.push((guest, out, stamp, is_stale));
    }
    let stale: Vec<_> = plugins.iter().filter(|it| it.3).map(|it| it.0).collect();
    if !stale.is_empty() {
        let found = match compiler.take() {
            Some(found) => found,
            None => compiler::fetch(args.compiler)?,
        };
        guest::compile(&stale, &found)?;
        for (guest, out, stamp, _) in plugins.iter().filter(|it| it.3) {
            guest.finish(out)?;
            stamp.write(out, &found.identity)?;
        }
    }
    let built = plugins.into_iter().map(|(guest, dir, _, rebuilt)| {
        Ok(BuiltPlugin {
            id: guest.id.clone(),
            size_bytes: fs::metadata(dir.join("plugin.wasm"))?.len(),
            dir,
            rebuilt,
        })
    });
    built.collect()
}
