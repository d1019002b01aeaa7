//! Stand-ins for the services outside: what the demo and the tests talk to instead of an account.
//!
//! A stand-in that accepts anything proves nothing. These refuse and remember what they do not
//! know, keep the state that the real service would, and can be made to fail in its ways.

pub mod slack;
