//! `GET /media/HASH.EXT`: the pictures of issues, named by their content, so that they may be kept for ever.
//!
//! A picture is read and sent in parts. What is in memory for a client is the part that it is being sent, and parts that
//! were sent lately are shared: the pictures of an issue that just went out are read from the database once.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};

use super::Site;
use super::error::Problem;
use crate::store::Store;
use crate::store::media::PART_BYTES;

/// Digits of the hash in a name.
const HASH_DIGITS: usize = 32;
/// How much of the pictures sent lately is kept in memory, in bytes.
const SHELF_MAX_BYTES: usize = 8 * 1024 * 1024;

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Path(file): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (hash, ext) = file.split_once('.').ok_or(Problem::NotFound)?;
    let number = number_of(hash).ok_or(Problem::NotFound)?;
    let kind = content_type(ext).ok_or(Problem::NotFound)?;
    let stored = site.store.picture(hash).await?;
    let size = stored
        .filter(|picture| picture.ext == ext)
        .map(|picture| picture.size_bytes)
        .ok_or(Problem::NotFound)?;
    let tag = format!("\"{hash}\"");
    let mut answer = Response::new(Body::empty());
    set_headers(answer.headers_mut(), &tag);
    if named(&headers, header::IF_NONE_MATCH).any(|known| known == "*" || is_same(known, &tag)) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(answer);
    }
    let wanted = wanted(&method, &headers, &tag, size);
    let set = |answer: &mut Response, name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    };
    let range = match wanted {
        Wanted::Whole => 0..size,
        Wanted::Part(range) => {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            let span = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            set(&mut answer, header::CONTENT_RANGE, span);
            range
        }
        Wanted::Nothing => {
            *answer.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set(
                &mut answer,
                header::CONTENT_RANGE,
                format!("bytes */{size}"),
            );
            answer
                .headers_mut()
                .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            return Ok(answer);
        }
    };
    let length = range.end - range.start;
    set(&mut answer, header::CONTENT_LENGTH, length.to_string());
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    if method != Method::HEAD {
        let parts = Parts {
            site,
            hash: hash.to_owned(),
            number,
            range,
            reading: None,
            has_sent: false,
        };
        *answer.body_mut() = Body::new(parts);
    }
    Ok(answer)
}

/// What every answer about a picture says.
fn set_headers(headers: &mut HeaderMap, tag: &str) {
    for (name, value) in [
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::ACCEPT_RANGES, "bytes"),
        // Mail programs on the web show the picture on a page of theirs.
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
}

/// The number that a hash is written for.
fn number_of(hash: &str) -> Option<u128> {
    let is_hash =
        hash.len() == HASH_DIGITS && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_hash
        .then(|| u128::from_str_radix(hash, 16).ok())
        .flatten()
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

/// The entity tags that a header names.
fn named(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// Whether two entity tags are the same, by the weak comparison of RFC 9110, section 8.8.3.2.
fn is_same(known: &str, tag: &str) -> bool {
    known.strip_prefix("W/").unwrap_or(known) == tag
}

/// What a client wants of a picture.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Range<u64>),
    /// A part that it does not have.
    Nothing,
}

/// Reads `Range` (RFC 9110, section 14). Several ranges at once, and what is no range, are answered with the whole.
fn wanted(method: &Method, headers: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(range), true) = (text(header::RANGE), method == Method::GET) else {
        return Wanted::Whole;
    };
    if text(header::IF_RANGE).is_some_and(|known| known.trim() != tag) {
        return Wanted::Whole;
    }
    let Some((first, last)) = range
        .trim()
        .strip_prefix("bytes=")
        .and_then(|span| span.trim().split_once('-'))
    else {
        return Wanted::Whole;
    };
    // What exceeds all numbers exceeds the picture.
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (start, end) = match (
        number(first),
        number(last),
        first.is_empty(),
        last.is_empty(),
    ) {
        (Some(first), Some(last), ..) if first <= last => (first, last.saturating_add(1).min(size)),
        (Some(first), None, _, true) => (first, size),
        (None, Some(last), true, _) => (size.saturating_sub(last), size),
        _ => return Wanted::Whole,
    };
    if start < end {
        Wanted::Part(start..end)
    } else {
        Wanted::Nothing
    }
}

type Reading = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>;

