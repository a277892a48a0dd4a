//! The links of a received mail lead somewhere: looking changes nothing, one click leaves.

use crate::newsletter::{Newsletter, until};
use crate::received;
use crate::sink::Sink;
use crate::web::{get, path_of, post};

fn state_of(newsletter: &Newsletter, email: &str) -> String {
    let people = newsletter.ok(&["subscribers", "list", "--json"]).json();
    let person = people
        .into_iter()
        .find(|p| p["email"] == email)
        .expect("the person is known");
    person["state"].as_str().unwrap().to_owned()
}

#[test]
fn looking_changes_nothing_and_one_click_leaves() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&sink.relay());
    let readers = newsletter.people(2);
    newsletter.serve();
    newsletter.ok(&["send", "issues/001.md", "--wait", "--yes"]);
    until("both mails to be written", || sink.mails().len() == 2);
    let mails = sink.mails();
    let (who, raw) = mails.iter().find(|(who, _)| *who == readers[0]).unwrap();
    let mail = received::parse(raw);
    received::assert_well_formed(&mail);
    assert_eq!(received::to(&mail), *who);

    // A scanner follows every link of ours; nothing changes.
    let html = mail.body_html(0).unwrap();
    let ours = format!("http://127.0.0.1:{}/", newsletter.web);
    let links: Vec<&str> = html
        .split('"')
        .filter(|part| part.starts_with(&ours))
        .collect();
    assert!(!links.is_empty());
    for link in links {
        let link = link.replace("&amp;", "&");
        let answer = get(newsletter.web, path_of(&link, newsletter.web)).unwrap();
        assert_eq!(answer.status, 200, "{link}: {}", answer.body);
    }
    assert_eq!(state_of(&newsletter, who), "active");

    // RFC 8058: acts at once, without a redirect.
    let url = received::unsubscribe_url(&mail);
    let answer = post(
        newsletter.web,
        path_of(&url, newsletter.web),
        "List-Unsubscribe=One-Click",
    )
    .unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(state_of(&newsletter, who), "unsubscribed");
    assert_eq!(state_of(&newsletter, &readers[1]), "active");

    // The keys of links are rotated: old links go on working.
    newsletter.ok(&["keys", "rotate"]);
    let other = mails.iter().find(|(who, _)| *who == readers[1]).unwrap();
    let url = received::unsubscribe_url(&received::parse(&other.1));
    assert_eq!(
        get(newsletter.web, path_of(&url, newsletter.web))
            .unwrap()
            .status,
        200
    );
    assert_eq!(newsletter.stop(), 0);
}
