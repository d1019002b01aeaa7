//! The types of values in a script, as far as they follow from the functions that the daemon calls:
//! of their parameters, of what is assigned from them, and of what is passed to other functions. A
//! value that can have several types has none here.

use std::collections::BTreeMap;

use rhai::{AST, ASTFlags, ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::known::Known;
use crate::script::{Function, functions, key};

/// A function that the daemon calls, with the types of its parameters.
pub(crate) type Entry<'a> = (&'a str, Vec<&'static str>);

/// Rounds until every type is known; each follows the calls one level deeper.
const ROUNDS_MAX: usize = 16;
/// The type of a list begins with this; that of its elements follows.
const LIST: &str = "a list of ";
/// The type of a list of changes.
const CHANGES: &str = "a list of Change";
const LABELS: &str = "Labels";

/// A property that its owner does not have.
pub(crate) struct Unknown {
    pub(crate) owner: String,
    pub(crate) property: String,
    pub(crate) position: Position,
}

/// A property of a value of unknown type.
pub(crate) struct Untyped {
    pub(crate) property: String,
    pub(crate) position: Position,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Type {
    /// No value was seen yet.
    Unseen,
    Is(String),
    Any,
}

/// The types in a script.
pub(crate) struct Types {
    known: &'static Known,
    functions: Vec<Function>,
    /// Of each function's variables, its parameters among them.
    variables: Vec<BTreeMap<String, Type>>,
}

impl Types {
    /// The types in a script of which the daemon calls `entries`.
    pub(crate) fn of(known: &'static Known, ast: &AST, entries: &[Entry<'_>]) -> Self {
        let functions = functions(ast);
        let mut types = Self {
            known,
            variables: functions.iter().map(|_| BTreeMap::new()).collect(),
            functions,
        };
        for at in 0..types.functions.len() {
            let function = &types.functions[at];
            let entry = entries.iter().find(|(name, _)| *name == function.name);
            let given = entry.map_or(&[][..], |(_, types)| types.as_slice());
            let params: Vec<(String, Type)> = function
                .params
                .iter()
                .enumerate()
                .map(|(at, name)| (name.clone(), given.get(at).map_or(Type::Unseen, named)))
                .collect();
            types.variables[at].extend(params);
        }
        for _ in 0..ROUNDS_MAX {
            if !types.round() {
                break;
            }
        }
        types
    }

    /// The properties that their owner does not have.
    pub(crate) fn unknown(&self) -> Vec<Unknown> {
        let mut found = Vec::new();
        self.each_property(&mut |owner, property, position| {
            if let Type::Is(owner) = owner
                && !self.known.has_property(owner, property)
            {
                found.push(Unknown {
                    owner: owner.clone(),
                    property: property.to_owned(),
                    position,
                });
            }
        });
        found
    }

    /// The types of what methods are called on, by where the call is.
    pub(crate) fn receivers(&self) -> BTreeMap<(usize, usize), String> {
        let mut found = BTreeMap::new();
        self.walk(&mut |at, path| {
            let Some(ASTNode::Expr(Expr::Dot(pair, ..))) = path.last() else {
                return;
            };
            let first = match &pair.rhs {
                Expr::Dot(rest, ..) => &rest.lhs,
                only => only,
            };
            let Expr::MethodCall(_, position) = first else {
                return;
            };
            let owner = self.expr(at, &pair.lhs, &mut |_, _, _| {});
            if let (Some(position), Type::Is(owner)) = (key(*position), owner) {
                found.insert(position, owner);
            }
        });
        found
    }

    /// The properties of values of unknown type; none when such a value may be labels.
    pub(crate) fn untyped(&self) -> Vec<Untyped> {
        let mut found = Vec::new();
        if self.may_pass_labels_on() {
            return found;
        }
        self.each_property(&mut |owner, property, position| {
            if !matches!(owner, Type::Is(_)) {
                found.push(Untyped {
                    property: property.to_owned(),
                    position,
                });
            }
        });
        found
    }

    /// Follows every assignment and call once; whether a type is new.
    fn round(&mut self) -> bool {
        let mut found: Vec<(usize, String, Type)> = Vec::new();
        self.walk(&mut |at, path| {
            let mut note = |name: &str, of: Type| found.push((at, name.to_owned(), of));
            match path.last() {
                Some(ASTNode::Stmt(Stmt::Var(of, ..))) => {
                    note(&of.0.name, self.expr(at, &of.1, &mut |_, _, _| {}));
                }
                Some(ASTNode::Stmt(Stmt::Assignment(of))) => {
                    if let Expr::Variable(variable, ..) = &of.1.lhs {
                        note(&variable.1, self.expr(at, &of.1.rhs, &mut |_, _, _| {}));
                    }
                }
                Some(ASTNode::Stmt(Stmt::For(of, _))) => {
                    let all = self.expr(at, &of.2.expr, &mut |_, _, _| {});
                    note(&of.0.name, element_of(&all));
                    if let Some(counter) = &of.1 {
                        note(&counter.name, Type::Any);
                    }
                }
                _ => {}
            }
            if let Some(call) = call_of(path) {
                for (arg, (to, name)) in call.args.iter().zip(self.parameters(call)) {
                    found.push((to, name, self.expr(at, arg, &mut |_, _, _| {})));
                }
            }
        });
        let mut is_new = false;
        for (at, name, of) in found {
            let slot = self.variables[at].entry(name).or_insert(Type::Unseen);
            let joined = join(slot, of);
            is_new |= *slot != joined;
            *slot = joined;
        }
        is_new
    }

    /// The parameters of the function of this script that a call calls: function and name.
    fn parameters(&self, call: &FnCallExpr) -> Vec<(usize, String)> {
        let called = self
            .functions
            .iter()
            .position(|it| it.name == call.name.as_str() && it.params.len() == call.args.len())
            .filter(|_| !call.is_qualified());
        let names = called.map(|at| {
            self.functions[at]
                .params
                .iter()
                .map(move |it| (at, it.clone()))
        });
        names.into_iter().flatten().collect()
    }

    /// Whether labels go where their type is not followed.
    fn may_pass_labels_on(&self) -> bool {
        let mut found = false;
        self.walk(&mut |at, path| {
            let [.., above, ASTNode::Expr(expr)] = path else {
                return;
            };
            if is_continued(above, expr) || !self.is_labels(at, expr) {
                return;
            }
            found |= match above {
                ASTNode::Expr(Expr::Dot(..) | Expr::Index(..))
                | ASTNode::Stmt(Stmt::Var(..) | Stmt::Assignment(..)) => false,
                _ => match call_of(&path[..path.len().saturating_sub(1)]) {
                    Some(call) if call.is_operator_call() => false,
                    Some(call) => {
                        let position = call.args.iter().position(|it| std::ptr::eq(it, *expr));
                        let to = position.and_then(|it| self.parameters(call).into_iter().nth(it));
                        !to.is_some_and(|(to, name)| {
                            self.variables[to].get(&name) == Some(&named(&LABELS))
                        })
                    }
                    None => true,
                },
            };
        });
        found
    }

    fn is_labels(&self, at: usize, expr: &Expr) -> bool {
        self.expr(at, expr, &mut |_, _, _| {}) == named(&LABELS)
    }

    fn each_property(&self, on: &mut dyn FnMut(&Type, &str, Position)) {
        self.walk(&mut |at, path| {
            let [.., above, ASTNode::Expr(expr)] = path else {
                return;
            };
            if matches!(expr, Expr::Dot(..) | Expr::Index(..)) && !is_continued(above, expr) {
                self.expr(at, expr, on);
            }
        });
    }

    /// Calls `on` for every node, with the number of its function.
    fn walk(&self, on: &mut dyn FnMut(usize, &[ASTNode<'_>])) {
        for (at, function) in self.functions.iter().enumerate() {
            for stmt in &function.body {
                stmt.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
                    on(at, path);
                    true
                });
            }
        }
    }

    /// The type of an expression in function `at`; `on` is called for its properties.
    fn expr(&self, at: usize, expr: &Expr, on: &mut dyn FnMut(&Type, &str, Position)) -> Type {
        match expr {
            Expr::Variable(variable, ..) if variable.2.is_empty() => {
                let known = self.variables[at].get(variable.1.as_str());
                known.cloned().unwrap_or(Type::Any)
            }
            Expr::Dot(pair, ..) => {
                let owner = self.expr(at, &pair.lhs, on);
                self.link(owner, &pair.rhs, on)
            }
            Expr::Index(pair, flags, _) => {
                let owner = self.expr(at, &pair.lhs, on);
                self.element(owner, &pair.rhs, *flags, on)
            }
            _ => Type::Any,
        }
    }

    /// What is in brackets, and what follows them: an index that is not the end of a chain is the
    /// left side of the dot that follows.
    fn element(
        &self,
        owner: Type,
        rest: &Expr,
        flags: ASTFlags,
        on: &mut dyn FnMut(&Type, &str, Position),
    ) -> Type {
        let element = element_of(&owner);
        match rest {
            _ if flags.intersects(ASTFlags::BREAK) => element,
            Expr::Dot(pair, ..) => self.link(element, &pair.rhs, on),
            _ => Type::Any,
        }
    }

    /// What follows a dot.
    fn link(&self, owner: Type, expr: &Expr, on: &mut dyn FnMut(&Type, &str, Position)) -> Type {
        match expr {
            Expr::Property(property, position) => {
                on(&owner, &property.2, *position);
                let Type::Is(owner) = owner else {
                    return owner;
                };
                let of = self.known.property(&owner, &property.2);
                of.map_or(Type::Any, |it| named(&it))
            }
            Expr::MethodCall(call, _) => match owner {
                Type::Is(owner) if call.name == "changes" && owner == "Context" => named(&CHANGES),
                Type::Is(owner) => {
                    let of = self.known.method(&owner, &call.name);
                    of.map_or(Type::Any, |it| named(&it))
                }
                other => other,
            },
            Expr::Dot(pair, ..) => {
                let owner = self.link(owner, &pair.lhs, on);
                self.link(owner, &pair.rhs, on)
            }
            Expr::Index(pair, flags, _) => {
                let owner = self.link(owner, &pair.lhs, on);
                self.element(owner, &pair.rhs, *flags, on)
            }
            _ => Type::Any,
        }
    }
}

fn named(name: &impl AsRef<str>) -> Type {
    match name.as_ref() {
        "" => Type::Any,
        name => Type::Is(name.to_owned()),
    }
}

/// Of a list; any if it is none.
fn element_of(list: &Type) -> Type {
    match list {
        Type::Is(list) => list.strip_prefix(LIST).map_or(Type::Any, |it| named(&it)),
        _ => Type::Any,
    }
}

fn join(a: &Type, b: Type) -> Type {
    match (a, b) {
        (Type::Unseen, b) => b,
        (a, Type::Unseen) => a.clone(),
        (Type::Is(a), Type::Is(b)) if *a == b => Type::Is(b),
        _ => Type::Any,
    }
}

/// Whether an expression is what follows the dot or bracket of the one above.
fn is_continued(above: &ASTNode<'_>, expr: &Expr) -> bool {
    let rest = match above {
        ASTNode::Expr(Expr::Dot(pair, ..)) => &pair.rhs,
        ASTNode::Expr(Expr::Index(pair, flags, _)) if !flags.intersects(ASTFlags::BREAK) => {
            &pair.rhs
        }
        _ => return false,
    };
    std::ptr::eq(rest, expr)
}

/// The call of a function, not of a method, at the end of a path.
fn call_of<'a>(path: &[ASTNode<'a>]) -> Option<&'a FnCallExpr> {
    match path.last() {
        Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => {
            Some(call)
        }
        _ => None,
    }
}
