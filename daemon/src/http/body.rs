//! Reads and decompresses bodies, with limits on size and time: a small body that decompresses to
//! gigabytes, or one that arrives at a byte per minute, must not keep the daemon busy.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::problem::{Kind, Problem};
use crate::app::App;

/// How long a body may take to arrive, in milliseconds.
pub(super) const BODY_READ_MS_MAX: u64 = 30_000;

/// The whole body, decompressed, within the configured limit.
pub(super) struct Unpacked(pub(super) Bytes);

/// The whole body as JSON.
pub(super) struct Json<T>(pub(super) T);

/// Reads a body without decompressing it, at most `bytes_max`.
pub(super) async fn read_raw(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    read_within(body, bytes_max, Duration::from_millis(BODY_READ_MS_MAX)).await
}

/// Reads a body that must arrive within `limit`.
pub(super) async fn read_within(
    body: Body,
    bytes_max: usize,
    limit: Duration,
) -> Result<Bytes, Problem> {
    // A body that declares a size over the limit is refused before it is read.
    if HttpBody::size_hint(&body).lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(too_large(bytes_max));
    }
    let read = tokio::time::timeout(limit, Limited::new(body, bytes_max).collect()).await;
    match read {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(bytes_max)),
        Ok(Err(_)) => Err(Problem::new(Kind::MALFORMED, "the body ended early")),
        Err(_) => Err(Problem::new(
            Kind::TIMEOUT,
            format!("the body must arrive within {} ms", limit.as_millis()),
        )),
    }
}

/// Reads and decompresses a body; at most `bytes_max` before and after.
pub(super) async fn read_unpacked(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<Bytes, Problem> {
    let packing = headers.get(header::CONTENT_ENCODING);
    let packing = packing.map_or("", |it| it.to_str().unwrap_or("?")).trim();
    let is_gzip = match packing.to_ascii_lowercase().as_str() {
        "" | "identity" => false,
        "gzip" | "x-gzip" => true,
        _ => {
            let detail = "the only supported encoding is gzip; send gzip or the plain body";
            return Err(Problem::new(Kind::MEDIA, detail));
        }
    };
    let body = read_raw(body, bytes_max).await?;
    if !is_gzip {
        return Ok(body);
    }
    let unpacked = tokio::task::spawn_blocking(move || gunzip(&body, bytes_max)).await;
    unpacked.map_err(|error| Problem::new(Kind::INTERNAL, error.to_string()))?
}

fn gunzip(packed: &[u8], bytes_max: usize) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let mut reader = flate2::read::MultiGzDecoder::new(packed).take(limit.saturating_add(1));
    reader
        .read_to_end(&mut bytes)
        .map_err(|_| Problem::new(Kind::MALFORMED, "the body is not valid gzip"))?;
    if bytes.len() > bytes_max {
        return Err(too_large(bytes_max));
    }
    Ok(bytes.into())
}

fn too_large(bytes_max: usize) -> Problem {
    let detail = format!("the limit is {bytes_max} bytes uncompressed; send smaller batches");
    Problem::new(Kind::TOO_LARGE, detail).with("bytes_max", bytes_max)
}

impl FromRequest<Arc<App>> for Unpacked {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes_max = app.config.server.body_bytes_max;
        read_unpacked(&parts.headers, body, bytes_max)
            .await
            .map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let Unpacked(body) = Unpacked::from_request(request, app).await?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            let what = match error.is_data() {
                true => "the body",
                false => "the body is not valid JSON",
            };
            Problem::new(Kind::MALFORMED, format!("{what}: {error}"))
        })
    }
}
