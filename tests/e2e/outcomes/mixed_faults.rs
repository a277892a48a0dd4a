//! Several faults mixed lose and double nobody.

use crate::fixture::Newsletter;
use crate::scripts::mixed_faults;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_faults_mixed_lose_and_double_nobody() {
    let server = Server::start(mixed_faults).await;
    let newsletter = Newsletter::new(&server, 120).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let totals = newsletter.settle(issue, &server).await.totals;
    assert!(
        totals.sent > 60 && totals.failed > 0 && totals.uncertain > 0,
        "{totals:?}"
    );
    sender.stop().await;
}
