//! An issue to nobody is done at once.

use letterpress::model::sending::IssueState;

use crate::fixture::Newsletter;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issue_to_nobody_is_done() {
    let server = Server::usual().await;
    let newsletter = Newsletter::new(&server, 0).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.settle(issue, &server).await;
    assert_eq!((row.state, row.totals.planned()), (IssueState::Done, 0));
    assert_eq!(server.connections(), 0);
    sender.stop().await;
}
