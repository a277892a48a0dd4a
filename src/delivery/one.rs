//! One mail through a relay, outside the ledger: the author's test copy.

use super::awaited::Wants;
use super::connection::{Connection, Offer, Offered};
use super::relay::RelayState;
use super::reply::Verdict;
use super::{Relay, Settings};
use crate::model::Address;
use crate::model::delivery::Reply;

/// Sends one mail, whole as `mail::Template` wrote it, and gives the server's answer.
///
/// # Errors
/// One sentence that names the relay, with the server's words and, where it is ours to mend, what to do.
pub async fn send_one(
    relay: &Relay,
    settings: &Settings,
    sender: &Address,
    recipient: &Address,
    mail: &[u8],
) -> Result<Reply, String> {
    let state = RelayState::new(relay.clone(), settings);
    let at = format!("{}:{}", relay.host, relay.port);
    let tls = state.tls.as_ref().map_err(|why| format!("{at}: {why}"))?;
    let waiting = state.awaited.begin(Wants::Connection);
    let opened = Connection::open(relay, tls.as_ref(), &state.limits, &waiting).await;
    let mut line = opened.map_err(|trouble| trouble.text)?;
    let utf8 = recipient.needs_smtputf8() || sender.needs_smtputf8() || !mail.is_ascii();
    let offer = Offer {
        sender: sender.as_str(),
        recipient: recipient.as_str(),
        utf8,
        size_bytes: mail.len(),
    };
    let offered = line.offer(&offer).await;
    match offered.map_err(|why| format!("{at} lost the connection: {}", why.0))? {
        Offered::Ready => {}
        Offered::Declined { step, answer, .. } => {
            line.quit().await;
            return Err(format!(
                "{at} answers {} with “{}”",
                step.word(),
                answer.text()
            ));
        }
        Offered::NeedsUtf8 => {
            line.quit().await;
            return Err(format!(
                "{at} takes no address beyond ASCII (SMTPUTF8), such as {recipient}"
            ));
        }
    }
    let with_dot = [mail, b".\r\n"].concat();
    let content = line.content(&with_dot, with_dot.len()).await;
    let (answer, verdict) = content.map_err(|lost| {
        let arrived = if lost.after_dot {
            "; the copy may have arrived all the same"
        } else {
            ""
        };
        format!("{at} lost the connection: {}{arrived}", lost.why.0)
    })?;
    line.quit().await;
    match verdict {
        Verdict::Good => Ok(Reply {
            code: Some(answer.code),
            text: answer.text(),
        }),
        _ => Err(format!("{at} answers the mail with “{}”", answer.text())),
    }
}
