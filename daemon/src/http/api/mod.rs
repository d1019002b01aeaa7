//! `/api/v1`: what the command line and people's own tools use.
//!
//! What the API shows follows the caller's clearance, as everything that leaves the daemon does:
//! an incident under the security flag has no title, text or timeline for who lacks it.

pub(super) mod alerts;
pub(super) mod daemon;
pub(super) mod incidents;
pub(super) mod oncall;
pub(super) mod shapes;
pub(super) mod tokens;
