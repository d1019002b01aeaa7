//! The store's tables, and what is cached in memory of them.

pub mod leases;
pub mod load;
pub mod tables;
pub mod view;
