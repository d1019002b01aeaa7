//! Checks what a `switch` is over. Rhai compares by hash and calls no operator, so a value of
//! another type than the labels would silently take the default case: a label's "5" for 5, or a
//! count or weekday of ours for anything. Before a script is compiled, each `switch x {` becomes
//! `switch x OPERATOR "labels" {`, where our operator checks `x` and makes a plain value of it.

use std::cell::RefCell;
use std::mem;

use rhai::{
    AST, Dynamic, Engine, ImmutableString, LexError, ParseError, ParseErrorType, Position, Token,
};

use crate::day::Day;
use crate::describe::describe;
use crate::quantity::Count;
use crate::raised::{Fallible, Raised};

/// The operator that is inserted, no name that a policy would use.
const OPERATOR: &str = "tocsin_switch__";
/// Lower than that of every other operator; 1 is that of a whole expression.
const PRECEDENCE: u8 = 2;
/// Most bytes of text labels that are kept for a `switch` over weekdays.
const LABELS_BYTES_MAX: usize = 4_096;

thread_local! {
    static SCAN: RefCell<Scan> = const { RefCell::new(Scan::new()) };
}

/// A compiled script.
pub(crate) struct Compiled {
    pub(crate) ast: AST,
    pub(crate) inserted: Inserted,
}

/// The code that was inserted: line and column before which it is, both from 1, and its length in
/// characters.
#[derive(Default)]
pub(crate) struct Inserted(Vec<(usize, usize, usize)>);

impl Inserted {
    /// The column in the file of a column in the compiled text.
    pub(crate) fn original_column(&self, line: usize, column: usize) -> usize {
        let before = self.0.iter().filter(|(of, ..)| *of == line);
        let chars = before.map(|&(_, at, chars)| chars.min(column.saturating_sub(at)));
        column.saturating_sub(chars.sum())
    }
}

/// Compiles a script, with its switches checked.
pub(crate) fn compile(engine: &Engine, text: &str) -> Result<Compiled, Box<ParseError>> {
    SCAN.set(Scan::new());
    let ast = engine.compile(text).map_err(Box::new)?;
    let Scan { found, unclear, .. } = SCAN.take();
    if let Some(position) = unclear {
        let what = LexError::ImproperSymbol(
            "switch".to_owned(),
            "`switch` is over a block: store its value with `let` first".to_owned(),
        );
        let kind = ParseErrorType::BadInput(what);
        return Err(Box::new(ParseError(Box::new(kind), position)));
    }
    if found.is_empty() {
        let inserted = Inserted::default();
        return Ok(Compiled { ast, inserted });
    }
    let (text, inserted) = insert(text, found);
    let ast = engine.compile(text).map_err(Box::new)?;
    Ok(Compiled { ast, inserted })
}

/// Registers the operator, and lets the engine note what it parses.
pub(crate) fn register(engine: &mut Engine) {
    // proof: it is an identifier that Rhai does not use, with a precedence that is not zero.
    let _ = engine.register_custom_operator(OPERATOR, PRECEDENCE);
    engine.register_fn(OPERATOR, switched);
    #[allow(
        deprecated,
        reason = "it is volatile, not deprecated; the version is pinned"
    )]
    engine.on_parse_token(|token, position, _| {
        SCAN.with_borrow_mut(|scan| scan.see(&token, position));
        unreserved(token)
    });
}

/// Rhai reserves `public` without a use for it; here it is an audience.
pub(crate) fn unreserved(token: Token) -> Token {
    match token {
        Token::Reserved(word) if word.as_str() == "public" => Token::Identifier(word),
        other => other,
    }
}

/// The value that Rhai compares with the labels: their kinds, then the texts, one a line.
fn switched(value: Dynamic, labels: ImmutableString) -> Fallible<Dynamic> {
    let mut texts = labels.lines();
    let kinds = texts.next().unwrap_or_default();
    let among = |some: &str| kinds.is_empty() || kinds.contains(|kind| some.contains(kind));
    if let Some(count) = value.read_lock::<Count>().map(|it| it.clone()) {
        return match among("wr") {
            true => Ok(count.exactly().into()),
            false => Err(unlike(&value)),
        };
    }
    if let Some(day) = value.read_lock::<Day>().map(|it| *it) {
        if !among("t") {
            return Err(unlike(&value));
        }
        for text in texts {
            Day::named(text)?;
        }
        return Ok(day.0.as_str().into());
    }
    let fits = match value.type_name() {
        "()" => true,
        "i64" => among("wr"),
        "f64" => among("fr"),
        "string" => among("t"),
        "char" => among("c"),
        "bool" => among("b"),
        _ => false,
    };
    match fits {
        true => Ok(value),
        false => Err(unlike(&value)),
    }
}

fn unlike(value: &Dynamic) -> Box<rhai::EvalAltResult> {
    Raised::error(
        format!(
            "`switch` is over {}, and no case has that type",
            describe(value)
        ),
        "write cases of the same type, or use `if`; `number(text, default)` makes a number of a \
         label",
    )
}

/// A `switch` of a script.
struct Found {
    /// Where its body begins.
    brace: Position,
    /// One letter for each kind of label: whole number, fraction, range, text, character, bool.
    kinds: String,
    texts: Vec<ImmutableString>,
}

impl Found {
    fn add(&mut self, labels: &[Label]) {
        for label in labels {
            let (kind, text) = match label {
                Label::Kind(kind) => (*kind, None),
                Label::Text(text) => ('t', Some(text.clone())),
            };
            if !self.kinds.contains(kind) {
                self.kinds.push(kind);
            }
            self.texts.extend(text);
        }
    }

