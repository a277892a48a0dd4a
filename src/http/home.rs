//! `GET /`, which redirects to the sign-up page, and the page for unknown addresses.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Redirect;

use super::Site;
use super::error::Problem;

pub(super) async fn show(State(site): State<Arc<Site>>) -> Redirect {
    Redirect::temporary(&format!("{}/subscribe", site.base))
}

pub(super) async fn missing() -> Problem {
    Problem::NotFound
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::http::testing::Web;

    #[tokio::test]
    async fn the_root_leads_to_the_sign_up() {
        let answer = Web::new().await.get("/").await;
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(answer.header("location"), "/subscribe");
    }

    #[tokio::test]
    async fn an_unknown_address_gets_a_page_that_says_so() {
        let web = Web::new().await;
        for path in [
            "/nowhere",
            "/subscribe/",
            "//evil.example/",
            "/media/",
            "/confirm",
            "/..%2f..%2fetc/passwd",
        ] {
            let answer = web.get(path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert!(answer.body.contains("Page not found"), "{path}");
            assert_eq!(answer.header("location"), "");
        }
    }

    #[tokio::test]
    async fn an_address_that_takes_no_such_request_says_so() {
        let answer = Web::new().await.post("/healthz", "text/plain", "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), "GET,HEAD");
        assert!(answer.body.contains("<h1>This does not work here</h1>"));
    }
}
