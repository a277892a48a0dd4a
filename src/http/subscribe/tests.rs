use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use std::net::SocketAddr;

use crate::http::testing::{FORM, JSON, Web, is_strict, list};
use crate::model::clock::Clock as _;
use crate::model::rendered::{Context, MergeField, Piece, Purpose};
use crate::model::subscription::SubscriptionState;
use crate::model::{Address, Rendered};

async fn state(web: &Web, email: &str) -> Option<SubscriptionState> {
    let found = web
        .store
        .find_subscriber(&Address::parse(email).unwrap())
        .await
        .unwrap();
    found.and_then(|s| s.subscriptions.first().map(|s| s.state))
}

#[tokio::test]
async fn the_form_says_what_one_gets_and_asks_for_an_address() {
    let web = Web::new().await;
    let page = web.get("/subscribe").await;
    assert_eq!(page.status, StatusCode::OK);
    is_strict(&page);
    assert_eq!(page.text("h1"), "The week's proofs, every Sunday");
    assert_eq!(page.text("title"), "Subscribe · The Weekly Proof");
    assert_eq!(page.text("label[for=email]"), "Email address");
    assert_eq!(page.count("form[method=post]"), 1);
    assert_eq!(page.attribute("input[name=list]", "value"), "weekly");
    assert_eq!(web.head("/subscribe").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_last_three_issues_stand_beside_the_form() {
    let web = Web::new().await;
    assert_eq!(web.get("/subscribe").await.count("ol"), 0);
    let at = |day: i8| {
        jiff::civil::date(2021, 7, day)
            .at(23, 0, 0, 0)
            .in_tz("UTC")
            .unwrap()
            .timestamp()
    };
    for (number, title, day) in [
        (Some(20), "Old", 3),
        (Some(22), "A <title>", 24),
        (Some(21), "B", 17),
        (None, "C", 10),
    ] {
        web.store
            .put_past_issue(web.lists["weekly"], number, title, at(day))
            .await;
    }
    let page = web.get("/subscribe").await;
    is_strict(&page);
    assert_eq!(page.count("ol li"), 3);
    assert_eq!(
        page.text("ol li:first-child"),
        "No. 22A <title>25 July 2021"
    );
    assert_eq!(page.text("ol li:last-child"), "C11 July 2021");
    assert_eq!(page.count("ol a"), 0);
}

#[tokio::test]
async fn known_and_unknown_addresses_are_answered_alike() {
    let web = Web::new().await;
    web.reader("known@readers.example").await;
    let mut answers = Vec::new();
    for email in [
        "known@readers.example",
        "new@readers.example",
        "new@readers.example",
    ] {
        let form = web
            .post(
                "/subscribe",
                FORM,
                &format!("email={email}&name=N&list=weekly"),
            )
            .await;
        let json = web
            .post(
                "/subscribe",
                JSON,
                &format!(r#"{{"email":"{email}","name":"N","list":"weekly"}}"#),
            )
            .await;
        for answer in [&form, &json] {
            assert_eq!(answer.status, StatusCode::ACCEPTED);
        }
        is_strict(&form);
        answers.push([form.body, json.body].map(|b| b.replace(email, "…")));
    }
    assert!(answers.iter().all(|a| *a == answers[0]));
    assert!(answers[0][0].contains("<h1>Check your mail</h1>"));
    assert!(answers[0][0].contains("The button works for three days."));
    assert_eq!(
        state(&web, "known@readers.example").await,
        Some(SubscriptionState::Active)
    );
    assert_eq!(
        state(&web, "new@readers.example").await,
        Some(SubscriptionState::Pending)
    );
}

#[tokio::test]
async fn the_mail_says_until_when_it_can_be_confirmed_and_from_where_it_was_asked_for() {
    let web = Web::new().await;
    web.post("/subscribe", FORM, "email=new@readers.example&name=Zoe")
        .await;
    let (now, later) = (web.clock.now(), jiff::Timestamp::MAX);
    let (waiting, _) = web
        .store
        .waiting_system_mails(now, later, &[web.lists["weekly"]], 9)
        .await
        .unwrap();
    let text = format!("{:?}", waiting[0].rendered.text);
    // 72 hours after 24 November, 18:14 in Tokyo; the visitor is 192.0.2.77.
    for wanted in [
        "until Friday, 27 November, 18:14 (Tokyo).",
        "from 192.0.2.0/24 on 24 November 2026.",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in {text}");
    }
    assert!(
        !text.contains("Zoe") && !text.contains("192.0.2.77"),
        "{text}"
    );
}

#[tokio::test]
async fn the_rest_between_two_questions_is_the_lists_own() {
    let mut hourly = list("weekly", "The Weekly Proof");
    hourly.confirm_again_after = std::time::Duration::from_secs(90 * 60);
    let web = Web::with(vec![hourly], &[]).await;
    let mut asked = Vec::new();
    for _ in 0..3 {
        web.post("/subscribe", FORM, "email=new@readers.example")
            .await;
        let email = Address::parse("new@readers.example").unwrap();
        let who = web.store.find_subscriber(&email).await.unwrap().unwrap().id;
        asked.push(web.store.consent_history(who).await.unwrap().len());
        web.wait(1);
    }
    assert_eq!(
        asked,
        [1, 1, 2],
        "asked again after two hours, not after one"
    );
}

#[tokio::test]
async fn an_address_that_can_not_be_is_named_and_kept() {
    let web = Web::new().await;
    let page = web
        .post("/subscribe", FORM, "email=mei%40example&list=weekly")
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    is_strict(&page);
    assert_eq!(
        page.text("#email-error"),
        "This address has no ending such as .com. Please check the part after @."
    );
    assert_eq!(page.attribute("#email", "value"), "mei@example");
    assert_eq!(page.attribute("#email", "aria-describedby"), "email-error");
    assert_eq!(page.attribute("#email", "aria-invalid"), "true");
    assert!(page.text("title").starts_with("Error: "));
    let empty = web.post("/subscribe", FORM, "name=N").await;
    assert_eq!(
        empty.text("#email-error"),
        "Please enter your address, such as mei@example.com."
    );
}

#[tokio::test]
async fn what_is_typed_stays_text() {
    let web = Web::new().await;
    let body = "email=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%40x";
    let page = web.post("/subscribe", FORM, body).await;
    assert_eq!(
        page.attribute("#email", "value"),
        "\"><script>alert(1)</script>@x"
    );
    is_strict(&page);
}

#[tokio::test]
async fn json_gets_json_that_says_what_is_wrong() {
    let web = Web::new().await;
    for (body, status, code) in [
        (r#"{"email":"no-at-sign"}"#, 422, "invalid"),
        (
            r#"{"email":"x@readers.example","list":"none"}"#,
            404,
            "unknown_list",
        ),
        (r#"{"name":"N"}"#, 422, "invalid"),
        (r#"{"email":5}"#, 400, "malformed"),
        ("\"x\"", 400, "malformed"),
        ("{", 400, "malformed"),
        ("", 400, "malformed"),
    ] {
        let answer = web.post("/subscribe", JSON, body).await;
        let said: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            (answer.status.as_u16(), said["error"]["code"].as_str()),
            (status, Some(code)),
            "{body}"
        );
        assert!(
            said["error"]["message"]
                .as_str()
                .unwrap()
                .ends_with(['.', '}']),
            "{said}"
        );
        assert_eq!(answer.header("content-type"), JSON);
    }
    let field = web
        .post("/subscribe", JSON, r#"{"email":"no-at-sign"}"#)
        .await;
    assert!(
        field.body.contains(r#""field":"email""#) && field.body.contains("This address has no @.")
    );
}

/// A field of a form in parts, whose boundary is `x`.
fn part(name: &str, value: &str) -> String {
    format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

#[tokio::test]
async fn a_form_in_parts_is_taken_and_a_script_gets_json_where_it_asks_for_it() {
    let web = Web::new().await;
    let body = |email: &str| {
        let fields = [part("email", email), part("name", "Ann"), part("more", "y")];
        format!("{}--x--\r\n", fields.concat())
    };
    let kind = "multipart/form-data; boundary=x";
    let page = web
        .post("/subscribe", kind, &body("a@readers.example"))
        .await;
    assert_eq!(
        (page.status.as_u16(), page.text("h1").as_str()),
        (202, "Check your mail")
    );
    assert_eq!(
        state(&web, "a@readers.example").await,
        Some(SubscriptionState::Pending)
    );
    for (email, status, holds) in [
        ("b@readers.example", 202, "message"),
        ("no", 422, "invalid"),
    ] {
        let request = Request::post("/subscribe")
            .header("content-type", kind)
            .header("accept", "application/json")
            .body(Body::from(body(email)));
        let answer = web.send(request.unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (status, JSON)
        );
        assert!(answer.body.contains(holds), "{}", answer.body);
    }
}

#[tokio::test]
async fn other_bodies_are_refused_with_a_page() {
    let web = Web::new().await;
    for (kind, body, status) in [
        ("text/plain", "email=a@b.example", 415),
        ("", "email=a@b.example", 415),
        ("multipart/form-data; boundary=x", "--x--", 422),
        ("multipart/form-data", "--x--", 400),
        ("multipart/form-data; boundary=x", "--x\r\nbroken", 400),
        (
            "multipart/form-data; boundary=x",
            &part("name", &"x".repeat(20_000)),
            413,
        ),
        (
            "multipart/form-data; boundary=x",
            &[part("email", "a@b.example"), part("email", "c@d.example")].concat(),
            400,
        ),
        (FORM, "email=a%40b.example&email=c%40d.example", 400),
        (
            FORM,
            &format!("email=a%40b.example&name={}", "x".repeat(20_000)),
            413,
        ),
        (
            FORM,
            &format!("email=a%40b.example&name={}", "x".repeat(201)),
            422,
        ),
        (FORM, "email=a%40b.example&list=none", 404),
    ] {
        let answer = web.post("/subscribe", kind, body).await;
        assert_eq!(answer.status.as_u16(), status, "{kind} {body:.30}");
        is_strict(&answer);
    }
    assert_eq!(state(&web, "a@b.example").await, None);
}

#[tokio::test]
async fn where_there_are_several_lists_one_must_be_named() {
    let web = Web::with(
        vec![
            list("weekly", "The Weekly Proof"),
            list("daily", "每日新闻"),
        ],
        &[],
    )
    .await;
    let choice = web.get("/subscribe").await;
    assert_eq!(
        (choice.status, choice.text("h1").as_str()),
        (StatusCode::OK, "Which newsletter?")
    );
    is_strict(&choice);
    assert_eq!(choice.count("main a[href^='/subscribe?list=']"), 2);
    assert_eq!(
        web.get("/subscribe?list=daily")
            .await
            .attribute("input[name=list]", "value"),
        "daily"
    );
    assert_eq!(
        web.get("/subscribe?list=none").await.status,
        StatusCode::NOT_FOUND
    );
    let unnamed = web
        .post("/subscribe", JSON, r#"{"email":"a@readers.example"}"#)
        .await;
    assert_eq!(unnamed.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unnamed.body.contains("which_list"));
    assert_eq!(
        web.post("/subscribe", FORM, "email=a%40readers.example&list=daily")
            .await
            .status,
        202
    );
}

#[tokio::test]
async fn names_lose_line_breaks_and_controls() {
    let web = Web::new().await;
    web.post(
        "/subscribe",
        FORM,
        "email=a%40readers.example&name=%20Ann%0D%0A%09B%00%20C%20",
    )
    .await;
    let found = web
        .store
        .find_subscriber(&Address::parse("a@readers.example").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.name, "Ann B C");
}

fn from(peer: [u8; 4], forwarded: &str, n: usize) -> Request<Body> {
    let mut request = Request::post("/subscribe")
        .header("content-type", JSON)
        .header("x-forwarded-for", forwarded)
        .body(Body::from(format!(r#"{{"email":"p{n}@readers.example"}}"#)))
        .unwrap();
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from((peer, 4000))));
    request
}

#[tokio::test]
async fn a_network_may_sign_up_twenty_times_a_minute() {
    let web = Web::new().await;
    for n in 0..20_u8 {
        // Another address of the same network, and a header that a stranger may write as they like.
        let answer = web
            .send(from([192, 0, 2, n], &format!("203.0.{n}.1"), n.into()))
            .await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    let refused = web.send(from([192, 0, 2, 99], "198.51.100.1", 20)).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert!(refused.body.contains("too_many"));
    assert_eq!(
        web.send(from([192, 0, 3, 1], "", 21)).await.status,
        StatusCode::ACCEPTED
    );
    // Behind a trusted proxy, what it says counts.
    assert_eq!(
        web.send(from([10, 0, 0, 1], "192.0.2.5", 22)).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        web.send(from([10, 0, 0, 1], "192.0.2.5, 198.51.100.9", 23))
            .await
            .status,
        StatusCode::ACCEPTED
    );
    let page = web
        .post("/subscribe", FORM, "email=a%40readers.example")
        .await;
    assert_eq!(page.text("h1"), "Too many sign-ups from your network");
    assert_eq!(web.get("/subscribe").await.status, StatusCode::OK);
}

#[tokio::test]
async fn below_a_path_links_begin_with_it() {
    let web = Web::below(
        "https://example.org/letters/",
        vec![list("weekly", "W")],
        &[],
    )
    .await;
    let page = web.get("/subscribe").await;
    assert!(
        page.attribute("link[rel=stylesheet]", "href")
            .starts_with("/letters/style-")
    );
    assert_eq!(page.attribute("form", "action"), "/letters/subscribe");
    assert_eq!(web.get("/").await.header("location"), "/letters/subscribe");
}

#[tokio::test]
async fn a_proxy_may_leave_the_path_of_public_url_on_the_address() {
    let web = Web::below(
        "https://example.org/letters",
        vec![list("weekly", "W")],
        &[],
    )
    .await;
    let page = web.get("/letters/subscribe?list=weekly").await;
    assert_eq!(page.status, StatusCode::OK);
    let style = page.attribute("link[rel=stylesheet]", "href");
    assert_eq!(web.get(&style).await.status, StatusCode::OK);
    assert_eq!(web.get("/letters/healthz").await.body, "ok\n");
    let root = web.get("/letters").await;
    assert_eq!(root.header("location"), "/letters/subscribe");
    let form = web
        .post("/letters/subscribe", FORM, "email=a%40readers.example")
        .await;
    assert_eq!(form.status, StatusCode::ACCEPTED);
    assert_eq!(
        web.get("/lettersubscribe").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn where_too_many_have_not_confirmed_nobody_else_may_sign_up() {
    let web = Web::new().await;
    web.site.unconfirmed.set(100_000);
    let answer = web
        .post("/subscribe", FORM, "email=a%40readers.example")
        .await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.text("h1"), "Too many sign-ups at the moment");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 60);
    assert_eq!(state(&web, "a@readers.example").await, None);
    web.site.unconfirmed.set(99_999);
    for status in [202, 429] {
        let body = format!("email=a{status}%40readers.example");
        let answer = web.post("/subscribe", FORM, &body).await;
        assert_eq!(answer.status.as_u16(), status);
    }
}

#[tokio::test]
async fn the_lists_own_words_bear_its_language() {
    let mut chinese = list("zh", "机器学习新闻");
    chinese.language = "zh-Hans".into();
    chinese.promise = String::new();
    chinese.description = "十来篇论文".into();
    let page = Web::with(vec![chinese], &[]).await.get("/subscribe").await;
    assert_eq!(
        (
            page.text("h1").as_str(),
            page.attribute("h1", "lang").as_str()
        ),
        ("机器学习新闻", "zh-Hans")
    );
    assert_eq!(page.attribute(".lede", "lang"), "zh-Hans");
    assert_eq!(page.attribute("header span", "lang"), "zh-Hans");
}

#[tokio::test]
async fn past_issues_show_their_subject_and_their_own_date() {
    let web = Web::new().await;
    let at = "2026-11-02T07:00:00Z".parse().unwrap();
    let content = Rendered {
        subject: vec![
            Piece::Text("Proofs for ".into()),
            Piece::Field {
                field: MergeField::Name {
                    default: "readers".into(),
                },
                context: Context::Text,
            },
        ],
        date: Some(jiff::civil::date(2026, 11, 1)),
        ..Rendered::empty()
    };
    web.store
        .put_past_issue(web.lists["weekly"], Some(22), "The Weekly Proof", at)
        .await;
    web.store.put_content("The Weekly Proof", &content).await;
    let page = web.get("/subscribe").await;
    assert_eq!(page.text("ol .title"), "Proofs for readers");
    assert_eq!(page.text("ol .facts"), "1 November 2026");
}

#[tokio::test]
async fn the_pages_speak_the_language_of_their_list() {
    for (language, dir, label, check, problem) in [
        (
            "de",
            "",
            "E-Mail-Adresse",
            "Sehen Sie in Ihr Postfach",
            "fehlt das @",
        ),
        ("ar", "rtl", "البريد الإلكتروني", "تفقّد بريدك", "علامة @"),
        (
            "ja",
            "",
            "メールアドレス",
            "メールをご確認ください",
            "@ がありません",
        ),
        // A language that Letterpress does not have: English, and it says so.
        ("it", "", "Email address", "Check your mail", "has no @"),
    ] {
        let mut weekly = list("weekly", "Proofs");
        weekly.language = language.into();
        let web = Web::with(vec![weekly], &[]).await;
        web.store
            .put_past_issue(web.lists["weekly"], Some(7), "Seven", web.clock.now())
            .await;
        let form = web.get("/subscribe").await;
        let spoken = if language == "it" { "en" } else { language };
        assert_eq!(form.attribute("html", "lang"), spoken);
        assert_eq!(form.attribute("html", "dir"), dir);
        assert_eq!(form.text("label"), label);
        assert_eq!(form.attribute("ol .title", "lang"), language);
        let sent = web
            .post("/subscribe", FORM, "email=new@readers.example")
            .await;
        assert_eq!(sent.text("h1"), check);
        let wrong = web.post("/subscribe", FORM, "email=new").await;
        let said = wrong.text("#email-error");
        assert!(said.contains(problem), "{said}");
    }
}

#[tokio::test]
async fn a_site_of_several_languages_is_english_but_for_the_pages_of_a_list() {
    let newsletter = |key, language: &str| {
        let mut one = list(key, key);
        one.language = language.into();
        one
    };
    let web = Web::with(
        vec![newsletter("weekly", "fr"), newsletter("daily", "ko")],
        &[],
    )
    .await;
    assert_eq!(web.get("/subscribe").await.attribute("html", "lang"), "en");
    assert_eq!(web.get("/nowhere").await.attribute("html", "lang"), "en");
    let daily = web.get("/subscribe?list=daily").await;
    assert_eq!(daily.attribute("html", "lang"), "ko");
    let who = web.reader("a@readers.example").await;
    web.wait(40 * 24);
    let never = web.get(&web.path("undo", Purpose::Unsubscribe, who)).await;
    assert_eq!(never.status, StatusCode::NOT_FOUND);
    assert_eq!(never.text("h1"), "Ce lien est incomplet");
    let same = Web::with(vec![newsletter("a", "ko"), newsletter("b", "ko")], &[]).await;
    assert_eq!(same.get("/nowhere").await.attribute("html", "lang"), "ko");
}
