//! The comparison operators, for the types that have them.

use std::cmp::Ordering;

/// A comparison operator.
#[derive(Clone, Copy)]
pub(crate) struct Comparison {
    pub(crate) symbol: &'static str,
    /// Whether it is true of two values in this order; `None` when they have none, as NaN.
    pub(crate) holds: fn(Option<Ordering>) -> bool,
}

pub(crate) const COMPARISONS: [Comparison; 6] = [
    Comparison {
        symbol: "==",
        holds: |order| order == Some(Ordering::Equal),
    },
    Comparison {
        symbol: "!=",
        holds: |order| order != Some(Ordering::Equal),
    },
    Comparison {
        symbol: "<",
        holds: |order| order == Some(Ordering::Less),
    },
    Comparison {
        symbol: "<=",
        holds: |order| order.is_some_and(Ordering::is_le),
    },
    Comparison {
        symbol: ">",
        holds: |order| order == Some(Ordering::Greater),
    },
    Comparison {
        symbol: ">=",
        holds: |order| order.is_some_and(Ordering::is_ge),
    },
];
