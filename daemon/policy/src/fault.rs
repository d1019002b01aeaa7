//! Converts Rhai errors to reports: what happened, where, which limit, and the remedy.

use rhai::{EvalAltResult, ParseError, ParseErrorType, Position};

use crate::backstop::LARGE;
use crate::compiled::{Place, Policy};
use crate::engine;
use crate::hints::{dot_remedy, function_remedy};
use crate::limits::{
    ARRAY_ELEMENTS_MAX, CALL_LEVELS_MAX, EXPRESSION_DEPTH_MAX, FUNCTION_EXPRESSION_DEPTH_MAX,
    FUNCTIONS_MAX, GROWTH_BYTES_MAX, LIBS_MAX, MAP_PROPERTIES_MAX, OPERATIONS_MAX,
    STRING_BYTES_MAX, VARIABLES_MAX, WALL_MS_MAX,
};
use crate::raised::Raised;
use crate::report::{LimitHit, Report};

/// The report of a file that does not parse.
pub(crate) fn parse_report(file: &str, text: &str, error: &ParseError) -> Report {
    let kind = error.err_type();
    let report = match forbidden_at(text, error.position()) {
        Some(symbol) => Report::new(
            file,
            format!("`{symbol}` is not allowed in policies"),
            "use functions and loops; files in lib/ are shared with `import`",
        ),
        None => {
            let captured = matches!(kind, ParseErrorType::VariableUndefined(_))
                && is_in_closure(text, error.position());
            let remedy = match captured {
                true => CAPTURED.to_owned(),
                false => parse_remedy(kind),
            };
            Report::new(file, kind.to_string(), remedy)
        }
    };
    let report = match parse_limit(kind) {
        Some(limit) => report.hit(limit),
        None => report,
    };
    place(report, text, error.position())
}

const CAPTURED: &str = "an anonymous function sees only its own parameters, none of the \
     variables around it: use a `for` loop";

/// Whether a position is in the statement of an anonymous function, after its parameters.
fn is_in_closure(text: &str, position: Position) -> bool {
    let before = || {
        let at = position.line()?.checked_sub(1)?;
        let column = position.position()?.checked_sub(1)?;
        let lines = text.lines().take(at).collect::<Vec<_>>().join("\n");
        let line = text.lines().nth(at)?.chars().take(column);
        Some(format!("{lines}\n{}", line.collect::<String>()))
    };
    let before = before().unwrap_or_default();
    let statement = before.rsplit(';').next().unwrap_or_default();
    statement.match_indices('|').any(|(at, _)| {
        let (to_left, inside) = statement.split_at(at);
        let is_over = inside.matches(')').count() > inside.matches('(').count();
        to_left.trim_end().ends_with(['(', ',', '=']) && !is_over
    })
}

/// The symbol at a position, if it is forbidden.
fn forbidden_at(text: &str, position: Position) -> Option<&'static str> {
    let line = text.lines().nth(position.line()?.checked_sub(1)?)?;
    let column = position.position()?.checked_sub(1)?;
    let rest: String = line
        .chars()
        .skip(column)
        .take_while(|c| c.is_alphanumeric())
        .collect();
    engine::FORBIDDEN.into_iter().find(|symbol| *symbol == rest)
}

/// The report of a call that failed.
pub(crate) fn eval_report(policy: &Policy, function: &str, error: &EvalAltResult) -> Report {
    // Nested calls wrap the error; the innermost has the position. A native function has no
    // position, so the last known one is used.
    let mut inner = error;
    let mut place = Place {
        file: policy.file.clone(),
        position: error.position(),
    };
    while let EvalAltResult::ErrorInFunctionCall(_, file, deeper, _) = inner {
        inner = deeper;
        if !inner.position().is_none() {
            place.file.clone_from(file);
            place.position = inner.position();
        }
    }
    let at = |report: Report| match place.position.is_none() {
        true => policy.point_at_function(report, function),
        false => policy.at_place(report, &place),
    };
    if let Some(raised) = Raised::of(inner) {
        return at(Report::new(&policy.shown, raised.message, raised.remedy));
    }
    if let EvalAltResult::ErrorMismatchDataType(_, found, _) = inner
        && found.ends_with("Count")
    {
        let message = "an index is a plain number, and this is a count";
        let remedy = "write `list[count.to_int()]`";
        return at(Report::new(&policy.shown, message, remedy));
    }
    let mut bare = inner.to_string();
    if let Some(at) = bare.rfind(" (line ") {
        bare.truncate(at);
    }
    let limit = eval_limit(inner);
    let message = match limit {
        Some(limit) => format!(
            "{function} hit a limit: {bare} (limit {})",
            limit.describe()
        ),
        None => bare.trim_start_matches("Runtime error: ").to_owned(),
    };
    let mut report = Report::new(&policy.shown, message, eval_remedy(inner));
    report.limit = limit.map(Box::new);
    at(report)
}

