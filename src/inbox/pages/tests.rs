use std::fs;

use axum::body::Body;
use axum::http::HeaderMap;
use scraper::{Html, Selector};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::*;

struct Pages {
    dir: TempDir,
    router: Router,
    sum: watch::Sender<Option<Sum>>,
    next: watch::Sender<Option<NextIssue>>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Pages {
    fn new() -> Pages {
        let dir = tempfile::tempdir().unwrap();
        let (sum, now) = watch::channel(None);
        let (next, ready) = watch::channel(Some(NextIssue {
            title: "No. 23".into(),
            command: "letterpress send issues/023.md".into(),
        }));
        let facts = DemoFacts {
            daemon_url: "http://127.0.0.1:8080".into(),
            next: ready,
            sum: now,
            zone: TimeZone::UTC,
        };
        let router = router(dir.path().to_owned(), facts);
        Pages {
            dir,
            router,
            sum,
            next,
        }
    }

    /// Puts a mail into `new/`, as if it had arrived so many seconds after the others.
    fn arrive(&self, name: &str, to: &str, subject: &str, second: u64) {
        let new = self.dir.path().join("new");
        fs::create_dir_all(&new).unwrap();
        let html = "<html lang=en><body><p><a href=\"https://e.example/\">x</a> <script>1</script></p></body></html>";
        let mail = format!(
            "From: E <e@letters.example>\r\nTo: {to}\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/plain\r\n\r\n\
             Words <b>as text</b>\r\n--c\r\nContent-Type: text/html\r\n\r\n{html}\r\n--c--\r\n"
        );
        let path = new.join(name);
        fs::write(&path, mail).unwrap();
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000 + second);
        fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(at)
            .unwrap();
    }

