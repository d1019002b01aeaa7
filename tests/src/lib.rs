//! Whole-system scenarios, crash tests and the harness.
