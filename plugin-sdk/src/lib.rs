//! What a tocsin plugin is written with.
