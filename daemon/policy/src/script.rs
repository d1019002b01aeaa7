//! The statements of a script: what may run, and what is done with its value.

use std::collections::BTreeMap;

use rhai::{AST, ASTFlags, ASTNode, Expr, Position, Stmt, StmtBlock};

/// A function of a script.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) params: Vec<String>,
    pub(crate) body: Vec<Stmt>,
}

/// A statement, or the result of a case of a `switch`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    /// Where its first character is; what ran is known by another position, its key.
    pub(crate) start: Position,
    pub(crate) does: Does,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// Something, or its value is used.
    Something,
    /// It is a map of which nothing is done: without `return`, a function goes on.
    DropsMap,
    /// It is another value of which nothing is done.
    DropsValue,
    Throws,
}

/// The functions of a script, by name.
pub(crate) fn functions(ast: &AST) -> Vec<Function> {
    let mut functions: Vec<Function> = Vec::new();
    for found in ast.iter_functions() {
        // `clone_functions_only_filtered` of an AST with functions keeps them all.
        let mut alone = ast.clone();
        alone.clear_statements();
        alone.retain_functions(|_, _, name, params| {
            name == found.name && params == found.params.len()
        });
        let mut body = Vec::new();
        alone.walk(&mut |path: &[ASTNode<'_>]| {
            if let [ASTNode::Stmt(stmt)] = path {
                body.push((*stmt).clone());
            }
            true
        });
        functions.push(Function {
            name: found.name.to_owned(),
            params: found.params.iter().map(|it| (*it).to_owned()).collect(),
            body,
        });
    }
    functions.sort_by(|a, b| (&a.name, a.params.len()).cmp(&(&b.name, b.params.len())));
    functions
}

/// The units of a function by the position under which the interpreter reports them.
pub(crate) fn units(function: &Function) -> BTreeMap<(usize, usize), Unit> {
    let mut units = Units::default();
    units.block(&function.body, true);
    units.0
}

/// Where the innermost loop around a position begins.
pub(crate) fn loop_around(ast: &AST, at: (usize, usize)) -> Option<(usize, usize)> {
    let mut found = None;
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        let of = match path.last() {
            Some(ASTNode::Stmt(Stmt::While(flow, start) | Stmt::Do(flow, _, start))) => {
                Some((start, &flow.body))
            }
            Some(ASTNode::Stmt(Stmt::For(of, start))) => Some((start, &of.2.body)),
            _ => None,
        };
        if let Some((start, body)) = of {
            let (start, end) = (key(*start), key(body.end_position()));
            let is_around = start.is_some_and(|it| it <= at) && end.is_none_or(|it| at <= it);
            found = if is_around { found.max(start) } else { found };
        }
        true
    });
    found
}

/// A position that can be sorted: line and column, from 1.
pub(crate) fn key(position: Position) -> Option<(usize, usize)> {
    Some((position.line()?, position.position().unwrap_or(0)))
}

#[derive(Default)]
struct Units(BTreeMap<(usize, usize), Unit>);

impl Units {
    /// `is_used` says whether somebody uses the value of the last statement.
    fn block(&mut self, stmts: &[Stmt], is_used: bool) {
        for (at, stmt) in stmts.iter().enumerate() {
            let is_last = at.saturating_add(1) == stmts.len();
            self.stmt(stmt, is_last && is_used);
        }
    }

    fn both(&mut self, body: &StmtBlock, branch: &StmtBlock, is_used: bool) {
        self.block(body.statements(), is_used);
        self.block(branch.statements(), is_used);
    }

    fn stmt(&mut self, stmt: &Stmt, is_used: bool) {
        match stmt {
            Stmt::Noop(_) => return,
            Stmt::Expr(expr) => return self.value(expr, is_used),
            Stmt::Return(_, flags, at) if flags.intersects(ASTFlags::BREAK) => {
                self.add(*at, *at, Does::Throws);
            }
            _ => self.add(stmt.position(), start(stmt), Does::Something),
        }
        match stmt {
            Stmt::If(flow, _) => {
                self.inside(&flow.expr);
                self.both(&flow.body, &flow.branch, is_used);
            }
            Stmt::TryCatch(flow, _) => self.both(&flow.body, &flow.branch, is_used),
            Stmt::Switch(switch, _) => {
                self.inside(&switch.0);
                for case in &switch.1.expressions {
                    self.inside(&case.lhs);
                    self.value(&case.rhs, is_used);
                }
            }
            Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                self.inside(&flow.expr);
                self.block(flow.body.statements(), false);
            }
            Stmt::For(of, _) => {
                self.inside(&of.2.expr);
                self.block(of.2.body.statements(), false);
            }
            Stmt::Block(block) => self.block(block.statements(), is_used),
            Stmt::Var(of, ..) => self.inside(&of.1),
            Stmt::Assignment(of) => {
                self.inside(&of.1.lhs);
                self.inside(&of.1.rhs);
            }
            Stmt::FnCall(call, _) => call.args.iter().for_each(|arg| self.inside(arg)),
            Stmt::Return(Some(expr), ..) | Stmt::BreakLoop(Some(expr), ..) => self.inside(expr),
            _ => {}
        }
    }

    /// An expression as a statement, or as the result of a case.
    fn value(&mut self, expr: &Expr, is_used: bool) {
        if let Expr::Stmt(block) = expr {
            return self.block(block.statements(), is_used);
        }
        let does = match expr {
            _ if is_used => Does::Something,
            Expr::Map(..) => Does::DropsMap,
            Expr::DynamicConstant(value, _) if value.is_map() => Does::DropsMap,
            Expr::Array(..) | Expr::Variable(..) | Expr::InterpolatedString(..) => Does::DropsValue,
            Expr::Unit(_) => Does::Something,
            constant if constant.is_constant() => Does::DropsValue,
            _ => Does::Something,
        };
        self.add(expr.position(), expr.start_position(), does);
        self.inside(expr);
    }

    /// The blocks within an expression, whose values it uses.
    fn inside(&mut self, expr: &Expr) {
        let mut blocks: Vec<StmtBlock> = Vec::new();
        expr.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            let outermost = path.split_last().is_some_and(|(_, above)| {
                !above
                    .iter()
                    .any(|node| matches!(node, ASTNode::Expr(Expr::Stmt(_))))
            });
            if let (true, Some(ASTNode::Expr(Expr::Stmt(block)))) = (outermost, path.last()) {
                blocks.push((**block).clone());
            }
            true
        });
        for block in blocks {
            self.block(block.statements(), true);
        }
    }

    fn add(&mut self, position: Position, start: Position, does: Does) {
        if let Some(key) = key(position) {
            self.0.insert(key, Unit { start, does });
        }
    }
}

fn start(stmt: &Stmt) -> Position {
    match stmt {
        Stmt::Assignment(of) => of.1.lhs.start_position(),
        _ => stmt.position(),
    }
}
