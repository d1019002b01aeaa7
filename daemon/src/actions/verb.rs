//! The trait of a verb, and the list of all verbs.

use clap::{ArgMatches, Args};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tocsin_core::command::Command;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, schema::Object};

use super::Action;
use crate::disclosure::Clearance;

/// An action on an incident. The type's fields are the body of the API's action and the arguments
/// of the subcommand.
pub(crate) trait Verb:
    Args + Serialize + DeserializeOwned + ToSchema + Into<Action>
{
    /// The API's `action`, the first word in chat, and the subcommand of `tocsin incident`.
    const NAME: &'static str;
    /// Aliases in chat.
    const ALIASES: &'static [&'static str] = &[];
    /// What follows the name in chat, as help shows it.
    const SYNTAX: &'static str = "";
    /// An example command line for help.
    const EXAMPLE: &'static str;

    /// Parses what follows the name in chat; `via` is the channel that it came through.
    ///
    /// # Errors
    /// What is wrong with it, and what is valid.
    fn parse(rest: &str, via: &str) -> Result<Self, String>;

    /// The command for the core; `via` is the channel that the action came through. A command whose
    /// effect depends on the caller's clearance says what they may do, and the core decides.
    fn into_command(self, via: &str, clearance: Clearance) -> Command;
}

/// A verb in the list.
pub(crate) struct ListedVerb {
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) syntax: &'static str,
    pub(crate) example: &'static str,
    /// Parses what follows the name in chat.
    pub(crate) parse: fn(&str, &str) -> Result<Action, String>,
    /// Adds the arguments to a subcommand.
    pub(crate) arguments: fn(clap::Command) -> clap::Command,
    /// Parses the arguments of the subcommand.
    pub(crate) read: fn(&ArgMatches) -> Result<Action, clap::Error>,
    /// The schema of the API's body.
    pub(crate) schema: fn() -> RefOr<Schema>,
}

impl ListedVerb {
    pub(super) const fn of<V: Verb>() -> Self {
        Self {
            name: V::NAME,
            aliases: V::ALIASES,
            syntax: V::SYNTAX,
            example: V::EXAMPLE,
            parse: |rest, via| V::parse(rest, via).map(Into::into),
            arguments: V::augment_args,
            read: |matches| V::from_arg_matches(matches).map(Into::into),
            schema: || named_schema(V::NAME, V::schema()),
        }
    }
}

/// The schema of a verb's fields and its name.
pub(super) fn named_schema(name: &str, fields: RefOr<Schema>) -> RefOr<Schema> {
    let fields = match fields {
        RefOr::T(Schema::Object(fields)) => fields,
        _ => Object::new(),
    };
    let action = ObjectBuilder::new().schema_type(Type::String);
    let action = action.enum_values(Some([name]));
    let body = ObjectBuilder::from(fields).property("action", action);
    body.required("action").into()
}

/// Makes [`Action`] and [`VERBS`] from the types of the verbs.
macro_rules! verbs {
    ($($verb:ident),+ $(,)?) => {
        /// An action on an incident.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "action", rename_all = "kebab-case")]
        pub(crate) enum Action {
            $($verb($verb)),+
        }

        pub(crate) static VERBS: &[ListedVerb] = &[$(ListedVerb::of::<$verb>()),+];

        $(impl From<$verb> for Action {
            fn from(verb: $verb) -> Self {
                Self::$verb(verb)
            }
        })+

        impl Action {
            fn into_command(
                self,
                via: &str,
                clearance: crate::disclosure::Clearance,
            ) -> tocsin_core::command::Command {
                match self {
                    $(Self::$verb(verb) => verb.into_command(via, clearance)),+
                }
            }
        }
    };
}
pub(super) use verbs;

impl utoipa::PartialSchema for Action {
    fn schema() -> RefOr<Schema> {
        let one = utoipa::openapi::schema::OneOfBuilder::new();
        let one = one.description(Some("An action on an incident."));
        let one = super::VERBS
            .iter()
            .fold(one, |one, it| one.item((it.schema)()));
        one.into()
    }
}

impl ToSchema for Action {}

/// The given reason, or else the channel that the action came through.
pub(super) fn reason_or(reason: Option<String>, via: &str) -> String {
    let reason = reason.filter(|it| !it.trim().is_empty());
    reason.unwrap_or_else(|| format!("via {via}"))
}

/// The trimmed text, or `None` when empty.
pub(super) fn some_text(rest: &str) -> Option<String> {
    Some(rest.trim().to_owned()).filter(|it| !it.is_empty())
}

/// What is before and after the first place where `word` stands by itself.
pub(super) fn split_at_word<'a>(line: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let is_space = |it: Option<char>| it.is_none_or(char::is_whitespace);
    line.match_indices(word).find_map(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let is_alone = is_space(before.chars().next_back()) && is_space(after.chars().next());
        is_alone.then_some((before, after))
    })
}

/// The first word of a line and the rest.
pub(super) fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    match line.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim()),
        None => (line, ""),
    }
}
