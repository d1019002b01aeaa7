//! Where incidents, timers and deliveries live.
