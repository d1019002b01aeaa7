//! Finds scripts that `switch` over numbers. A `switch` compares by hash and range and calls no
//! operator, so a [`Count`](crate::quantity::Count) would silently take the default case; in such a
//! file counts are plain numbers, which are recorded exactly.

use std::cell::Cell;

use rhai::{Engine, Token};

thread_local! {
    static SEEN: Cell<Seen> = const { Cell::new(Seen::NOTHING) };
}

#[derive(Clone, Copy)]
struct Seen {
    switch: bool,
    /// A number as the label of a case.
    case: bool,
    after_number: bool,
}

impl Seen {
    const NOTHING: Self = Self {
        switch: false,
        case: false,
        after_number: false,
    };
}

/// Lets the engine note what it parses.
pub(crate) fn register(engine: &mut Engine) {
    #[allow(
        deprecated,
        reason = "it is volatile, not deprecated; the version is pinned"
    )]
    engine.on_parse_token(|token, _, _| {
        let mut seen = SEEN.get();
        let ends_label = matches!(
            token,
            Token::DoubleArrow
                | Token::Pipe
                | Token::ExclusiveRange
                | Token::InclusiveRange
                | Token::If
        );
        seen.switch |= matches!(token, Token::Switch);
        seen.case |= seen.after_number && ends_label;
        seen.after_number = matches!(token, Token::IntegerConstant(_));
        SEEN.set(seen);
        token
    });
}

/// Runs `compile`, and says whether the script may `switch` over numbers. It may say so of a script
/// that does not.
pub(crate) fn over_numbers<T>(compile: impl FnOnce() -> T) -> (T, bool) {
    SEEN.set(Seen::NOTHING);
    let compiled = compile();
    let seen = SEEN.get();
    (compiled, seen.switch && seen.case)
}
