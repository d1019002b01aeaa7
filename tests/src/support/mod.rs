//! Real programs around the daemon: senders, a mail server, a vendor's own library.
//!
//! Each is used as installed, else downloaded by package name into the target folder (Debian
//! packages are unpacked but not installed, so that no service starts), else the tests that need it
//! are reported as skipped.

mod alertmanager;
pub mod canary;
pub mod config;
mod daemon;
mod debian;
mod embedded;
mod hostile;
mod lives;
mod moved_clock;
mod pagerduty;
mod process;
mod program;
mod prometheus;
mod python;
mod recorder;
mod slack_sdk;
mod smtp;
mod strace;

pub use alertmanager::{Alertmanager, Amtool};
pub use daemon::Daemon;
pub use embedded::Embedded;
pub use hostile::{Hostile, Latencies, hanging_server, sample};
pub use lives::Lives;
pub use moved_clock::{CLOCK_FILE, MovedClock};
pub use pagerduty::PagerDuty;
pub use process::{Process, free_port};
pub use program::{Home, PROGRAM, Program, admin_token, new_token};
pub use prometheus::{Prometheus, Sender};
pub use recorder::{Exchange, Recorder};
pub use slack_sdk::SlackSdk;
pub use smtp::{Mail, SmtpServer};
pub use strace::strace;
