//! Reports over many incidents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tocsin_core::{Audience, PromiseCounts, Timestamp};
use utoipa::{IntoParams, ToSchema};

use crate::config::Span;
use crate::time::format_time;

/// Which incidents a report is about.
#[derive(Debug, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportQuery {
    /// Those that opened within this time until now, such as `90d`, at most `366d`.
    #[schema(value_type = String)]
    #[param(value_type = String)]
    pub(crate) since: Span,
    /// A token, for programs that cannot send headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

/// How many promised updates came in time. Drills do not count.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PromiseReport {
    /// The incidents that it counts opened from then on.
    pub(crate) since: String,
    /// How many of them made a promise of which it is known what became.
    pub(crate) incidents: u64,
    pub(crate) audiences: Vec<PromisesLine>,
    pub(crate) all: PromisesLine,
}

/// What became of the promises to an audience.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PromisesLine {
    /// `all` for all of them together.
    pub(crate) audience: String,
    /// The update came in time.
    pub(crate) kept: u64,
    /// It came within five minutes after it was due.
    pub(crate) late: u64,
    /// It did not.
    pub(crate) broken: u64,
}

impl PromiseReport {
    /// A report of these counts.
    pub(crate) fn of(
        since: Timestamp,
        incidents: u64,
        counts: &BTreeMap<Audience, PromiseCounts>,
    ) -> Self {
        let all = counts.values().copied().reduce(PromiseCounts::and);
        Self {
            since: format_time(since),
            incidents,
            audiences: counts
                .iter()
                .map(|(audience, it)| PromisesLine::of(audience.as_str(), *it))
                .collect(),
            all: PromisesLine::of("all", all.unwrap_or_default()),
        }
    }

    /// The report in a sentence.
    pub(crate) fn in_words(&self) -> String {
        let PromisesLine {
            kept, late, broken, ..
        } = self.all;
        match kept + late + broken {
            0 => "no update was promised".to_owned(),
            1 => format!("{} % of 1 update in time", kept * 100),
            // Rounded down: only a promise that is always kept is kept by 100 %.
            total => format!("{} % of {total} updates in time", kept * 100 / total),
        }
    }
}

impl PromisesLine {
    fn of(audience: &str, counts: PromiseCounts) -> Self {
        Self {
            audience: audience.to_owned(),
            kept: counts.kept,
            late: counts.late,
            broken: counts.broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(kept: u64, late: u64, broken: u64) -> String {
        let counts = PromiseCounts { kept, late, broken };
        PromiseReport::of(Timestamp(0), 1, &[(Audience::Company, counts)].into()).in_words()
    }

    #[test]
    fn a_share_is_rounded_down_so_that_all_means_all() {
        assert_eq!(report(206, 5, 3), "96 % of 214 updates in time");
        assert_eq!(report(999, 0, 1), "99 % of 1000 updates in time");
        assert_eq!(report(2, 0, 0), "100 % of 2 updates in time");
        assert_eq!(report(0, 0, 0), "no update was promised");
    }
}
