//! What a script imports, and whether what it calls there exists.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTFlags, ASTNode, Expr, FnAccess, FnCallExpr, Position, Stmt};

use crate::hints::nearest;

/// The namespace of a script's own constants.
const GLOBAL: &str = "global";

/// `import "name" as alias;`
pub(crate) struct Import {
    pub(crate) name: String,
    alias: String,
    pub(crate) position: Position,
}

/// A fault in an import, or in the use of one.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) position: Position,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl Fault {
    fn new(position: Position, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            position,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

/// The functions that other files can call, with their numbers of parameters.
pub(crate) type Exports = BTreeMap<String, BTreeSet<usize>>;

/// What a script offers to those that import it.
pub(crate) fn exports(ast: &AST) -> Exports {
    let mut exports = Exports::new();
    for function in ast.iter_functions() {
        if function.access == FnAccess::Public {
            let counts = exports.entry(function.name.to_owned()).or_default();
            counts.insert(function.params.len());
        }
    }
    exports
}

/// The imports of a script, which are at its top, each with a name of `known`.
pub(crate) fn imports(ast: &AST, known: &BTreeSet<&str>) -> (Vec<Import>, Vec<Fault>) {
    let (mut imports, mut faults) = (Vec::new(), Vec::new());
    let mut at_top = BTreeSet::new();
    for stmt in ast.statements() {
        if let Stmt::Import(import, position) = stmt {
            at_top.insert(*position);
            match parse(&import.0, &import.1.name, *position, known) {
                Ok(import) => imports.push(import),
                Err(fault) => faults.push(fault),
            }
        }
    }
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Import(_, position))) = path.last()
            && !at_top.contains(position)
        {
            faults.push(Fault::new(
                *position,
                "an import must be at the top of the file",
                "move it out of the function",
            ));
        }
        true
    });
    (imports, faults)
}

fn parse(
    path: &Expr,
    alias: &str,
    position: Position,
    known: &BTreeSet<&str>,
) -> Result<Import, Fault> {
    let Expr::StringConstant(name, _) = path else {
        return Err(Fault::new(
            position,
            "the name of an import must be written out",
            "write `import \"name\" as name;` for lib/name.rhai",
        ));
    };
    if !known.contains(name.as_str()) {
        let bare = name.trim_start_matches("./").trim_start_matches("lib/");
        let bare = bare.trim_end_matches(".rhai");
        let remedy = match nearest(bare, known.iter().copied()) {
            Some(near) => format!("did you mean `import \"{near}\" as {near};`?"),
            None => "write it, as lib/NAME.rhai in the policies' folder; nothing else can be \
                     imported, and the name is NAME alone"
                .to_owned(),
        };
        let message = format!("there is no lib/{bare}.rhai to import");
        let message = match bare == name.as_str() {
            true => message,
            false => format!("{name:?} is not the name of a file in lib/"),
        };
        return Err(Fault::new(position, message, remedy));
    }
    if alias.is_empty() {
        return Err(Fault::new(
            position,
            "this import has no name to call it by",
            format!("write `import \"{name}\" as {name};`, and call `{name}::function()`"),
        ));
    }
    Ok(Import {
        name: name.to_string(),
        alias: alias.to_owned(),
        position,
    })
}

/// Uses of imports that do not exist. `of` has what a file in lib/ offers.
pub(crate) fn unknown_uses<'a>(
    ast: &AST,
    imports: &[Import],
    of: impl Fn(&str) -> Option<&'a Exports>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let lib = |alias: &str| imports.iter().find(|import| import.alias == alias);
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        match path.last() {
            Some(
                ASTNode::Expr(Expr::FnCall(call, position))
                | ASTNode::Stmt(Stmt::FnCall(call, position)),
            ) if call.is_qualified() => {
                let [alias] = call.namespace.path.as_slice() else {
                    faults.push(nested(*position));
                    return true;
                };
                let Some(import) = lib(&alias.name) else {
                    return true;
                };
                if let Some(exports) = of(&import.name) {
                    faults.extend(unknown_call(call, import, exports, *position));
                }
            }
            Some(ASTNode::Expr(Expr::Variable(variable, _, position))) => {
                let namespace = variable.2.path.first().map(|it| it.name.as_str());
                if namespace.is_some_and(|it| it != GLOBAL) {
                    faults.push(Fault::new(
                        *position,
                        format!("`{}` is not a function", variable.1),
                        "constants of a file in lib/ cannot be read by others: let a function \
                         return it",
                    ));
                }
            }
            _ => {}
        }
        true
    });
    faults
}

fn nested(position: Position) -> Fault {
    Fault::new(
        position,
        "only functions of a file that this one imports can be called",
        "import that file here too",
    )
}

fn unknown_call(
    call: &FnCallExpr,
    import: &Import,
    exports: &Exports,
    position: Position,
) -> Option<Fault> {
    let (alias, name) = (&import.alias, call.name.as_str());
    let Some(counts) = exports.get(name) else {
        let remedy = match nearest(name, exports.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{alias}::{near}`?"),
            None => format!("define it in lib/{}.rhai, without `private`", import.name),
        };
        return Some(Fault::new(
            position,
            format!("Function not found: {alias}::{name}"),
            remedy,
        ));
    };
    let count = call.args.len();
    (!counts.contains(&count)).then(|| {
        Fault::new(
            position,
            format!("`{alias}::{name}` does not take {count} arguments"),
            "pass as many as it takes",
        )
    })
}

/// What a file in lib/ does outside of functions, apart from constants and imports.
pub(crate) fn statements(ast: &AST) -> Vec<Fault> {
    let fault = |position| {
        Fault::new(
            position,
            "a file in lib/ has only functions, constants and imports",
            "move it into a function",
        )
    };
    let stray = |stmt: &&Stmt| match stmt {
        Stmt::Noop(_) | Stmt::Import(..) => false,
        Stmt::Var(_, flags, _) => !flags.intersects(ASTFlags::CONSTANT),
        _ => true,
    };
    let stray = ast.statements().iter().filter(stray);
    stray.map(|stmt| fault(stmt.position())).collect()
}
