//! `GET /media/HASH.EXT`: the pictures of issues, named by their content, so that they may be kept for ever.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Site;
use super::error::Problem;

/// Digits of the hash in a name.
const HASH_DIGITS: usize = 32;

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (hash, ext) = file.split_once('.').ok_or(Problem::NotFound)?;
    let is_hash =
        hash.len() == HASH_DIGITS && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let kind = content_type(ext)
        .filter(|_| is_hash)
        .ok_or(Problem::NotFound)?;
    let tag = format!("\"{hash}\"");
    let shared = [
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::ETAG, tag.as_str()),
        // Mail programs on the web show the picture on a page of theirs.
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ),
    ];
    let (stored_ext, bytes) = site.store.media(hash).await?.ok_or(Problem::NotFound)?;
    if stored_ext != ext {
        return Err(Problem::NotFound);
    }
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok());
    if known.is_some_and(|v| {
        v.split(',')
            .any(|one| one.trim().trim_start_matches("W/") == tag)
    }) {
        return Ok((StatusCode::NOT_MODIFIED, shared).into_response());
    }
    Ok((shared, [(header::CONTENT_TYPE, kind)], bytes).into_response())
}

/// The kinds of pictures that an issue may hold.
fn content_type(ext: &str) -> Option<&'static str> {
    match ext {
        "png" => Some("image/png"),
        "jpg" => Some("image/jpeg"),
        "gif" => Some("image/gif"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::Web;
    use axum::body::Body;
    use axum::http::Request;

    const HASH: &str = "0123456789abcdef0123456789abcdef";

    #[tokio::test]
    async fn a_picture_may_be_kept_for_ever_and_shown_elsewhere() {
        let web = Web::new().await;
        web.store.put_media(HASH, "png", b"\x89PNG").await;
        let path = format!("/media/{HASH}.png");
        let answer = web.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), "image/png");
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            "cross-origin"
        );
        assert!(answer.body.ends_with("PNG"));
        let again = Request::get(&path)
            .header("if-none-match", answer.header("etag"))
            .body(Body::empty())
            .unwrap();
        let again = web.send(again).await;
        assert_eq!(
            (again.status, again.body.len()),
            (StatusCode::NOT_MODIFIED, 0)
        );
    }

    #[tokio::test]
    async fn other_names_are_not_found() {
        let web = Web::new().await;
        web.store.put_media(HASH, "png", b"\x89PNG").await;
        for file in [
            HASH.to_owned(),
            format!("{HASH}.gif"),
            format!("{HASH}.html"),
            format!("{HASH}.png.png"),
            format!("{}.png", HASH.to_uppercase()),
            format!("{}.png", &HASH[1..]),
            format!("1{}.png", &HASH[1..]),
            "..%2f..%2fletterpress.db".to_owned(),
        ] {
            assert_eq!(
                web.get(&format!("/media/{file}")).await.status,
                StatusCode::NOT_FOUND,
                "{file}"
            );
        }
    }
}