/// The rest of a picture, or of a range of it, on its way to a client.
struct Parts {
    site: Arc<Site>,
    hash: String,
    number: u128,
    /// The bytes that are left.
    range: Range<u64>,
    reading: Option<Reading>,
    /// It has just been given a part, and lets others have their turn.
    has_sent: bool,
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if this.range.is_empty() {
            return Poll::Ready(None);
        }
        if std::mem::take(&mut this.has_sent) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let part = this.range.start / PART_BYTES;
        let reading = this.reading.get_or_insert_with(|| {
            let (site, hash, number) = (this.site.clone(), this.hash.clone(), this.number);
            Box::pin(async move { site.shelf.part(&site.store, &hash, number, part).await })
        });
        let read = ready!(reading.as_mut().poll(cx));
        this.reading = None;
        Poll::Ready(Some(read.and_then(|bytes| {
            let start = (this.range.start % PART_BYTES) as usize;
            let left = this.range.end - this.range.start;
            let end = bytes.len().min(start.saturating_add(left as usize));
            if start >= end {
                return Err(io::Error::other("the picture is shorter than it should be"));
            }
            this.range.start += (end - start) as u64;
            this.has_sent = true;
            Ok(Frame::data(bytes.slice(start..end)))
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.range.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.range.end - self.range.start)
    }
}

/// The parts that were sent lately.
#[derive(Default)]
pub(super) struct Shelf {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// By picture and part: the bytes, and when they were last asked for.
    parts: HashMap<(u128, u64), (Bytes, u64)>,
    bytes: usize,
    asked: u64,
}

impl Shelf {
    /// A part of a picture, from here or from the store.
    async fn part(&self, store: &Store, hash: &str, number: u128, part: u64) -> io::Result<Bytes> {
        if let Some(bytes) = self.find((number, part)) {
            return Ok(bytes);
        }
        let read = store.picture_part(hash, part).await.map_err(|error| {
            tracing::warn!("a picture could not be read to its end: {error}");
            io::Error::other(error)
        })?;
        let bytes = Bytes::from(read.unwrap_or_default());
        self.keep((number, part), &bytes);
        Ok(bytes)
    }

    fn find(&self, key: (u128, u64)) -> Option<Bytes> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.asked += 1;
        let asked = held.asked;
        let (bytes, last) = held.parts.get_mut(&key)?;
        *last = asked;
        Some(bytes.clone())
    }

    fn keep(&self, key: (u128, u64), bytes: &Bytes) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = held.asked;
        if held.parts.insert(key, (bytes.clone(), asked)).is_none() {
            held.bytes += bytes.len();
        }
        while held.bytes > SHELF_MAX_BYTES {
            let oldest = held.parts.iter().min_by_key(|(_, (_, asked))| *asked);
            let Some(oldest) = oldest.map(|(key, _)| *key) else {
                return;
            };
            if let Some((bytes, _)) = held.parts.remove(&oldest) {
                held.bytes -= bytes.len();
            }
        }
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
        web.store.put_media(HASH, "png", b"\x89PNG".to_vec()).await;
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

    /// A picture of several parts, of which no two have the same bytes.
    fn large() -> Vec<u8> {
        (0..200_000_u32)
            .map(|n| (n / 7 + n / 65_536) as u8)
            .collect()
    }

    async fn range(
        web: &Web,
        range: &str,
        more: &[(&'static str, &str)],
    ) -> (u16, String, Vec<u8>) {
        let mut request = Request::get(format!("/media/{HASH}.png")).header("range", range);
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let answer = web.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("accept-ranges"), "bytes");
        let span = answer.header("content-range").to_owned();
        (answer.status.as_u16(), span, answer.bytes)
    }

    #[tokio::test]
    async fn a_picture_of_many_parts_arrives_whole_and_head_gives_its_length_alone() {
        let web = Web::new().await;
        web.store.put_media(HASH, "png", large()).await;
        let path = format!("/media/{HASH}.png");
        for _ in 0..2 {
            let whole = web.get(&path).await;
            assert_eq!(whole.header("content-length"), "200000");
            assert!(whole.bytes == large());
        }
        let head = web.head(&path).await;
        assert_eq!(
            (head.status, head.header("content-length"), head.bytes.len()),
            (StatusCode::OK, "200000", 0)
        );
    }

    #[tokio::test]
    async fn a_range_is_answered_with_that_part() {
        let web = Web::new().await;
        web.store.put_media(HASH, "png", large()).await;
        for (asked, from, to) in [
            ("bytes=0-0", 0, 1),
            ("bytes=65530-65545", 65_530, 65_546),
            ("bytes=131072-", 131_072, 200_000),
            ("bytes=199999-99999999999999999999999", 199_999, 200_000),
            ("bytes=-10", 199_990, 200_000),
            ("bytes=-300000", 0, 200_000),
        ] {
            let (status, span, bytes) = range(&web, asked, &[]).await;
            assert_eq!(
                (status, span),
                (206, format!("bytes {from}-{}/200000", to - 1)),
                "{asked}"
            );
            assert!(bytes == large()[from..to], "{asked}");
        }
        for asked in ["bytes=200000-", "bytes=-0", "bytes=200000-200001"] {
            let (status, span, bytes) = range(&web, asked, &[]).await;
            assert_eq!(
                (status, span.as_str(), bytes.len()),
                (416, "bytes */200000", 0),
                "{asked}"
            );
        }
        for asked in [
            "bytes=5-1",
            "bytes=a-b",
            "bytes=0-1,4-5",
            "pixels=0-1",
            "bytes=-",
            "0-1",
        ] {
            assert_eq!(range(&web, asked, &[]).await.0, 200, "{asked}");
        }
        let tag = format!("\"{HASH}\"");
        let if_range = |value: String| {
            let web = &web;
            async move {
                range(web, "bytes=0-1", &[("if-range", value.as_str())])
                    .await
                    .0
            }
        };
        assert_eq!(if_range(tag.clone()).await, 206);
        assert_eq!(if_range(format!("W/{tag}")).await, 200);
        assert_eq!(if_range("\"other\"".into()).await, 200);
        let known = range(&web, "bytes=0-1", &[("if-none-match", &tag)]).await;
        assert_eq!((known.0, known.2.len()), (304, 0));
    }

    #[test]
    fn what_was_sent_lately_is_kept_within_its_bound() {
        let shelf = Shelf::default();
        let part = Bytes::from(vec![0; PART_BYTES as usize]);
        for number in 0..500 {
            shelf.keep((number, 0), &part);
            shelf.find((0, 0));
        }
        let held = shelf.held.lock().unwrap();
        assert!(held.bytes <= SHELF_MAX_BYTES && held.parts.len() > 100);
        assert!(
            held.parts.contains_key(&(0, 0)),
            "it was asked for all the time"
        );
    }

    #[tokio::test]
    async fn other_names_are_not_found() {
        let web = Web::new().await;
        web.store.put_media(HASH, "png", b"\x89PNG".to_vec()).await;
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
