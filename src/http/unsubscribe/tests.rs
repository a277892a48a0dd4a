use super::*;
use crate::http::testing::{FORM, Web, is_strict, list};
use crate::model::SubscriberId;

const MULTIPART: &str = "multipart/form-data; boundary=cut";
const ONE_CLICK_PARTS: &str = "--cut\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--cut--\r\n";

/// How the last leaving reached us, and from where.
async fn consent(web: &Web) -> (String, String) {
    web.store.last_consent("left").await
}

#[tokio::test]
async fn get_and_head_change_nothing_and_show_one_form() {
    let web = Web::new().await;
    let who = web.reader("a@readers.example").await;
    let path = web.path("unsubscribe", Purpose::Unsubscribe, who);
    assert_eq!(web.head(&path).await.status, StatusCode::OK);
    let page = web.get(&path).await;
    assert_eq!(
        (
            page.status,
            page.count("form"),
            page.count("form[method=post]")
        ),
        (StatusCode::OK, 1, 1)
    );
    assert_eq!(
        (page.text("h1"), page.text(".lede")),
        (
            "Unsubscribe from this newsletter?".into(),
            "a@readers.example will get no further issues.".into()
        )
    );
    assert_eq!(page.header("x-robots-tag"), "noindex, nofollow");
    is_strict(&page);
    assert_eq!(web.state(who).await, SubscriptionState::Active);
}

#[tokio::test]
async fn the_button_acts_and_offers_the_way_back() {
    let web = Web::new().await;
    let who = web.reader("a@readers.example").await;
    let path = web.path("unsubscribe", Purpose::Unsubscribe, who);
    let done = web.post(&path, FORM, "leave=yes").await;
    assert_eq!(
        (done.status, done.text("h1").as_str()),
        (StatusCode::OK, "You are unsubscribed")
    );
    assert_eq!(done.text(".hint"), "Possible until 24 December.");
    is_strict(&done);
    assert_eq!(web.state(who).await, SubscriptionState::Unsubscribed);
    assert_eq!(consent(&web).await, ("page".into(), "192.0.2.0/24".into()));
    // Once more, ten days later: the same end date.
    web.wait(240);
    assert_eq!(
        web.post(&path, FORM, "").await.text(".hint"),
        "Possible until 24 December."
    );
    let undo = done.attribute("form", "action");
    let back = web.post(&undo, FORM, "undo=yes").await;
    assert_eq!(
        (back.status, back.text("h1").as_str()),
        (StatusCode::OK, "You are subscribed again")
    );
    assert_eq!(web.state(who).await, SubscriptionState::Active);
}

#[tokio::test]
async fn mailbox_providers_leave_with_one_post_of_either_kind() {
    let web = Web::new().await;
    let kinds = [
        (FORM, "List-Unsubscribe=One-Click"),
        (MULTIPART, ONE_CLICK_PARTS),
        ("Multipart/Form-Data; boundary=\"cut\"", ONE_CLICK_PARTS),
    ];
    for (i, (kind, body)) in kinds.into_iter().enumerate() {
        let who = web.reader(&format!("r{i}@readers.example")).await;
        let answer = web
            .post(
                &web.path("unsubscribe", Purpose::Unsubscribe, who),
                kind,
                body,
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            answer.headers.get("location").is_none() && answer.headers.get("set-cookie").is_none()
        );
        assert_eq!(web.state(who).await, SubscriptionState::Unsubscribed);
        assert_eq!(consent(&web).await.0, "one-click");
    }
}

#[tokio::test]
async fn a_post_acts_whatever_its_body() {
    let web = Web::new().await;
    let bodies = [
        (FORM, String::new()),
        ("", String::new()),
        ("application/json", "{".into()),
        (MULTIPART, "--cut\r\nbroken".into()),
        ("multipart/form-data", String::new()),
        (FORM, "x".repeat(100_000)),
    ];
    for (i, (kind, body)) in bodies.into_iter().enumerate() {
        let who = web.reader(&format!("r{i}@readers.example")).await;
        let answer = web
            .post(
                &web.path("unsubscribe", Purpose::Unsubscribe, who),
                kind,
                &body,
            )
            .await;
        assert_eq!(
            (answer.status, web.state(who).await),
            (StatusCode::OK, SubscriptionState::Unsubscribed),
            "{kind}"
        );
    }
}

