//! Each mail of an issue has an envelope sender of its own, which tells who bounced.

use letterpress::model::Address;

use crate::fixture::Newsletter;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mail_has_an_envelope_sender_that_tells_who_bounced() {
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 3).await;
    newsletter.listing.bounce_address = Some(Address::parse("bounce@letters.example").unwrap());
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 3);
    for mail in server.mails() {
        let local = mail.sender.strip_suffix("@letters.example").unwrap();
        assert!(
            local.len() <= 64 && local == local.to_ascii_lowercase(),
            "{local}"
        );
        let token = local.strip_prefix("bounce+").unwrap();
        let who = newsletter.fate(issue, &mail.rcpt).await.subscriber;
        assert_eq!(
            newsletter.links.bounce_token(issue, who).as_deref(),
            Some(token)
        );
    }
    sender.stop().await;
}
