//! Whether a receiver may see incidents under the security flag.

use tocsin_core::Person;

/// Whether a receiver may see incidents under the security flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clearance {
    /// Sees every incident whole.
    Security,
    /// Sees of a security incident its number, grade, status and times, and no text.
    Basic,
}

impl Clearance {
    /// The clearance of a person, who may no longer be in the configuration.
    #[must_use]
    pub fn of_person(person: Option<&Person>) -> Self {
        person.is_some_and(|it| it.clearance).into()
    }

    /// Whether an incident with this security flag is shown whole.
    #[must_use]
    pub fn may_see(self, security: bool) -> bool {
        !security || self == Self::Security
    }

    /// What two receivers in a row may see: a plugin and the person whom it shows the text to.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        (self == Self::Security && other == Self::Security).into()
    }
}

impl From<bool> for Clearance {
    /// `clearance = true` of a person or of a plugin's grant.
    fn from(granted: bool) -> Self {
        match granted {
            true => Self::Security,
            false => Self::Basic,
        }
    }
}
