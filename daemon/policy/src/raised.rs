//! Faults that our own operators and functions raise within a script, with their remedy.

use rhai::{Dynamic, Engine, EvalAltResult, Position};

/// A fault that a script meets at the line that runs.
#[derive(Clone, Debug)]
pub(crate) struct Raised {
    pub(crate) message: String,
    pub(crate) remedy: String,
}

/// What a native function returns that can raise a fault.
pub(crate) type Fallible<T> = Result<T, Box<EvalAltResult>>;

impl Raised {
    /// The error of a native function; Rhai adds the position of the call.
    pub(crate) fn error(
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Box<EvalAltResult> {
        let raised = Self {
            message: message.into(),
            remedy: remedy.into(),
        };
        EvalAltResult::ErrorRuntime(Dynamic::from(raised), Position::NONE).into()
    }

    /// The fault that a script ended with, if it is one of ours.
    pub(crate) fn of(error: &EvalAltResult) -> Option<Self> {
        match error {
            EvalAltResult::ErrorRuntime(value, _) => value.clone().try_cast(),
            _ => None,
        }
    }
}

/// Lets a script that catches a fault print it.
pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Raised>("Fault")
        .register_fn("to_string", |it: &mut Raised| it.message.clone())
        .register_fn("to_debug", |it: &mut Raised| it.message.clone());
}
