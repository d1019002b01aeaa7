//! What is not stored because it is the default.

/// Whether a field has its default, and need not be stored.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
