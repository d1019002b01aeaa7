//! What is held in memory of what the store keeps, and the store's tables.

pub mod leases;
pub mod tables;
pub mod view;
