//! Runs one call of a policy within its limits, and reports precisely what stopped it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rhai::{CallFnOptions, Dynamic, Engine, Scope};

use crate::compiled::Policy;
use crate::fault::eval_report;
use crate::limits::WALL_MS_MAX;
use crate::report::Report;
use crate::{engine, libs};

/// Calls `function` of `policy`.
pub(crate) fn call(
    engine: &Engine,
    policy: &Policy,
    function: &str,
    args: Vec<Dynamic>,
) -> Result<Dynamic, Report> {
    let run = || {
        let mut scope = Scope::new();
        let options = CallFnOptions::new();
        engine.call_fn_with_options::<Dynamic>(options, &mut scope, &policy.ast, function, args)
    };
    let wall = Duration::from_millis(WALL_MS_MAX);
    // A native Rhai function that panics on unusual arguments must not crash the daemon.
    let guarded = || catch_unwind(AssertUnwindSafe(run));
    match libs::with(&policy.libs.modules, || engine::within(wall, guarded)) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(eval_report(policy, function, &error)),
        Err(_) => Err(policy.at_function(
            function,
            format!("{function}: the policy engine panicked on this policy"),
            "revert the last change to the policy, and report this as a bug in tocsin",
        )),
    }
}
