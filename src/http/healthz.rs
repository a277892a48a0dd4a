//! `GET /healthz`: 200 while the database can be read and written, else 503 with the reason.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::response::IntoResponse;

use super::Site;

/// How long a look into the database may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Without a charset, so that the page of a problem does not take its place.
const TEXT: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "text/plain")];

pub(super) async fn show(State(site): State<Arc<Site>>) -> impl IntoResponse {
    let trouble = match site.store.trouble().await {
        Some(why) => Some(format!("the database can't be written: {why}")),
        None => match tokio::time::timeout(PATIENCE, site.store.lists()).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(format!("the database can't be read: {}", error.what)),
            Err(_) => Some("the database can't be read: it does not answer".to_owned()),
        },
    };
    match trouble {
        None => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{why}\n")),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::http::testing::Web;

    #[tokio::test]
    async fn it_is_well_while_the_store_can_be_written() {
        let web = Web::new().await;
        let answer = web.get("/healthz").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::OK, "ok\n")
        );
        let path = web.store.path().to_owned();
        let away = path.with_extension("away");
        std::fs::rename(&path, &away).unwrap();
        web.store.look_at_place();
        let answer = web.get("/healthz").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.body.contains("moved away"), "{}", answer.body);
        std::fs::rename(&away, &path).unwrap();
        web.store.look_at_place();
        assert_eq!(web.get("/healthz").await.status, StatusCode::OK);
        web.store.clone().close().await;
        let answer = web.get("/healthz").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }
}
