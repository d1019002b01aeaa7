//! The starting configuration and policies for `tocsin init` and `tocsin demo`, compiled in so
//! that a new machine needs only the program.

/// What `tocsin init` writes as `tocsin.toml`: a commented configuration that is valid unchanged.
pub const STARTER: &str = include_str!("starter.toml");

/// The policies with their tests, by file name.
pub const SHIPPED_POLICIES: [(&str, &str); 8] = [
    (
        "routing.rhai",
        include_str!("../../../policies/routing.rhai"),
    ),
    (
        "routing.test.toml",
        include_str!("../../../policies/routing.test.toml"),
    ),
    (
        "grading.rhai",
        include_str!("../../../policies/grading.rhai"),
    ),
    (
        "grading.test.toml",
        include_str!("../../../policies/grading.test.toml"),
    ),
    (
        "escalation.rhai",
        include_str!("../../../policies/escalation.rhai"),
    ),
    (
        "escalation.test.toml",
        include_str!("../../../policies/escalation.test.toml"),
    ),
    (
        "communication.rhai",
        include_str!("../../../policies/communication.rhai"),
    ),
    (
        "communication.test.toml",
        include_str!("../../../policies/communication.test.toml"),
    ),
];
