//! The tocsin daemon: everything that the program links, for the program and for tests.
//!
//! Alerts come in through [`ingest`], are decided by the core under [`runtime`], and go out
//! through [`plugins`] and [`mail`]. [`app`] builds, starts and drains the whole.

#![forbid(unsafe_code)]

mod actions;
mod api;
pub mod app;
pub mod auth;
pub mod change;
pub mod cli;
pub mod config;
pub mod demo;
pub mod disclosure;
pub mod health;
pub mod http;
pub mod ingest;
pub mod mail;
pub mod metrics;
pub mod people;
pub mod plugins;
pub mod runtime;
pub mod silence;
pub mod standin;
pub mod text;
pub mod time;
