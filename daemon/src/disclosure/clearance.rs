//! Whether a receiver may see incidents under the security flag.

use tocsin_core::Person;

/// Whether a receiver may see incidents under the security flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clearance {
    /// May see every incident in full.
    Security,
    /// May see only the number, grade, status and times of a security incident, and no text.
    Basic,
}

impl Clearance {
    /// The clearance of a person; `Basic` if they are no longer in the configuration.
    #[must_use]
    pub fn of_person(person: Option<&Person>) -> Self {
        person.is_some_and(|it| it.clearance).into()
    }

    /// Whether an incident with this security flag is shown in full.
    #[must_use]
    pub fn may_see(self, security: bool) -> bool {
        !security || self == Self::Security
    }

    /// The lower of two clearances, such as a plugin's and that of the person it shows text to.
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
