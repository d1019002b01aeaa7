//! The whole host against guests that were written to hurt it, and against a server on loopback.
//! The guests are WebAssembly text, so that no compiler for guests is needed.

mod effects;
mod fakes;
mod floods;
mod hostile;
mod http;
mod lifecycle;
mod people;
mod rig;
mod slack;
mod webhooks;
