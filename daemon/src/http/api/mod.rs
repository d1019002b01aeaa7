//! `/api/v1`: what the command line and people's own tools use.
//!
//! What the API shows follows the caller's clearance, as everything that leaves the daemon does:
//! an incident under the security flag has no title, text or timeline for who lacks it.

pub(super) mod alerts;
mod daemon;
mod incidents;
mod oncall;
mod shapes;
mod tokens;

use super::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(incidents::routes())
        .merge(alerts::routes())
        .merge(oncall::routes())
        .merge(tokens::routes())
        .merge(daemon::routes())
}
