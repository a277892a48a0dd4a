//! One mail through a relay, outside the ledger: the author's test copy.

use std::sync::Arc;

use super::relay::RelayState;
use super::{Relay, Settings};
use crate::model::Address;
use crate::model::reply::Diagnostic;
use crate::smtp::{Envelope, EnvelopeReply, Verdict, WaitingFor};

/// Sends one mail, complete as `mail::Template` wrote it, and gives the server's reply.
///
/// # Errors
/// One sentence that names the relay, with the server's words and, where the author can fix it, what to do.
pub async fn send_one(
    relay: &Relay,
    settings: &Settings,
    sender: &Address,
    recipient: &Address,
    mail: &[u8],
) -> Result<Diagnostic, String> {
    let state = RelayState::new(relay.clone(), settings, Arc::default());
    let at = &relay.endpoint;
    let wait = state.stalls.begin(WaitingFor::Connection);
    let mut client = state
        .connect(&wait)
        .await
        .map_err(|error| error.to_string())?;
    let utf8 = recipient.needs_smtputf8() || sender.needs_smtputf8() || !mail.is_ascii();
    let envelope = Envelope {
        sender: sender.as_str(),
        recipient: recipient.as_str(),
        utf8,
        size_bytes: mail.len(),
    };
    let answered = client.send_envelope(&envelope).await;
    match answered.map_err(|why| format!("{at} lost the connection: {why}"))? {
        EnvelopeReply::Ready => {}
        EnvelopeReply::Rejected { step, reply, .. } => {
            client.quit().await;
            return Err(format!(
                "{at} answers {} with “{}”",
                step.word(),
                reply.text()
            ));
        }
        EnvelopeReply::NeedsUtf8 => {
            client.quit().await;
            return Err(format!(
                "{at} takes no address beyond ASCII (SMTPUTF8), such as {recipient}"
            ));
        }
    }
    let with_dot = [mail, b".\r\n"].concat();
    let content = client.send_content(&with_dot, with_dot.len()).await;
    let (reply, verdict) = content.map_err(|lost| {
        let arrived = if lost.after_dot {
            "; the copy may have arrived all the same"
        } else {
            ""
        };
        format!("{at} lost the connection: {}{arrived}", lost.why)
    })?;
    client.quit().await;
    match verdict {
        Verdict::Positive => Ok(reply.diagnostic()),
        _ => Err(format!("{at} answers the mail with “{}”", reply.text())),
    }
}
