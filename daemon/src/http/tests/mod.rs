//! Tests of the whole router, with a daemon in memory.

mod ack;
mod alert_history;
mod alertmanager;
mod alerts;
mod api;
mod bodies;
mod endpoints;
mod hangups;
mod hooks;
mod ingest;
mod ingest_signed;
mod load;
mod middleware;
mod oncall;
mod openapi;
mod overload;
mod page_tests;
mod pagerduty;
mod reports;
mod rig;
mod serve;
