//! The style sheet and the icon, from the binary itself.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;

use crate::page;

static STYLE: LazyLock<String> =
    LazyLock::new(|| [page::BASE_CSS, include_str!("pages/pages.css")].concat());
static STYLE_NAME: LazyLock<String> = LazyLock::new(|| page::fingerprint(&STYLE));

/// What its address says of the version, so that browsers may keep it for ever.
pub(super) fn style_name() -> &'static str {
    &STYLE_NAME
}

pub(super) fn style_path() -> String {
    format!("/style-{}.css", style_name())
}

pub(super) async fn style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, STYLE.as_str())
}

pub(super) async fn icon() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, page::ICON_SVG)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;
    use crate::http::testing::Web;

    #[test]
    fn the_sheet_stays_under_12_kb() {
        assert!(STYLE.len() < 12 * 1024, "{} bytes", STYLE.len());
    }

    #[tokio::test]
    async fn style_and_icon_may_be_kept() {
        let web = Web::new().await;
        let style = web.get(&style_path()).await;
        assert_eq!(style.status, StatusCode::OK);
        assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
        assert!(style.header("cache-control").contains("immutable"));
        assert_eq!(
            web.get("/icon.svg").await.header("content-type"),
            "image/svg+xml"
        );
        assert_eq!(
            web.get("/style-000000000000.css").await.status,
            StatusCode::NOT_FOUND
        );
    }
}
