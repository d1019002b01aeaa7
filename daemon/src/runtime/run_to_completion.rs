//! Runs work to completion even if its caller is dropped. A handler is dropped when its client
//! disconnects; between a commit and the update of memory, that would make the two differ.

use crate::runtime::error::EngineError;

/// Runs `work` to completion, even if this future is dropped.
///
/// # Errors
/// The work's error, or [`EngineError::Stopping`] when the daemon stops first.
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
