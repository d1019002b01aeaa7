//! `tocsin demo`: the whole story on one machine with no account anywhere. The daemon is the
//! real one with the shipped policies and the real Slack plugin; only the Slack workspace is a
//! stand-in, and the clock runs faster. What is told is read back from the daemon and from the
//! workspace, and a story that does not come true in time is a failure.

mod story;
mod teller;
mod world;

use std::path::PathBuf;

use anyhow::Result;

pub use world::SPEED;

/// The configuration that the demo begins with; `[policy]` and whatever else is its reader's.
pub const SHOP: &str = include_str!("shop.toml");

/// How the demo is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the built Slack plugin, with `plugin.toml` and `plugin.wasm`.
    pub plugin: PathBuf,
    /// Whether the daemon goes on after the story, to look around.
    pub hold: bool,
}

/// Tells the story.
///
/// # Errors
/// When something of it did not happen, and what.
pub async fn run(options: Options) -> Result<()> {
    let world = world::World::build(&options.plugin).await?;
    let told = story::tell(&world).await;
    if told.is_ok() && options.hold {
        world.hold().await?;
    }
    world.end().await;
    told
}
