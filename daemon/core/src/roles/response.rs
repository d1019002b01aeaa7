//! Who is asked to take the roles besides the operator.

use serde::{Deserialize, Serialize};

use crate::ids::PersonId;

/// The result of `respond(incident, candidates)`: who is asked to take each role, one after the
/// other until somebody does. At most
/// [`RESPONSE_PEOPLE_MAX`](crate::limits::RESPONSE_PEOPLE_MAX) for each; nobody is asked to take
/// one that names nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    #[serde(default)]
    pub commander: Vec<PersonId>,
    #[serde(default)]
    pub spokesperson: Vec<PersonId>,
    #[serde(default)]
    pub shadow: Vec<PersonId>,
}
