//! What a tocsin plugin is written with.
//!
//! A plugin is a WebAssembly component that the daemon calls with events and webhooks and that can
//! reach outside only through the functions here, within what its `plugin.toml` asks for and the
//! operator grants. Implement [`Plugin`], name it once in [`export_plugin!`], and build it with
//! `cargo xtask plugins`.
//!
//! The same code compiles natively. There the host is the [`testing::FakeHost`], so a plugin's
//! logic runs under plain `cargo test`, without a WebAssembly compiler.
//!
//! What differs from ordinary Rust inside the daemon: every call gets a fresh instance, so a
//! `static` forgets; `println!` goes nowhere, use [`log`]; `SystemTime::now` panics, use
//! [`clock`]; there are no threads, no files and no sockets.
#![deny(unsafe_code)]
#![warn(missing_docs)]

// The one place with unsafe code: what the generator writes to cross the component boundary.
#[doc(hidden)]
#[rustfmt::skip]
#[allow(unsafe_code, missing_docs, unreachable_pub, dead_code, clippy::all)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
pub mod bindings;

mod adapter;
pub mod clock;
pub mod commands;
pub mod config;
mod failure;
pub mod http;
pub mod jobs;
pub mod kv;
pub mod log;
pub mod mail;
mod panic;
pub mod people;
mod plugin;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod types;
mod webhook;

#[doc(hidden)]
pub use adapter::Adapter;
pub use plugin::Plugin;
pub use serde_json;

/// The host's functions: the component's imports, or on a native build the fake of the tests.
#[cfg(target_arch = "wasm32")]
use bindings::tocsin::plugin as host;
#[cfg(not(target_arch = "wasm32"))]
use testing::imports as host;

/// Makes a type that implements [`Plugin`] the plugin of this component. Use it once, at the top
/// of the crate. A native build exports nothing.
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        type TocsinPluginAdapter = $crate::Adapter<$plugin>;
        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export_bindings!(TocsinPluginAdapter with_types_in $crate::bindings);
    };
}
