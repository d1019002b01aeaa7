//! `tocsin demo`: plays an incident from alert to resolution, without any accounts. It runs the
//! real daemon with the shipped policies and the real Slack plugin on a faster clock; only the
//! Slack workspace is a stand-in. Every line it prints is read back from the daemon or the
//! workspace, and the demo fails if a step does not happen in time.

mod people;
mod printer;
mod story;
mod watch;
mod world;

use std::path::PathBuf;

use anyhow::Result;

pub use world::SPEED;

/// The initial configuration of the demo, without `[server]` and `[policy]`.
pub const CONFIG: &str = include_str!("tocsin.toml");

/// The demo's options.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the built Slack plugin, with `plugin.toml` and `plugin.wasm`.
    pub plugin: PathBuf,
    /// Whether to leave the daemon running after the demo.
    pub hold: bool,
}

/// Runs the demo.
///
/// # Errors
/// When a step did not happen in time, and which.
pub async fn run(options: Options) -> Result<()> {
    let world = world::World::build(&options.plugin).await?;
    let told = story::tell(&world).await;
    if told.is_ok() && options.hold {
        world.hold().await?;
    }
    world.end().await;
    told
}
