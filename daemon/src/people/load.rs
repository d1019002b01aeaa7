//! How much people had to do, and how unequally that is shared.

use tocsin_core::time::{HOUR_MS, MINUTE_MS};

/// How far back a person's load is counted unless somebody asks otherwise, in milliseconds: 28
/// days, in which each day of the week occurs as often.
pub const LOAD_WINDOW_MS: u64 = 28 * 24 * HOUR_MS;
/// What a page adds to the load, in minutes.
const PAGE_MINUTES: u64 = 15;
/// What a page adds at night, besides, in minutes: whoever is woken does not sleep at once.
const NIGHT_PAGE_MINUTES: u64 = 45;

/// What a person had to do in some time. Drills and test pages are not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// In which they had a role.
    pub incidents: u64,
    /// How often they were paged. What went out together counts once, and so does a page that went
    /// to several of their contacts.
    pub pages: u64,
    /// How many of these came at night, where the person is.
    pub night_pages: u64,
    /// How long they were the operator, in milliseconds, of each incident.
    pub operator_ms: u64,
    /// How long they were the spokesperson.
    pub spokesperson_ms: u64,
}

/// Who has the most of something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Top {
    /// Their place in the list.
    pub place: usize,
    /// Their part of it, above 0 and at most 1.
    pub share: f64,
}

impl Load {
    #[must_use]
    pub fn operator_minutes(&self) -> u64 {
        self.operator_ms / MINUTE_MS
    }

    #[must_use]
    pub fn spokesperson_minutes(&self) -> u64 {
        self.spokesperson_ms / MINUTE_MS
    }

    /// One number for comparisons, in minutes: those in roles, 15 for each page, and 45 more for
    /// each at night.
    #[must_use]
    pub fn minutes(&self) -> u64 {
        let in_roles = self.operator_minutes() + self.spokesperson_minutes();
        in_roles + PAGE_MINUTES * self.pages + NIGHT_PAGE_MINUTES * self.night_pages
    }
}

/// The Gini coefficient: 0 if all have the same, (n - 1) / n if one of n has everything; 0 of
/// nothing.
#[must_use]
pub fn gini(values: &[u64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let (mut total, mut weighted) = (0.0, 0.0);
    for (rank, value) in (1_u32..).zip(sorted) {
        let value = as_f64(value);
        total += value;
        weighted += f64::from(rank) * value;
    }
    let count = as_f64(values.len() as u64);
    match total > 0.0 {
        true => (2.0 * weighted / total - count - 1.0) / count,
        false => 0.0,
    }
}

/// Who has the most; of several, the first. `None` if nobody has anything.
#[must_use]
pub fn top(values: &[u64]) -> Option<Top> {
    let total: u64 = values.iter().sum();
    let most = values.iter().max().filter(|it| **it > 0)?;
    Some(Top {
        place: values.iter().position(|it| it == most)?,
        share: as_f64(*most) / as_f64(total),
    })
}

/// Counts and minutes are far below what a float cannot tell apart.
#[allow(clippy::cast_precision_loss)]
fn as_f64(value: u64) -> f64 {
    value as f64
}
