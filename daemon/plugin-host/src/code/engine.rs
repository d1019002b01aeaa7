//! Configures and starts wasmtime.
//!
//! A guest that spins is stopped by epochs, which a dedicated OS thread increments: a tokio timer
//! would not fire while the guest occupies the worker that drives it. The thread has a weak
//! reference to the engine and ends with it.

use crate::call::STACK_BYTES_MAX;
use crate::rights::TICK_MS;
use std::time::Duration;
use wasmtime::{Config, Engine, OptLevel, WasmBacktraceDetails};

/// Stack size of the fiber that runs the guest and its host calls, in bytes.
const FIBER_STACK_BYTES: usize = 1 << 20;

/// Why the engine could not start.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine cannot start: {0}")]
pub struct EngineError(String);

/// Builds the engine and starts its epoch thread.
pub(crate) fn start() -> Result<Engine, EngineError> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES_MAX)
        .async_stack_size(FIBER_STACK_BYTES)
        .cranelift_opt_level(OptLevel::Speed)
        // Off, so that no environment variable changes the engine.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .concurrency_support(false)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false);
    let engine = Engine::new(&config).map_err(|error| EngineError(format!("{error:#}")))?;
    tick(&engine)?;
    Ok(engine)
}

fn tick(engine: &Engine) -> Result<(), EngineError> {
    let weak = engine.weak();
    std::thread::Builder::new()
        .name("plugin-epochs".into())
        .spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(TICK_MS));
                match weak.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => break,
                }
            }
        })
        .map(drop)
        .map_err(|error| EngineError(format!("the epoch thread cannot start: {error}")))
}
