//! The alerts around the one of a test: `context.alerts`, and when its own began to fire before.

use serde::Deserialize;
use tocsin_core::{Alert, Labels, Signal, Timestamp};
use toml::Spanned;

use super::inputs::{Contradiction, start};
use crate::alerts::{ListedAlert, Starts};

/// Another alert.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AroundCase {
    labels: Labels,
    /// Whether it fires; it does unless a test says otherwise.
    firing: Option<bool>,
    /// How long ago it began to.
    began: Option<Spanned<String>>,
}

/// The alerts of a context.
pub(super) fn around(
    cases: Vec<AroundCase>,
    now: Timestamp,
) -> Result<Vec<ListedAlert>, Contradiction> {
    let listed = |(number, case): (usize, AroundCase)| {
        let starts = Starts {
            firing: case.firing.unwrap_or(true),
            times: vec![start("began", None, case.began, now)?],
        };
        Ok(ListedAlert {
            key: format!("around/{number}"),
            labels: case.labels,
            starts,
        })
    };
    cases.into_iter().enumerate().map(listed).collect()
}

/// The alert of a test, as it was before it began to fire now.
pub(super) fn before(
    alert: &Signal,
    began: Vec<Spanned<String>>,
    now: Timestamp,
) -> Result<ListedAlert, Contradiction> {
    let times = began
        .into_iter()
        .map(|ago| start("began", None, Some(ago), now));
    let mut times: Vec<_> = times.collect::<Result<_, _>>()?;
    times.sort_by(|a, b| b.cmp(a));
    let starts = Starts {
        firing: false,
        times,
    };
    Ok(ListedAlert {
        key: Alert::row_key(&alert.integration, &alert.fingerprint),
        labels: alert.labels.clone(),
        starts,
    })
}
