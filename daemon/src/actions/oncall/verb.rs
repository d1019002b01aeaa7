//! The trait of a verb of on-call, and the list of all of them.

use clap::{ArgMatches, Args};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tocsin_core::{Actor, Timestamp};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{OneOfBuilder, Schema};

use super::OnCallAction;
use crate::actions::verb::named_schema;
use crate::people::{NewOverride, OverrideRefusal, Roster};

/// An action on who is on call. The type's fields are the body of the API's action and the
/// arguments of the subcommand.
pub(crate) trait OnCallVerb:
    Args + Serialize + DeserializeOwned + ToSchema + Into<OnCallAction>
{
    /// The API's `action`, the word after `oncall` in chat, and the subcommand of `tocsin oncall`.
    const NAME: &'static str;
    /// What follows the name in chat, as help shows it.
    const SYNTAX: &'static str;
    /// An example command line for help.
    const EXAMPLE: &'static str;

    /// Parses what follows the name in chat.
    ///
    /// # Errors
    /// What is wrong with it, and what is valid.
    fn parse(words: &[&str]) -> Result<Self, String>;

    /// The overrides that it asks for.
    ///
    /// # Errors
    /// [`OverrideRefusal`] when the roster as it is now does not allow it.
    fn wanted(&self, _asked: Asked<'_>) -> Result<Vec<NewOverride>, OverrideRefusal> {
        Ok(Vec::new())
    }

    /// The ID of the override that it cancels, if it cancels one.
    fn canceled(&self) -> Option<&str> {
        None
    }
}

/// What a verb is decided from.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// As it is now, with every override.
    pub(crate) roster: &'a Roster,
    /// Who asks.
    pub(crate) by: &'a Actor,
    pub(crate) now: Timestamp,
}

/// A verb in the list.
pub(crate) struct ListedVerb {
    pub(crate) name: &'static str,
    pub(crate) syntax: &'static str,
    pub(crate) example: &'static str,
    /// Parses what follows the name in chat.
    pub(crate) parse: fn(&[&str]) -> Result<OnCallAction, String>,
    /// Adds the arguments to a subcommand.
    pub(crate) arguments: fn(clap::Command) -> clap::Command,
    /// Parses the arguments of the subcommand.
    pub(crate) read: fn(&ArgMatches) -> Result<OnCallAction, clap::Error>,
    /// The schema of the API's body.
    pub(crate) schema: fn() -> RefOr<Schema>,
}

impl ListedVerb {
    pub(super) const fn of<V: OnCallVerb>() -> Self {
        Self {
            name: V::NAME,
            syntax: V::SYNTAX,
            example: V::EXAMPLE,
            parse: |words| V::parse(words).map(Into::into),
            arguments: V::augment_args,
            read: |matches| V::from_arg_matches(matches).map(Into::into),
            schema: || named_schema(V::NAME, V::schema()),
        }
    }
}

/// Makes [`OnCallAction`] and [`ON_CALL_VERBS`](super::ON_CALL_VERBS) from the types of the verbs.
macro_rules! verbs {
    ($($verb:ident),+ $(,)?) => {
        /// What people do about who is on call.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "action", rename_all = "kebab-case")]
        pub(crate) enum OnCallAction {
            $($verb($verb)),+
        }

        pub(crate) static ON_CALL_VERBS: &[verb::ListedVerb] =
            &[$(verb::ListedVerb::of::<$verb>()),+];

        $(impl From<$verb> for OnCallAction {
            fn from(verb: $verb) -> Self {
                Self::$verb(verb)
            }
        })+

        impl OnCallAction {
            fn wanted(
                &self,
                asked: verb::Asked<'_>,
            ) -> Result<Vec<crate::people::NewOverride>, crate::people::OverrideRefusal> {
                match self {
                    $(Self::$verb(verb) => verb.wanted(asked)),+
                }
            }

            fn canceled(&self) -> Option<&str> {
                match self {
                    $(Self::$verb(verb) => verb.canceled()),+
                }
            }
        }
    };
}
pub(super) use verbs;

impl utoipa::PartialSchema for OnCallAction {
    fn schema() -> RefOr<Schema> {
        let one = OneOfBuilder::new().description(Some("An action on who is on call."));
        let verbs = super::ON_CALL_VERBS.iter();
        verbs.fold(one, |one, it| one.item((it.schema)())).into()
    }
}

impl ToSchema for OnCallAction {}
