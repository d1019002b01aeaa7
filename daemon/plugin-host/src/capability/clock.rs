//! `clock`: the daemon's time, so that a simulated clock applies to plugins too.

use super::context::Context;
use crate::wit::clock::Host;

/// Most random bytes per request.
const RANDOM_BYTES_MAX: u32 = 4_096;

/// What the daemon provides.
pub trait ClockService: Send + Sync + 'static {
    /// The time, in milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;
}

impl Host for Context {
    fn now(&mut self) -> wasmtime::Result<u64> {
        let _pause = self.pause();
        Ok(self.shared.services.now_ms())
    }

    fn monotonic(&mut self) -> wasmtime::Result<u64> {
        let _pause = self.pause();
        Ok(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn random_bytes(&mut self, len: u32) -> wasmtime::Result<Vec<u8>> {
        let _pause = self.pause();
        if len > RANDOM_BYTES_MAX {
            wasmtime::bail!("random-bytes: {len} bytes requested, at most {RANDOM_BYTES_MAX}");
        }
        let mut bytes = vec![0; len as usize];
        getrandom::fill(&mut bytes)
            .map_err(|error| wasmtime::format_err!("random-bytes: {error}"))?;
        Ok(bytes)
    }
}
