//! A worker's open connection, and how many mails it has carried.

use std::collections::HashMap;
use std::sync::Arc;

use super::ready_queue::QueueId;
use super::relay::RelayState;
use crate::smtp::{Client, ConnectError, WaitingFor};

/// An open connection, counted among those of its relay for as long as it is held.
pub(super) struct Session {
    pub client: Client,
    relay: Arc<RelayState>,
    /// How many mails it carried to each provider that limits them.
    carried: HashMap<QueueId, u32>,
}

impl Session {
    /// Opens a connection to a relay.
    ///
    /// # Errors
    /// [`ConnectError`] tells whether to try later or to ask the author.
    pub(super) async fn open(relay: &Arc<RelayState>) -> Result<Session, ConnectError> {
        let _turn = relay.turn_to_log_in().await?;
        let wait = relay.stalls.begin(WaitingFor::Connection);
        let client = relay.connect(&wait).await?;
        relay.opened(client.takes_utf8());
        Ok(Session {
            client,
            relay: relay.clone(),
            carried: HashMap::new(),
        })
    }

    /// Whether it may carry one more mail, after `unanswered` ones whose answer is still expected.
    pub(super) fn has_room(&self, unanswered: u32) -> bool {
        let most = self.relay.relay.endpoint.messages_per_connection;
        let client = &self.client;
        !client.closing && (most == 0 || client.served + unanswered < most)
    }

    /// Whether it may carry one more mail of a queue, of which `most` may go on one connection (0: no limit).
    pub(super) fn has_room_for(&self, queue: QueueId, most: u32) -> bool {
        most == 0 || self.carried.get(&queue).is_none_or(|count| *count < most)
    }

    /// Counts a mail of a queue, of which `most` may go on one connection (0: no limit).
    pub(super) fn count(&mut self, queue: QueueId, most: u32) {
        if most > 0 {
            *self.carried.entry(queue).or_default() += 1;
        }
    }

    /// Closes it with QUIT.
    pub(super) async fn quit(mut self) {
        self.client.quit().await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.relay.closed();
    }
}
