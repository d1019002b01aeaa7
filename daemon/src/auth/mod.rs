//! Who may call: the tokens' rows, in memory beside the store.
//!
//! Every request asks here, so the rows are an index in memory that is replaced as a whole; a
//! token that is revoked opens nothing from the moment that its removal is durable.

mod tokens;

use std::sync::Arc;

use crate::app::App;
use crate::tokens::{Scope, Token};

pub use tokens::{NewToken, TOKENS_MAX, TokenError, Tokens};

/// The name of the token that the first start makes.
const FIRST_NAME: &str = "first admin";

/// Makes a token of scope `admin` if there is none yet, and gives it out this once: the caller
/// puts it where the operator finds it.
///
/// # Errors
/// [`TokenError`] when it cannot be made or stored.
pub async fn first_admin_token(app: &Arc<App>) -> Result<Option<Token>, TokenError> {
    if app.tokens.list().iter().any(|it| it.scope == Scope::Admin) {
        return Ok(None);
    }
    let wanted = NewToken {
        name: FIRST_NAME.to_owned(),
        scope: Scope::Admin,
        integration: None,
        person: None,
    };
    let now = app.clock.now();
    let (token, _) = app
        .tokens
        .create(wanted, &app.config, now, &app.writer)
        .await?;
    Ok(Some(token))
}
