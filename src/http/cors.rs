//! Scripts of other sites that may call `POST /subscribe`: `[web] cors_origins`.
//!
//! Browsers ask beforehand whether a script of a site may (the Fetch standard's preflight, `OPTIONS`), and show it an
//! answer only if this names its site. Of a site that is not listed nothing is said, and the browser refuses. A plain HTML
//! form on another site needs none of this.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Site;

/// The address that scripts may call.
const PATH: &str = "/subscribe";
/// Stands for every site.
const ANY: &str = "*";
/// How long a browser may remember what it was told, in seconds: a day.
const REMEMBER_S: &str = "86400";

/// Answers preflights, and says in other answers whether a script may read them.
pub(super) async fn allow(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    if request.uri().path() != PATH {
        return next.run(request).await;
    }
    let origins = &site.settings.cors_origins;
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.filter(|origin| {
        let is_listed = |known: &String| known == ANY || known.as_bytes() == origin.as_bytes();
        origins.iter().any(is_listed)
    });
    let mut answer = if request.method() == Method::OPTIONS {
        let mut answer = StatusCode::NO_CONTENT.into_response();
        set(&mut answer, header::ALLOW, "GET,HEAD,POST,OPTIONS");
        if allowed.is_some() {
            set(&mut answer, header::ACCESS_CONTROL_ALLOW_METHODS, "POST");
            let headers = "content-type, accept";
            set(&mut answer, header::ACCESS_CONTROL_ALLOW_HEADERS, headers);
            set(&mut answer, header::ACCESS_CONTROL_MAX_AGE, REMEMBER_S);
        }
        answer
    } else {
        next.run(request).await
    };
    if let Some(origin) = allowed {
        let headers = answer.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        expose(headers);
    }
    if !origins.is_empty() {
        answer
            .headers_mut()
            .append(header::VARY, HeaderValue::from_static("Origin"));
    }
    answer
}

fn set(answer: &mut Response, name: HeaderName, value: &'static str) {
    let value = HeaderValue::from_static(value);
    answer.headers_mut().insert(name, value);
}

/// Lets a script see how long it has to wait.
fn expose(headers: &mut HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("retry-after"),
    );
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::http::testing::{Answer, FORM, JSON, Web};

    const LISTED: &str = "https://blog.example";

    async fn asked(web: &Web, method: Method, path: &str, origin: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type")
            .header("content-type", JSON)
            .body(Body::from(body.to_owned()));
        web.send(request.unwrap()).await
    }

    #[tokio::test]
    async fn a_listed_site_is_told_that_its_scripts_may_call() {
        let web = Web::new().await;
        let told = asked(&web, Method::OPTIONS, PATH, LISTED, "").await;
        assert_eq!((told.status.as_u16(), told.body.as_str()), (204, ""));
        for (name, value) in [
            ("access-control-allow-origin", LISTED),
            ("access-control-allow-methods", "POST"),
            ("access-control-allow-headers", "content-type, accept"),
            ("vary", "Origin"),
        ] {
            assert_eq!(told.header(name), value);
        }
        assert!(
            told.headers
                .get("access-control-allow-credentials")
                .is_none()
        );
    }

    #[tokio::test]
    async fn a_listed_site_reads_answers_and_refusals_alike() {
        let web = Web::new().await;
        for (body, status) in [(r#"{"email":"a@readers.example"}"#, 202), ("{", 400)] {
            let answer = asked(&web, Method::POST, PATH, LISTED, body).await;
            assert_eq!(answer.status.as_u16(), status);
            assert_eq!(answer.header("access-control-allow-origin"), LISTED);
            assert_eq!(answer.header("vary"), "Origin");
        }
    }

    #[tokio::test]
    async fn other_sites_and_addresses_are_told_nothing() {
        let web = Web::new().await;
        for origin in [
            "https://evil.example",
            "http://blog.example",
            "https://blog.example.evil.example",
            "https://blog.example:8443",
            "null",
            "",
        ] {
            for method in [Method::OPTIONS, Method::POST] {
                let answer = asked(&web, method, PATH, origin, "{}").await;
                assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
                assert_eq!(answer.header("access-control-allow-methods"), "");
                assert_eq!(answer.header("vary"), "Origin");
            }
        }
        let elsewhere = asked(&web, Method::OPTIONS, "/healthz", LISTED, "").await;
        assert_eq!(elsewhere.header("access-control-allow-origin"), "");
        assert_eq!(
            web.post(PATH, FORM, "")
                .await
                .header("access-control-allow-origin"),
            ""
        );
    }
}