    async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (head, body) = self
            .router
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

impl Answer {
    fn all(&self, selector: &str) -> Vec<String> {
        let page = Html::parse_document(&self.body);
        let selector = Selector::parse(selector).unwrap();
        let found = page.select(&selector).map(|e| e.text().collect::<String>());
        found
            .map(|t| t.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    }

    fn attribute(&self, selector: &str, name: &str) -> String {
        let page = Html::parse_document(&self.body);
        let element = page
            .select(&Selector::parse(selector).unwrap())
            .next()
            .unwrap();
        element.value().attr(name).unwrap_or_default().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

#[tokio::test]
async fn an_empty_inbox_says_so_and_how_to_fill_it() {
    let page = Pages::new().get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("No mail yet."));
    assert_eq!(page.all(".next code"), ["letterpress send issues/023.md"]);
    assert_eq!(
        page.attribute(".bar .button", "href"),
        "http://127.0.0.1:8080/subscribe"
    );
    assert_eq!(page.all("script, style, [style]").len(), 0);
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
}

#[tokio::test]
async fn the_newest_mail_stands_first_and_is_open() {
    let pages = Pages::new();
    pages.arrive("1.a", "first@readers.example", "One", 0);
    pages.arrive("2.b", "second@readers.example", "Two", 5);
    pages.sum.send_replace(Some(Sum {
        totals: Totals {
            sent: 2,
            ..Totals::default()
        },
        rate_per_s: Some(61.0),
    }));
    let page = pages.get("/").await;
    assert_eq!(
        page.all(".list .to"),
        ["second@readers.example", "first@readers.example"]
    );
    assert_eq!(page.all(".list .time"), ["08:00:05", "08:00:00"]);
    assert_eq!(page.all("[aria-current=page] .subject"), ["Two"]);
    assert_eq!(page.all(".mail h2"), ["Two"]);
    assert_eq!(
        page.all(".sum"),
        ["2 planned = 2 sent · 0 failed · 61 mails/s"]
    );
    // One that arrives later is there on the next page, and one that is gone is not.
    pages.arrive("3.c", "third@readers.example", "Three", 9);
    fs::remove_file(pages.dir.path().join("new/1.a")).unwrap();
    assert_eq!(pages.get("/").await.all(".list .subject"), ["Three", "Two"]);
}

#[tokio::test]
async fn a_mail_is_shown_in_four_ways() {
    let pages = Pages::new();
    pages.arrive("1.a", "mei@readers.example", "=?utf-8?Q?Caf=C3=A9_<b>?=", 0);
    let html = pages.get("/mail/1.a").await;
    assert_eq!(html.all("h1"), ["Café <b>"]);
    assert!(html.all("p.facts")[0].starts_with(
        "to mei@readers.example · from E <e@letters.example> · 15 January 2027, 08:00:00 · 1 KB"
    ));
    assert_eq!(html.all(".tabs a"), ["HTML", "Text", "Headers", "Source"]);
    assert_eq!(html.attribute("iframe", "src"), "/mail/1.a/body");
    assert_eq!(html.attribute("iframe", "class"), "w600");
    assert_eq!(
        pages
            .get("/mail/1.a?width=375")
            .await
            .attribute("iframe", "class"),
        "w375"
    );
    assert_eq!(
        pages.get("/mail/1.a?view=text").await.all("pre"),
        ["Words <b>as text</b>"]
    );
    assert!(
        pages
            .get("/mail/1.a?view=headers")
            .await
            .all(".raw p")
            .contains(&"Subject: =?utf-8?Q?Caf=C3=A9_<b>?=".into())
    );
    assert!(pages.get("/mail/1.a?view=source").await.all("pre")[0].ends_with("--c--"));
    assert_eq!(
        pages
            .get("/mail/1.a?view=nonsense&width=9")
            .await
            .all(".tabs [aria-current]"),
        ["HTML"]
    );
}

#[tokio::test]
async fn a_mails_html_is_locked_in() {
    let pages = Pages::new();
    pages.arrive("1.a", "mei@readers.example", "x", 0);
    let body = pages.get("/mail/1.a/body").await;
    let policy = body.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("script-src"),
        "{policy}"
    );
    assert!(
        policy.contains("img-src http://127.0.0.1:8080/media/;")
            && policy.contains("sandbox allow-popups")
    );
    assert_eq!(body.header("x-frame-options"), "SAMEORIGIN");
    assert!(
        body.body.contains(
            "<a target=\"_blank\" rel=\"noopener noreferrer\" href=\"https://e.example/\">"
        )
    );
    assert!(
        !pages
            .get("/mail/1.a")
            .await
            .attribute("iframe", "sandbox")
            .contains("script")
    );
}

#[tokio::test]
async fn only_mails_of_the_list_can_be_opened() {
    let pages = Pages::new();
    pages.arrive("1.a", "mei@readers.example", "x", 0);
    fs::write(pages.dir.path().join("secret"), "x").unwrap();
    for path in [
        "/mail/2.b",
        "/mail/..%2fsecret",
        "/mail/..%2fsecret/body",
        "/mail/",
        "/secret",
    ] {
        assert_eq!(
            pages.get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn mails_are_found_by_address_and_subject_and_shown_by_the_hundred() {
    let pages = Pages::new();
    for n in 0..205_u64 {
        pages.arrive(
            &format!("{n}.x"),
            &format!("r{n}@readers.example"),
            if n == 7 { "Odd one" } else { "Issue" },
            n,
        );
    }
    assert_eq!(
        pages.get("/?find=ODD").await.all(".list .to"),
        ["r7@readers.example"]
    );
    assert_eq!(
        pages.get("/?find=R12%40").await.all(".list .to"),
        ["r12@readers.example"]
    );
    assert!(
        pages
            .get("/?find=nobody")
            .await
            .body
            .contains("No mail matches.")
    );
    let first = pages.get("/").await;
    assert_eq!(
        (first.all(".list li").len(), first.all(".turn a")),
        (100, vec!["Older".to_owned()])
    );
    let last = pages.get("/?page=3").await;
    assert_eq!(
        (last.all(".list li").len(), last.all(".turn a")),
        (5, vec!["Newer".to_owned()])
    );
    assert_eq!(pages.get("/?page=99").await.all(".list li").len(), 5);
    assert_eq!(
        pages
            .get("/?page=2&find=issue")
            .await
            .attribute(".turn a", "href"),
        "/?find=issue"
    );
}

#[tokio::test]
async fn the_sheet_is_small_and_may_be_kept() {
    let pages = Pages::new();
    let page = pages.get("/").await;
    let sheet = pages
        .get(&page.attribute("link[rel=stylesheet]", "href"))
        .await;
    assert!(sheet.status == StatusCode::OK && sheet.body.len() < 12 * 1024);
    assert!(sheet.header("cache-control").contains("immutable"));
    assert_eq!(
        pages.get("/icon.svg").await.header("content-type"),
        "image/svg+xml"
    );
}

#[tokio::test]
async fn the_next_issue_is_offered_until_it_is_sent() {
    let pages = Pages::new();
    assert!(pages.get("/").await.body.contains("No. 23 is ready."));
    pages.next.send_replace(None);
    assert!(!pages.get("/").await.body.contains("is ready"));
}
