//! Runs WebAssembly plugins within limits and grants.
