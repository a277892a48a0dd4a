//! Several faults mixed lose and double nobody.

use crate::fixture::Newsletter;
use crate::scripts::mixed_faults;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_faults_mixed_lose_and_double_nobody() {
    let server = Server::start(mixed_faults).await;
    let newsletter = Newsletter::new(&server, 120).await;
    newsletter.survives_mixed_faults(&server).await;
}
