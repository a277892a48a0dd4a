//! One mail through a relay, outside the ledger: the author's test copy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::relay::RelayState;
use super::{Relay, Settings};
use crate::model::Address;
use crate::model::reply::Diagnostic;
use crate::smtp::{
    ConnectError, ConnectionLost, Envelope, EnvelopeReply, LostAfterData, Reply, Step, Verdict,
    WaitingFor,
};

/// How often it is looked whether the server is silent.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a mail was not sent.
#[derive(Clone, Debug, PartialEq)]
pub enum NotSent {
    /// There is no connection to the relay.
    Connect(ConnectError),
    /// The connection broke before the content.
    LostBefore(ConnectionLost),
    /// The connection broke while the content was sent; the mail may have arrived.
    Lost(LostAfterData),
    /// The relay rejects a command, or the mail.
    Rejected {
        /// What was rejected.
        step: Step,
        /// The reply.
        reply: Reply,
    },
    /// The relay lacks SMTPUTF8 (RFC 6531), which an address or a header needs.
    NeedsUtf8,
}

/// Sends one mail, complete as `mail::Template` wrote it, and gives the server's reply. `silent` is called once where
/// the server says nothing for some seconds.
///
/// # Errors
/// [`NotSent`]
pub async fn send_one(
    relay: &Relay,
    settings: &Settings,
    (sender, recipient): (&Address, &Address),
    mail: &[u8],
    silent: impl FnOnce(WaitingFor),
) -> Result<Diagnostic, NotSent> {
    let state = RelayState::new(relay.clone(), settings, Arc::default());
    let utf8 = recipient.needs_smtputf8() || sender.needs_smtputf8() || !mail.is_ascii();
    let envelope = Envelope {
        sender: sender.as_str(),
        recipient: recipient.as_str(),
        utf8,
        size_bytes: mail.len(),
    };
    let sending = send(&state, &envelope, mail);
    tokio::pin!(sending);
    tokio::select! {
        sent = &mut sending => return sent,
        waiting_for = stalled(&state) => silent(waiting_for),
    }
    sending.await
}

/// Waits until the server has been silent for some seconds.
async fn stalled(state: &RelayState) -> WaitingFor {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Some(waiting_for) = state.stalls.stalled(Instant::now()) {
            return waiting_for;
        }
    }
}

async fn send(
    state: &RelayState,
    envelope: &Envelope<'_>,
    mail: &[u8],
) -> Result<Diagnostic, NotSent> {
    let wait = state.stalls.begin(WaitingFor::Connection);
    let mut client = state.connect(&wait).await.map_err(NotSent::Connect)?;
    wait.continue_with(WaitingFor::Reply);
    let answered = client.send_envelope(envelope).await;
    match answered.map_err(NotSent::LostBefore)? {
        EnvelopeReply::Ready => {}
        EnvelopeReply::Rejected { step, reply, .. } => {
            client.quit().await;
            return Err(NotSent::Rejected { step, reply });
        }
        EnvelopeReply::NeedsUtf8 => {
            client.quit().await;
            return Err(NotSent::NeedsUtf8);
        }
    }
    let with_dot = [mail, b".\r\n"].concat();
    let content = client.send_content(&with_dot, with_dot.len()).await;
    let (reply, verdict) = content.map_err(NotSent::Lost)?;
    client.quit().await;
    match verdict {
        Verdict::Positive => Ok(reply.diagnostic()),
        _ => Err(NotSent::Rejected {
            step: Step::Content,
            reply,
        }),
    }
}
