//! Mails are signed by the pair that the database names, and a running sender follows a change of it.

use letterpress::delivery::Algorithm;
use letterpress::mail::dkim::keys::Pair;
use letterpress::model::delivery::State;

use crate::fixture::{Newsletter, is_paused};
use crate::server::Server;

fn selectors(mail: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(mail);
    let head = text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    head.lines()
        .filter(|line| line.starts_with("DKIM-Signature:"))
        .map(|line| {
            line.split("; s=")
                .nth(1)
                .or(line.split(" s=").nth(1))
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .into()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mail_bears_both_signatures_of_the_pair_in_use() {
    let server = Server::usual().await;
    let newsletter = Newsletter::new(&server, 3).await;
    let folder = &newsletter.settings.dkim;
    for _ in 0..2 {
        Pair::create(folder, "letters.example").unwrap();
    }
    newsletter
        .store
        .use_dkim_selector("letters.example", "lp1", newsletter.clock.now())
        .await
        .unwrap();
    let sender = newsletter.serve();
    let first = newsletter.send(1).await;
    newsletter.settle(first, &server).await;
    assert!(
        server
            .mails()
            .iter()
            .all(|mail| selectors(&mail.bytes) == ["lp1r", "lp1e"])
    );
    newsletter
        .store
        .use_dkim_selector("letters.example", "lp2", newsletter.clock.now())
        .await
        .unwrap();
    let second = newsletter.send(2).await;
    newsletter.settle(second, &server).await;
    assert!(
        server.mails()[3..]
            .iter()
            .all(|mail| selectors(&mail.bytes) == ["lp2r", "lp2e"])
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_says_which_signatures_its_mails_bear() {
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 3).await;
    Pair::create(&newsletter.settings.dkim, "letters.example").unwrap();
    newsletter
        .store
        .use_dkim_selector("letters.example", "lp1", newsletter.clock.now())
        .await
        .unwrap();
    for (number, algorithms, wanted) in [
        (1, &[Algorithm::Rsa][..], vec!["lp1r"]),
        (2, &[Algorithm::Ed25519], vec!["lp1e"]),
        (3, &[], vec![]),
    ] {
        newsletter.settings.relays[0].dkim.algorithms = algorithms;
        let before = server.mails().len();
        let sender = newsletter.serve();
        let issue = newsletter.send(number).await;
        newsletter.settle(issue, &server).await;
        let mails = server.mails();
        assert_eq!(mails.len(), before + 3);
        for mail in &mails[before..] {
            assert_eq!(selectors(&mail.bytes), wanted);
        }
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_key_an_issue_pauses() {
    let server = Server::usual().await;
    let newsletter = Newsletter::new(&server, 3).await;
    newsletter
        .store
        .use_dkim_selector("letters.example", "lp9", newsletter.clock.now())
        .await
        .unwrap();
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.until(issue, "the pause", is_paused).await;
    assert!(row.reason.unwrap().to_string().contains("lp9r.pem"));
    assert_eq!(newsletter.agree(issue, &server).await[&State::Queued], 3);

    // The author puts it there, and resumes.
    let made = Pair::create(&newsletter.settings.dkim, "letters.example")
        .unwrap()
        .stem;
    for kind in ["r", "e"] {
        let file = |stem: &str| {
            newsletter
                .settings
                .dkim
                .join("letters.example")
                .join(format!("{stem}{kind}.pem"))
        };
        std::fs::rename(file(&made), file("lp9")).unwrap();
    }
    newsletter.resume(issue).await;
    newsletter.settle(issue, &server).await;
    assert!(
        server
            .mails()
            .iter()
            .all(|mail| selectors(&mail.bytes) == ["lp9r", "lp9e"])
    );
    sender.stop().await;
}
