//! The Rhai engine, restricted to what policies need.
//!
//! It starts from an engine without packages, because the default one reads modules from disk and
//! prints to standard output. It has arithmetic, strings, arrays, maps and our own helpers, but no
//! clock, files, sleep or `eval`. All limits are set explicitly, since Rhai's defaults differ
//! between debug and release builds.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::Duration;

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
    BasicMathPackage, BasicStringPackage, LanguageCorePackage, LogicPackage, MoreStringPackage,
    Package,
};
use rhai::{Engine, EvalAltResult, OptimizationLevel};

use crate::limits::{
    ARRAY_ELEMENTS_MAX, CALL_LEVELS_MAX, EXPRESSION_DEPTH_MAX, FUNCTION_EXPRESSION_DEPTH_MAX,
    FUNCTIONS_MAX, LIBS_MAX, MAP_PROPERTIES_MAX, OPERATIONS_MAX, PRINT_LINE_BYTES_MAX,
    PRINT_LINES_MAX, STRING_BYTES_MAX, VARIABLES_MAX,
};
use crate::{
    backstop, bind, counting, day, helpers, libs, locate, moment, operators, quantity, raised,
    switches, watch,
};

thread_local! {
    static PRINTED: Cell<u32> = const { Cell::new(0) };
}

/// Symbols that the parser rejects. `eval` parses at run time. `curry` nests function pointers,
/// each a copy of the previous one, and no size limit counts them.
pub(crate) const FORBIDDEN: [&str; 3] = ["eval", "curry", "export"];

rhai::def_package! {
    /// The parts of Rhai that policies need, as one package: every call looks its functions up in
    /// one package after the other.
    pub(crate) PolicyPackage(_module) :
        LanguageCorePackage, ArithmeticPackage, LogicPackage, BasicStringPackage,
        BasicIteratorPackage, BasicFnPackage, BasicMathPackage, BasicArrayPackage,
        BasicMapPackage, MoreStringPackage
    {
    }
}

/// Builds an engine, which takes about 0.2 ms, so share it.
pub(crate) fn new() -> Engine {
    let mut engine = Engine::new_raw();
    PolicyPackage::new().register_into_engine(&mut engine);
    limit(&mut engine);
    forbid(&mut engine);
    libs::register(&mut engine);
    engine.on_print(print);
    engine.on_debug(|text, _, _| print(text));
    engine.on_progress(backstop::check);
    operators::register(&mut engine);
    raised::register(&mut engine);
    helpers::register(&mut engine);
    day::register(&mut engine);
    moment::register(&mut engine);
    counting::register(&mut engine);
    bind::register(&mut engine);
    quantity::register(&mut engine);
    switches::register(&mut engine);
    engine
}

/// An engine for tests and checks, which notes what runs.
pub(crate) fn watching() -> Engine {
    let mut engine = new();
    watch::register(&mut engine);
    engine
}

/// The engine that notes where its calls are; it prints nothing.
pub(crate) fn locating() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = new();
        engine.on_print(|_| ());
        engine.on_debug(|_, _, _| ());
        locate::register(&mut engine);
        engine
    })
}

/// Runs `call` with a backstop and a limit of printed lines.
pub(crate) fn within<T>(wall: Duration, call: impl FnOnce() -> T) -> T {
    PRINTED.set(0);
    backstop::within(wall, call)
}

fn limit(engine: &mut Engine) {
    engine
        .set_max_operations(OPERATIONS_MAX)
        .set_max_call_levels(CALL_LEVELS_MAX)
        .set_max_expr_depths(EXPRESSION_DEPTH_MAX, FUNCTION_EXPRESSION_DEPTH_MAX)
        .set_max_string_size(STRING_BYTES_MAX)
        .set_max_array_size(ARRAY_ELEMENTS_MAX)
        .set_max_map_size(MAP_PROPERTIES_MAX)
        .set_max_variables(VARIABLES_MAX)
        .set_max_functions(FUNCTIONS_MAX)
        .set_max_modules(LIBS_MAX)
        // A registered operator comes before Rhai's own, which knows nothing of what is read.
        .set_fast_operators(false)
        // The optimizer compares constants with Rhai's own operators, and drops the positions of
        // what it replaces.
        .set_optimization_level(OptimizationLevel::None)
        .set_strict_variables(true)
        .set_fail_on_invalid_map_property(true);
}

fn forbid(engine: &mut Engine) {
    for symbol in FORBIDDEN {
        engine.disable_symbol(symbol);
    }
    // Disabling the symbol `sleep`, which would block the thread, has no effect; overriding the
    // function has.
    engine.register_fn("sleep", |_: i64| no_sleep());
    engine.register_fn("sleep", |_: f64| no_sleep());
}

fn no_sleep() -> Result<(), Box<EvalAltResult>> {
    Err("a policy cannot sleep; return a `wait` instead".into())
}

fn print(text: &str) {
    let printed = PRINTED.get();
    if printed < PRINT_LINES_MAX {
        PRINTED.set(printed.saturating_add(1));
        let line = crate::text::cut(text, PRINT_LINE_BYTES_MAX);
        tracing::debug!(target: "tocsin::policy", "{line}");
    }
}
