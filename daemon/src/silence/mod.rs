//! Silences and their matchers, compatible with Alertmanager.
//!
//! This module does no IO; the runtime stores the silences. To keep a silence from matching more
//! than its author intended, patterns are anchored at both ends, an absent label counts as empty,
//! and a silence that would match every alert is refused.

mod change;
mod danger;
mod matcher;
mod parse;
mod value;
mod wire;

pub use change::{
    EXPIRED_KEPT_MS, Kept, SILENCES_MAX, SilenceRefusal, SilenceSet, expire, is_forgotten,
    matching, set,
};
pub use danger::LONG_MS;
pub(crate) use matcher::compile as compile_pattern;
pub use matcher::{MatchOp, Matcher, MatcherError, matches_all};
pub use parse::{MatcherSyntaxError, parse_matcher, parse_matchers};
pub use value::{Hid, Silence, SilenceState};
pub use wire::{
    GettableSilence, PostableSilence, SilenceCreated, SilenceFilter, SilenceStatus, WireMatcher,
    list_silences, read_postable,
};

/// Most matchers of one silence or one query.
pub const MATCHERS_MAX: usize = 32;
/// Largest compiled pattern, in bytes.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 1_024 * 1_024;
/// Deepest nesting of a pattern.
pub const PATTERN_NESTING_MAX: u32 = 32;
/// Longest comment on a silence, in bytes.
pub const COMMENT_BYTES_MAX: usize = 4_096;
/// Largest body of a posted silence, in bytes.
pub const SILENCE_BODY_BYTES_MAX: usize = 64 * 1_024;

#[cfg(test)]
mod tests;
