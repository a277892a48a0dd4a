//! A worker's connection: opened when there is something to send, renewed when it has served its time, given up.

use std::sync::Arc;

use super::Worker;
use crate::delivery::relay::RelayState;
use crate::smtp::{Client, ConnectError, WaitingFor};

/// An open connection, counted among those of its relay for as long as it is held.
pub(super) struct Line {
    pub connection: Client,
    relay: Arc<RelayState>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.relay.closed();
    }
}

impl Worker {
    /// Whether a connection may be used for one more mail after `open` that are not answered yet.
    pub(crate) fn is_good(&self, line: &Client, open: u32) -> bool {
        let most = self.relay.relay.endpoint.messages_per_connection;
        !line.closing && (most == 0 || line.served + open < most)
    }

    /// Sees to it that there is a connection.
    pub(crate) async fn reach(&mut self) -> Result<(), ConnectError> {
        if self
            .line
            .as_ref()
            .is_some_and(|line| !self.is_good(&line.connection, 0))
        {
            self.flush().await;
            self.hang_up().await;
        }
        if let Some(line) = &mut self.line
            && !line.connection.is_open().await
        {
            self.line = None;
            self.flush().await;
        }
        if self.line.is_none() {
            let wait = self.relay.stalls.begin(WaitingFor::Connection);
            let opened = self.relay.connect(&wait).await;
            drop(wait);
            let connection = opened?;
            self.relay.opened();
            self.relay.learn_utf8(connection.takes_utf8());
            self.line = Some(Line {
                connection,
                relay: self.relay.clone(),
            });
        }
        Ok(())
    }

    /// Closes it in order, where there is one.
    pub(crate) async fn hang_up(&mut self) {
        if let Some(mut line) = self.line.take() {
            line.connection.quit().await;
        }
    }
}
