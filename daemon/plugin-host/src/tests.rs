//! Tests of the whole host with hostile guests and a server on loopback. The guests are WebAssembly
//! text, so that no compiler for guests is needed.

mod credentials;
mod effects;
mod fakes;
mod floods;
mod hostile;
mod http;
mod lifecycle;
mod loud;
mod pages;
mod people;
mod rig;
mod slack;
mod webhooks;
