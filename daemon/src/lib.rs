//! The tocsin daemon as a library, for the program and for tests.
//!
//! Alerts come in through [`ingest`], [`runtime`] decides what to do with the core's rules, and
//! pages go out through [`plugins`] and [`mail`]. [`app`] builds, starts and drains the daemon.

#![forbid(unsafe_code)]

mod actions;
mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod demo;
pub mod disclosure;
mod drill;
pub mod health;
pub mod http;
pub mod ical;
pub mod ingest;
pub mod mail;
pub mod metrics;
pub mod people;
pub mod plugins;
#[cfg(test)]
mod rig;
pub mod runtime;
#[cfg(test)]
mod sample_pages;
#[cfg(test)]
mod sample_sns;
pub mod silence;
pub mod standin;
pub mod text;
pub mod time;