/// A body that begins and never ends.
struct Endless(Option<&'static str>);

impl hyper::body::Body for Endless {
    type Data = hyper::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<hyper::body::Bytes>, Self::Error>>> {
        match self.0.take() {
            Some(start) => {
                let frame =
                    hyper::body::Frame::data(hyper::body::Bytes::from_static(start.as_bytes()));
                std::task::Poll::Ready(Some(Ok(frame)))
            }
            None => std::task::Poll::Pending,
        }
    }
}

fn endless(path: &str, kind: &str) -> Request {
    let body = axum::body::Body::new(Endless(Some("List-")));
    Request::post(path)
        .header("content-type", kind)
        .body(body)
        .unwrap()
}

#[tokio::test]
async fn a_post_acts_though_its_body_never_comes() {
    let web = Web::new().await;
    for (i, kind) in [FORM, MULTIPART].into_iter().enumerate() {
        let who = web.reader(&format!("r{i}@readers.example")).await;
        let path = web.path("unsubscribe", Purpose::Unsubscribe, who);
        let answer = web.send(endless(&path, kind)).await;
        assert_eq!(
            (answer.status, web.state(who).await),
            (StatusCode::OK, SubscriptionState::Unsubscribed)
        );
    }
}

#[tokio::test]
async fn a_post_acts_though_its_client_goes_away() {
    let web = Web::new().await;
    let who = web.reader("a@readers.example").await;
    let path = web.path("unsubscribe", Purpose::Unsubscribe, who);
    let asking = web.send(endless(&path, FORM));
    let gone = tokio::time::timeout(Duration::from_millis(300), asking).await;
    assert!(gone.is_err(), "it was answered before the client went");
    let mut changes = web.store.changes();
    while web.state(who).await != SubscriptionState::Unsubscribed {
        changes.changed().await.unwrap();
    }
}

#[tokio::test]
async fn links_work_with_what_mail_programs_hang_on_them() {
    let web = Web::new().await;
    let hung_on = [
        "/",
        ".",
        ")",
        "%3E",
        ",",
        ";",
        "%22",
        "=",
        "%20",
        "%0D%0A",
        "%E2%80%8B",
        "%23x",
        "&amp;x=1",
        "?x=y",
        "/%20",
        "].",
    ];
    for (i, tail) in hung_on.into_iter().enumerate() {
        let who = web.reader(&format!("t{i}@readers.example")).await;
        let path = web.path("unsubscribe", Purpose::Unsubscribe, who) + tail;
        leaves_by(&web, &path, who).await;
    }
    type Write = fn(&str, &str) -> String;
    let written: [Write; 6] = [
        |start, end| format!("/unsubscribe/%3C{start}{end}"),
        |start, end| format!("//unsubscribe/{start}{end}"),
        |start, end| format!("/Unsubscribe/{start}{end}"),
        |start, end| format!("/unsubscribe//{start}{end}/"),
        |start, end| format!("/unsubscribe/{start}%20{end}"),
        |start, end| format!("/unsubscribe/{start}%0D%0A{end}."),
    ];
    for (i, write) in written.into_iter().enumerate() {
        let who = web.reader(&format!("w{i}@readers.example")).await;
        let path = web.path("unsubscribe", Purpose::Unsubscribe, who);
        let token = path.rsplit('/').next().unwrap();
        let (start, end) = token.split_at(11);
        leaves_by(&web, &write(start, end), who).await;
    }
}

/// The page opens and changes nothing, and one click leaves.
async fn leaves_by(web: &Web, path: &str, who: SubscriberId) {
    let page = web.get(path).await;
    assert_eq!(
        (page.status, page.count("form")),
        (StatusCode::OK, 1),
        "{path}"
    );
    assert_eq!(web.state(who).await, SubscriptionState::Active, "{path}");
    let done = web.post(path, FORM, "List-Unsubscribe=One-Click").await;
    assert_eq!(done.status, StatusCode::OK, "{path}");
    assert_eq!(
        web.state(who).await,
        SubscriptionState::Unsubscribed,
        "{path}"
    );
}

#[tokio::test]
async fn confirming_and_undoing_tolerate_the_same() {
    let web = Web::new().await;
    let who = web.pending("new@readers.example").await;
    let path = web
        .path("confirm", Purpose::Confirm, who)
        .replace("confirm", "Confirm");
    assert_eq!(
        web.post(&format!("/{path}%3E."), FORM, "").await.status,
        StatusCode::OK
    );
    assert_eq!(web.state(who).await, SubscriptionState::Active);
    let leave = web.path("unsubscribe", Purpose::Unsubscribe, who);
    web.post(&leave, FORM, "").await;
    let undo = web.path("undo", Purpose::Undo, who);
    assert_eq!(
        web.post(&format!("{undo}%20"), FORM, "").await.status,
        StatusCode::OK
    );
    assert_eq!(web.state(who).await, SubscriptionState::Active);
}

#[tokio::test]
async fn forged_and_foreign_links_remove_nobody() {
    let web = Web::new().await;
    let who = web.reader("a@readers.example").await;
    let path = web.path("unsubscribe", Purpose::Unsubscribe, who);
    let bad = [
        web.path("unsubscribe", Purpose::Confirm, who),
        web.path("unsubscribe", Purpose::Undo, who),
        path[..path.len() - 6].to_owned(),
        format!("{path}A"),
        "/unsubscribe/x".into(),
        "/unsubscribe/%FF".into(),
    ];
    for path in bad {
        for answer in [
            web.get(&path).await,
            web.post(&path, FORM, "List-Unsubscribe=One-Click").await,
        ] {
            assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
            is_strict(&answer);
        }
    }
    assert_eq!(web.state(who).await, SubscriptionState::Active);
}

#[tokio::test]
async fn the_links_of_a_test_copy_do_nothing() {
    let web = Web::new().await;
    let who = web.reader("a@readers.example").await;
    let inert = web
        .links
        .inert(web.lists["weekly"])
        .url(Purpose::Unsubscribe);
    let inert = inert.strip_prefix("https://letters.example").unwrap();
    for path in [
        inert,
        "/unsubscribe/preview",
        "/confirm/preview",
        "/undo/preview",
    ] {
        for answer in [
            web.get(path).await,
            web.post(path, FORM, "List-Unsubscribe=One-Click").await,
        ] {
            assert_eq!(
                (answer.status, answer.text("h1").as_str()),
                (StatusCode::OK, "This link is from a test copy")
            );
            is_strict(&answer);
        }
    }
    assert_eq!(web.state(who).await, SubscriptionState::Active);
}

#[tokio::test]
async fn one_can_leave_a_list_that_the_settings_no_longer_name() {
    let web = Web::with(vec![list("weekly", "W")], &["old"]).await;
    let who = web.reader_of("old", "a@readers.example").await;
    let path = format!(
        "/unsubscribe/{}",
        web.links.token(Purpose::Unsubscribe, web.lists["old"], who)
    );
    assert_eq!(web.get(&path).await.status, StatusCode::OK);
    let done = web.post(&path, FORM, "").await;
    assert_eq!((done.status, done.count("form")), (StatusCode::OK, 0));
    assert_eq!(web.state(who).await, SubscriptionState::Unsubscribed);
}

#[tokio::test]
async fn who_is_no_longer_known_has_left_already() {
    let web = Web::new().await;
    let path = web.path("unsubscribe", Purpose::Unsubscribe, SubscriberId(999));
    assert_eq!(web.get(&path).await.status, StatusCode::GONE);
    assert_eq!(
        web.post(&path, FORM, "List-Unsubscribe=One-Click")
            .await
            .status,
        StatusCode::OK
    );
    let done = web.post(&path, FORM, "").await;
    assert_eq!(
        done.text(".lede"),
        "Done. This address will get no further issues."
    );
}
