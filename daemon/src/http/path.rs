//! Extracts path parameters; a parameter that is not valid is answered with a [`Problem`].

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::extract::rejection::PathRejection;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::{Kind, Problem};
use crate::app::App;

/// The path parameters of a route.
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, app).await;
        let read: Result<_, PathRejection> = read;
        let axum::extract::Path(read) =
            read.map_err(|error| Problem::new(Kind::MALFORMED, error.body_text()))?;
        Ok(Self(read))
    }
}
