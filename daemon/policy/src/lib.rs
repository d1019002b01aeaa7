//! Runs user-supplied Rhai policies within limits.