    /// The code to insert before the body.
    fn code(&self) -> String {
        let mut labels = self.kinds.clone();
        for text in self.texts.iter().filter(|it| !it.contains('\n')) {
            if labels.len() + text.len() < LABELS_BYTES_MAX {
                labels = format!("{labels}\n{text}");
            }
        }
        let quoted = labels.replace('\\', "\\\\").replace('"', "\\\"");
        format!("{OPERATOR} \"{}\" ", quoted.replace('\n', "\\n"))
    }
}

#[derive(Clone)]
enum Label {
    Kind(char),
    Text(ImmutableString),
}

/// A `switch` that is being parsed.
struct Open {
    found: Found,
    /// Brackets of any kind that are open within it; `None` before its body.
    depth: Option<usize>,
    /// Those that are open in the expression that it is over.
    operand_depth: usize,
    has_operand: bool,
    /// Whether the next brace opens code within a text.
    in_text: bool,
    /// The labels of the current case, while there is nothing else.
    labels: Option<Vec<Label>>,
}

/// The switches of a script, found while it is parsed.
#[derive(Default)]
struct Scan {
    open: Vec<Open>,
    found: Vec<Found>,
    /// A `switch` over something with a block of its own, so that its body is not the first one.
    unclear: Option<Position>,
}

impl Scan {
    const fn new() -> Self {
        Self {
            open: Vec::new(),
            found: Vec::new(),
            unclear: None,
        }
    }

    fn see(&mut self, token: &Token, position: Position) {
        if matches!(token, Token::Comment(_)) {
            return;
        }
        if matches!(token, Token::Switch) {
            self.open.push(Open {
                found: Found {
                    brace: Position::NONE,
                    kinds: String::new(),
                    texts: Vec::new(),
                },
                depth: None,
                operand_depth: 0,
                has_operand: false,
                in_text: false,
                labels: None,
            });
            return;
        }
        let Some(open) = self.open.last_mut() else {
            return;
        };
        if open.is_over_block(token) {
            self.unclear = self.unclear.or(Some(position));
        }
        if open.see(token, position) {
            self.found.extend(self.open.pop().map(|it| it.found));
        }
    }
}

impl Open {
    /// Whether what it is over begins with a block, or contains an `if` without parentheses.
    fn is_over_block(&self, token: &Token) -> bool {
        let before_body = self.depth.is_none() && self.operand_depth == 0;
        let is_first = !self.has_operand && matches!(token, Token::LeftBrace);
        before_body && (is_first || matches!(token, Token::If))
    }

    /// Takes the next token, and says whether it is the last one.
    fn see(&mut self, token: &Token, position: Position) -> bool {
        let opens = matches!(
            token,
            Token::LeftBrace | Token::MapStart | Token::LeftParen | Token::LeftBracket
        );
        let closes = matches!(
            token,
            Token::RightBrace | Token::RightParen | Token::RightBracket
        );
        let Some(depth) = self.depth else {
            let is_body = self.operand_depth == 0 && !self.in_text;
            if is_body && matches!(token, Token::LeftBrace) {
                self.found.brace = position;
                self.depth = Some(0);
                self.labels = Some(Vec::new());
            }
            self.has_operand = true;
            self.in_text = matches!(token, Token::InterpolatedString(_));
            let deeper = self.operand_depth + usize::from(opens);
            self.operand_depth = deeper.saturating_sub(usize::from(closes));
            return false;
        };
        if depth == 0 && closes {
            return true;
        }
        let depth = depth + usize::from(opens) - usize::from(closes);
        self.depth = Some(depth);
        if depth == 0 {
            self.label(token);
        } else {
            self.labels = None;
        }
        false
    }

    /// Takes a token that is directly in the body.
    fn label(&mut self, token: &Token) {
        let label = match token {
            Token::Comma | Token::RightBrace => {
                self.labels = Some(Vec::new());
                return;
            }
            Token::If | Token::DoubleArrow => {
                let labels = self.labels.take().unwrap_or_default();
                self.found.add(&labels);
                return;
            }
            Token::Pipe | Token::UnaryMinus | Token::Minus | Token::Underscore => return,
            Token::IntegerConstant(_) => Label::Kind('w'),
            Token::FloatConstant(_) => Label::Kind('f'),
            Token::ExclusiveRange | Token::InclusiveRange => Label::Kind('r'),
            Token::CharConstant(_) => Label::Kind('c'),
            Token::True | Token::False => Label::Kind('b'),
            Token::Unit => Label::Kind('u'),
            Token::StringConstant(text) => Label::Text(text.as_str().into()),
            _ => {
                self.labels = None;
                return;
            }
        };
        if let Some(labels) = &mut self.labels {
            labels.push(label);
        }
    }
}

/// Inserts the code before each body.
fn insert(text: &str, mut found: Vec<Found>) -> (String, Inserted) {
    found.sort_by_key(|it| (it.brace.line(), it.brace.position()));
    let mut inserted = Inserted::default();
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for switch in found {
        let place = switch.brace.line().zip(switch.brace.position());
        let Some((line, column)) = place else {
            continue;
        };
        let Some(old) = lines.get_mut(line - 1) else {
            continue;
        };
        // Earlier insertions moved what follows on the line.
        let earlier = inserted.0.iter().filter(|(of, ..)| *of == line);
        let column = column + earlier.map(|(.., chars)| chars).sum::<usize>();
        let code = switch.code();
        let mut chars: Vec<char> = mem::take(old).chars().collect();
        let at = chars.len().min(column - 1);
        chars.splice(at..at, code.chars());
        *old = chars.into_iter().collect();
        inserted.0.push((line, column, code.chars().count()));
    }
    (lines.join("\n"), inserted)
}
