//! What time makes due: timers, plugins' schedules, and the sweep over alerts.

pub mod schedules;
pub mod sweep;
pub mod timers;
pub mod turn;
