//! The SDK for tocsin plugins.
//!
//! A plugin is a WebAssembly component that the daemon calls with events and webhooks. It has
//! access to the outside only through the functions here, limited to what its `plugin.toml` asks
//! for and the operator grants. Implement [`Plugin`], export it with [`export_plugin!`], and build
//! it with `cargo xtask plugins`.
//!
//! The same code compiles natively, with [`testing::FakeHost`] as the host, so a plugin's logic can
//! be tested with plain `cargo test`, without a WebAssembly compiler.
//!
//! Differences from ordinary Rust inside the daemon: every call gets a new instance, so a `static`
//! does not keep its value; `println!` has no effect, use [`log`]; `SystemTime::now` panics, use
//! [`clock`]; there are no threads, no files and no sockets.
#![deny(unsafe_code)]
#![warn(missing_docs)]

// The only unsafe code: generated code for the component boundary.
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
pub mod pages;
mod panic;
pub mod people;
mod plugin;
pub mod socket;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod text;
pub mod types;
mod webhook;

#[doc(hidden)]
pub use adapter::Adapter;
pub use plugin::Plugin;
pub use serde_json;

/// The host's functions: the component's imports, or the fake host in a native build.
#[cfg(target_arch = "wasm32")]
use bindings::tocsin::plugin as host;
#[cfg(not(target_arch = "wasm32"))]
use testing::imports as host;

/// Exports a type that implements [`Plugin`] as this component's plugin. Use it once, at the top of
/// the crate. A native build exports nothing.
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        type TocsinPluginAdapter = $crate::Adapter<$plugin>;
        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export_bindings!(TocsinPluginAdapter with_types_in $crate::bindings);
    };
}
