//! `/api/v1`, for the command line and other tools.
//!
//! What the API shows depends on the caller's clearance: without it, a security incident has no
//! title, text or timeline.

mod alert_history;
pub(super) mod alerts;
mod daemon;
mod drills;
mod incidents;
mod load;
mod oncall;
mod page_tests;
mod reports;
mod shapes;
mod tokens;

use super::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(incidents::routes())
        .merge(alerts::routes())
        .merge(alert_history::routes())
        .merge(oncall::routes())
        .merge(load::routes())
        .merge(page_tests::routes())
        .merge(reports::routes())
        .merge(drills::routes())
        .merge(tokens::routes())
        .merge(daemon::routes())
}