fn place(report: Report, text: &str, position: Position) -> Report {
    match position.line() {
        Some(line) => report.at(text, line, position.position().unwrap_or(1)),
        // The end of the file has no position of its own.
        None => {
            let line = text.lines().count().max(1);
            let column = text
                .lines()
                .last()
                .map_or(1, |last| last.chars().count().max(1));
            report.at(text, line, column)
        }
    }
}

impl LimitHit {
    fn describe(self) -> String {
        format!("{}: {} {}", self.name, self.max, self.unit)
    }
}

fn limit(name: &'static str, max: usize, unit: &'static str) -> LimitHit {
    LimitHit {
        name,
        max: u64::try_from(max).unwrap_or(u64::MAX),
        unit,
    }
}

fn parse_limit(kind: &ParseErrorType) -> Option<LimitHit> {
    match kind {
        ParseErrorType::ExprTooDeep => Some(limit(
            "expression depth",
            FUNCTION_EXPRESSION_DEPTH_MAX,
            "levels in a function, 64 outside",
        )),
        ParseErrorType::TooManyFunctions => {
            Some(limit("functions", FUNCTIONS_MAX, "functions per file"))
        }
        ParseErrorType::LiteralTooLarge(_, max) => {
            Some(limit("literal", *max, "elements or bytes"))
        }
        _ => None,
    }
}

fn eval_limit(error: &EvalAltResult) -> Option<LimitHit> {
    match error {
        EvalAltResult::ErrorTooManyOperations(_) => Some(LimitHit {
            name: "operations",
            max: OPERATIONS_MAX,
            unit: "per call",
        }),
        EvalAltResult::ErrorTerminated(token, _) if token.to_string() == LARGE => Some(LimitHit {
            name: "memory",
            max: GROWTH_BYTES_MAX,
            unit: "bytes of growth per call",
        }),
        EvalAltResult::ErrorTerminated(..) => Some(LimitHit {
            name: "wall clock",
            max: WALL_MS_MAX,
            unit: "ms per call",
        }),
        EvalAltResult::ErrorStackOverflow(_) => {
            Some(limit("call levels", CALL_LEVELS_MAX, "nested calls"))
        }
        EvalAltResult::ErrorTooManyVariables(_) => {
            Some(limit("variables", VARIABLES_MAX, "at one time"))
        }
        EvalAltResult::ErrorTooManyModules(_) => {
            Some(limit("imports", LIBS_MAX, "imports per call"))
        }
        EvalAltResult::ErrorDataTooLarge(what, _) if what.contains("string") => {
            Some(limit("string", STRING_BYTES_MAX, "bytes"))
        }
        EvalAltResult::ErrorDataTooLarge(what, _) if what.contains("map") => Some(limit(
            "map",
            MAP_PROPERTIES_MAX,
            "properties, including nested ones",
        )),
        EvalAltResult::ErrorDataTooLarge(..) => Some(limit(
            "array",
            ARRAY_ELEMENTS_MAX,
            "elements, including nested ones",
        )),
        _ => None,
    }
}

fn parse_remedy(kind: &ParseErrorType) -> String {
    match kind {
        ParseErrorType::VariableUndefined(_) => "define it with `let`, take it as a parameter, \
            or write `global::NAME` for a constant of the file"
            .to_owned(),
        ParseErrorType::ModuleUndefined(name) => {
            format!("import it at the top of the file: `import \"{name}\" as {name};`")
        }
        ParseErrorType::ExprTooDeep => format!(
            "split the expression with `let`; {EXPRESSION_DEPTH_MAX} levels are allowed \
             outside of functions, {FUNCTION_EXPRESSION_DEPTH_MAX} within"
        ),
        ParseErrorType::TooManyFunctions => "merge similar functions".to_owned(),
        ParseErrorType::LiteralTooLarge(..) => "make it smaller".to_owned(),
        ParseErrorType::FnDuplicatedDefinition(..) => "remove one of the two".to_owned(),
        _ => "fix the line; `tocsin policy check` checks the file again".to_owned(),
    }
}

fn eval_remedy(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorTooManyOperations(_) | EvalAltResult::ErrorTerminated(..) => {
            "look for an infinite loop, or do less per call".to_owned()
        }
        EvalAltResult::ErrorStackOverflow(_) => "look for infinite recursion".to_owned(),
        EvalAltResult::ErrorDataTooLarge(..) | EvalAltResult::ErrorTooManyVariables(_) => {
            "make it smaller".to_owned()
        }
        EvalAltResult::ErrorPropertyNotFound(..) => {
            "test for it first, with `if \"x\" in map`, or \
            write `map?.x`"
                .to_owned()
        }
        EvalAltResult::ErrorDotExpr(message, _) => dot_remedy(message),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => function_remedy(signature),
        EvalAltResult::ErrorMismatchDataType(..) | EvalAltResult::ErrorMismatchOutputType(..) => {
            "check the types with `type_of(x)`".to_owned()
        }
        EvalAltResult::ErrorRuntime(..) => "fix the line, or handle the case before it".to_owned(),
        _ => "fix the line; `tocsin policy test` runs the policy's tests".to_owned(),
    }
}
