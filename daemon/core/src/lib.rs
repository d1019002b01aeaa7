//! The incident engine: pure decisions over values.
