//! Every limit of the engine, with its unit in its name. A limit is a promise to the person on
//! call: nothing that a sender or a policy does grows without end.

use crate::time::{HOUR_MS, MINUTE_MS, SECOND_MS};

/// Longest title of an alert or incident, in bytes.
pub const TITLE_BYTES_MAX: usize = 256;
/// Longest summary, in bytes.
pub const SUMMARY_BYTES_MAX: usize = 2_048;
/// Longest reason of a verdict, in bytes.
pub const REASON_BYTES_MAX: usize = 512;
/// Most of a verdict's input that is stored with it, in bytes of JSON.
pub const VERDICT_INPUT_BYTES_MAX: usize = 2_048;
/// Most labels, and most annotations, of one signal.
pub const LABELS_MAX: usize = 64;
/// Longest name of a label, in bytes.
pub const LABEL_NAME_BYTES_MAX: usize = 128;
/// Longest value of a label, in bytes.
pub const LABEL_VALUE_BYTES_MAX: usize = 1_024;
/// Longest fingerprint, incident key or other name, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// Longest line of the incident log, in bytes.
pub const LOG_BODY_BYTES_MAX: usize = 4_096;

/// Most steps of an escalation plan.
pub const PLAN_STEPS_MAX: usize = 16;
/// Most targets of one step.
pub const STEP_TARGETS_MAX: usize = 16;
/// Most people paged by one step.
pub const STEP_PEOPLE_MAX: usize = 32;
/// Shortest wait between two steps, in milliseconds.
pub const STEP_WAIT_MS_MIN: u64 = SECOND_MS;
/// Longest wait between two steps, in milliseconds.
pub const STEP_WAIT_MS_MAX: u64 = 24 * HOUR_MS;
/// Pages remembered in one incident; older ones that need nothing any more are forgotten.
pub const PAGES_MAX: usize = 64;

/// After this many repeats of the last step, a repeat waits at least
/// [`LATE_REPEAT_WAIT_MS_MIN`]: who slept through a hundred pages is not helped by one a minute.
pub const EARLY_REPEATS_MAX: u32 = 100;
/// Shortest wait between late repeats, in milliseconds.
pub const LATE_REPEAT_WAIT_MS_MIN: u64 = 15 * MINUTE_MS;

/// A page that no channel has taken within this goes to the next contact, in milliseconds.
pub const CONTACT_WAIT_MS: u64 = 30 * SECOND_MS;
/// Contacts that nothing delivers to which one decision passes over; a page beyond has its wait.
pub const PASSED_OVER_MAX: usize = 64;
/// Shortest time between two tallies in an incident's stream, in milliseconds.
pub const TALLY_EVERY_MS: u64 = 30 * SECOND_MS;
/// Alerts named in one tally.
pub const TALLY_SAMPLE_MAX: usize = 5;
/// Label sets that one incident is graded for; further ones keep the grade.
pub const SHAPES_MAX: usize = 64;
/// Times that one incident reopens; after that a new one opens.
pub const REOPENS_MAX: u32 = 20;
/// Links to other systems that one incident keeps.
pub const REFS_MAX: usize = 32;
/// Tallies that an incident gets at the fast rate.
pub const TALLIES_FAST_MAX: u32 = 20;
/// Most alerts that a routing policy may wait for.
pub const WAIT_COUNT_MAX: u32 = 50;
/// Longest window that a routing policy may wait in, in milliseconds.
pub const WAIT_WINDOW_MS_MAX: u64 = 24 * HOUR_MS;
/// Most bytes of text in one signal; longer annotations are cut first, then labels.
pub const SIGNAL_BYTES_MAX: usize = 5 * 1_024;
/// Bytes of names that wait under one key; more is as good as the whole count.
pub const WAIT_BYTES_MAX: usize = 5 * 1_024;
/// A firing signal with the beginning of an alert that ended is late, and not anew, for this
/// long after the end, in milliseconds.
pub const LATE_FIRING_MS: u64 = 30 * SECOND_MS;
