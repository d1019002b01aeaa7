//! Where a call was when it ended. Rhai does not say, neither for an answer nor for a call that a
//! limit stopped, so the call runs once more in an engine that notes its position. A policy is a
//! pure function, so this run is the same as the first.

use std::cell::RefCell;

use rhai::debugger::{DebuggerCommand, DebuggerEvent};
use rhai::{AST, ASTNode, Engine, Expr, Position, Stmt};

use crate::compiled::{Place, Policy};
use crate::verdict::Fault;

thread_local! {
    // The engine's callback belongs to no call; a call runs on one thread.
    static AT: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
}

/// Lets an engine note where its calls are.
pub(crate) fn register(engine: &mut Engine) {
    #[allow(
        deprecated,
        reason = "it is volatile, not deprecated; the version is pinned"
    )]
    engine.register_debugger(
        |_, debugger| debugger,
        |context, event, _, file, position| {
            if matches!(event, DebuggerEvent::Start | DebuggerEvent::Step) {
                note(context.call_level(), file.unwrap_or_default(), position);
            }
            Ok(DebuggerCommand::StepInto)
        },
    );
}

/// Runs `call`, and says where it was last: in the function itself, then in the function that this
/// one had called, and so on.
pub(crate) fn last_places(call: impl FnOnce()) -> Vec<Place> {
    AT.set(Vec::new());
    call();
    let mut places = AT.take();
    places.retain(|it| !it.position.is_none());
    places
}

/// Where an answer has a field that is at fault: in the map that was returned, or where it was
/// called for if another function made the map and got the value. `places` are those of the call.
pub(crate) fn in_answer(policy: &Policy, places: &[Place], fault: &Fault) -> Option<Place> {
    let mut caller = None;
    for Place { file, position } in places {
        let ast = &policy.script(file).ast;
        let around = Around::of(ast, *position);
        let place = |position| Place {
            file: file.clone(),
            position,
        };
        let Some(map) = around.map else {
            caller = Some(place(around.statement.unwrap_or(*position)));
            continue;
        };
        let found = field(ast, map, fault.field())?;
        return match caller {
            Some(caller) if found.is_variable && !fault.is_in_name() => Some(caller),
            _ => Some(place(found.position)),
        };
    }
    let Place { file, position } = places.first()?;
    Some(Place {
        file: file.clone(),
        position: Around::of(&policy.script(file).ast, *position).start(*position),
    })
}

/// The line of `policy` on which a call answered.
pub(crate) fn line_of_answer(policy: &Policy, places: &[Place]) -> Option<u32> {
    let position = places.first()?.position;
    let start = Around::of(&policy.ast, position).start(position);
    start.line().and_then(|line| u32::try_from(line).ok())
}

fn note(level: usize, file: &str, position: Position) {
    if position.is_none() {
        return;
    }
    AT.with_borrow_mut(|places| {
        places.resize_with(level.saturating_add(1), Place::default);
        if let Some(place) = places.last_mut() {
            if place.file != file {
                file.clone_into(&mut place.file);
            }
            place.position = position;
        }
    });
}

/// What a node of a script is part of.
#[derive(Default)]
struct Around {
    /// The outermost map within its function.
    map: Option<Position>,
    /// The innermost statement.
    statement: Option<Position>,
}

impl Around {
    fn of(ast: &AST, at: Position) -> Self {
        let mut around = Self::default();
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            if path.last().is_none_or(|node| node.position() != at) {
                return true;
            }
            around.map = path.iter().find_map(|node| match node {
                ASTNode::Expr(Expr::Map(_, start)) => Some(*start),
                _ => None,
            });
            around.statement = path.iter().rev().find_map(|node| match node {
                ASTNode::Stmt(Stmt::Expr(expr)) => Some(expr.start_position()),
                ASTNode::Stmt(stmt) => Some(stmt.position()),
                _ => None,
            });
            false
        });
        around
    }

    fn start(&self, otherwise: Position) -> Position {
        self.map.or(self.statement).unwrap_or(otherwise)
    }
}

/// Where a field of a map stands, such as `steps[0].wait`.
#[derive(Clone, Copy, Debug)]
struct Field {
    position: Position,
    /// Whether its value is a variable, so that it was made elsewhere.
    is_variable: bool,
}

/// Where the map at this position has a field, or as much of its path as there is.
fn field(ast: &AST, map: Position, path: &str) -> Option<Field> {
    let mut found = None;
    ast.walk(&mut |nodes: &[ASTNode<'_>]| {
        if let Some(ASTNode::Expr(expr @ Expr::Map(_, start))) = nodes.last()
            && *start == map
        {
            found = Some(within(expr, map, path));
        }
        found.is_none()
    });
    found
}

fn within(map: &Expr, start: Position, path: &str) -> Field {
    let mut at = Field {
        position: start,
        is_variable: false,
    };
    let mut expr = map;
    for part in path.split(['.', '[']) {
        let next = match (expr, part.strip_suffix(']')) {
            (Expr::Array(items, _), Some(number)) => {
                let number = number.parse::<usize>().ok();
                let item = number.and_then(|number| items.get(number));
                item.map(|item| (item.start_position(), item))
            }
            (Expr::Map(fields, _), None) => {
                let field = fields.0.iter().find(|(key, _)| key.name == part);
                field.map(|(key, value)| (key.pos, value))
            }
            _ => None,
        };
        let Some((position, value)) = next else {
            break;
        };
        expr = value;
        at = Field {
            position,
            is_variable: matches!(value, Expr::Variable(..)),
        };
    }
    at
}
