//! Work that ends once it has begun. A handler is dropped when its client hangs up; between a
//! commit and what follows it in memory, that would leave the two apart.

use crate::runtime::error::EngineError;

/// Carries `work` out to its end, also when whoever waits for this goes away.
///
/// # Errors
/// The work's own, and [`EngineError::Stopping`] when the daemon ends first.
pub(crate) async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = Result<T, EngineError>> + Send + 'static,
) -> Result<T, EngineError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(EngineError::Stopping),
        },
    }
}
