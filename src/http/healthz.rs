//! `GET /healthz`: 200 while the database answers, else 503 or 500.

use std::sync::Arc;

use axum::extract::State;

use super::Site;
use super::error::Problem;

pub(super) async fn show(State(site): State<Arc<Site>>) -> Result<&'static str, Problem> {
    site.store.lists().await?;
    Ok("ok\n")
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::http::testing::Web;

    #[tokio::test]
    async fn it_is_well_while_the_store_answers() {
        let web = Web::new().await;
        let answer = web.get("/healthz").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::OK, "ok\n")
        );
        web.store.clone().close().await;
        assert!(web.get("/healthz").await.status.is_server_error());
    }
}
