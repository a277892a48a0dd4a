//! `test`: one copy through the real relay, its subject marked, its links to leave inert, not in the ledger.

use std::path::PathBuf;

use serde_json::json;

use crate::app;
use crate::delivery::{self, NotSent, Relay};
use crate::mail::{Recipient, Stream, Template};
use crate::model::rendered::Piece;
use crate::model::waiting::{Reason, WaitingFor};
use crate::model::{Address, SubscriberId};
use crate::stdio;

use super::layout::wrap;
use super::terminal::Paint;
use super::{Context, Failure, Outcome, findings, issue_file};

/// What stands before the subject.
const MARK: &str = "[Test] ";

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress test issues/022.md --to me@example.org")]
pub(super) struct Args {
    /// The issue's Markdown file
    file: PathBuf,
    /// The address to send the copy to
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    to: Address,
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|e| e.to_string())
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = &context.settings_to_connect()?.settings;
    context.can_send(settings)?;
    let manuscript = issue_file::read(&args.file)?;
    let list = issue_file::list(context, settings, &manuscript)?;
    let proof = issue_file::compose(
        settings,
        list,
        manuscript,
        &issue_file::media_base(settings),
    )?;
    // The author looks at the copy: what is wrong is said, and stops nothing.
    let errors = findings::errors_as_warnings(&proof.findings);
    stdio::eprint(findings::listing(&errors, Paint::stderr()));
    let store = context.new_store(settings).await?;
    let now = context.clock.now();
    let ids = store
        .ensure_lists(std::slice::from_ref(&list.key), now)
        .await?;
    let public_url = settings.public_url.as_deref().unwrap_or_default();
    let links = app::keys::links(&store, public_url, &context.clock).await?;
    // Without them the copy would show no picture until the issue is queued.
    store
        .keep_media(proof.pictures.iter().cloned().collect())
        .await?;

    let mut rendered = proof.composed.rendered;
    rendered.subject.insert(0, Piece::Text(MARK.to_owned()));
    let mut random = [0; 8];
    context.clock.random(&mut random);
    let seed = format!("test-{:016x}", u64::from_be_bytes(random));
    let template = Template::new(&rendered, list, Stream::Issue { seed: &seed });
    let to = Recipient {
        subscriber: SubscriberId(0),
        email: &args.to,
        name: "",
        since: now,
        links: links.inert(ids[&list.key]),
    };
    let signing = delivery::Signing::new(settings.sending.dkim.clone());
    signing.follow(&store).await?;
    let Some(relay) = settings.sending.relays.first() else {
        return Err(Failure::new("no relay is set"));
    };
    if !relay.dkim.algorithms.is_empty()
        && let Some(why) = signing.obstacle(&list.from.address)
    {
        return Err(Failure::no(format!("the copy can't be signed: {why}")));
    }
    let write = |out: &mut Vec<u8>| template.write(&to, now, out);
    let signed = signing
        .sign((&list.from.address, &relay.dkim), Vec::new(), now, write)
        .mail()
        .await;
    let mail = signed.as_slice();

    let people = (&list.from.address, &args.to);
    let reply = delivery::send_one(relay, &settings.sending, people, mail, |waiting_for| {
        tell_silence(relay, waiting_for);
    })
    .await
    .map_err(|why| failure(relay, &args.to, &why))?;
    let size = super::render::kilobytes(mail.len());
    context.done(
        format!("A copy of {size} went to {}: {}", args.to, reply.text),
        &json!({"to": args.to, "relay": relay.name, "code": reply.code, "reply": reply.text, "bytes": mail.len()}),
    )
}

/// Says what is waited for, since the author sees nothing otherwise.
fn tell_silence(relay: &Relay, waiting_for: WaitingFor) {
    let reason = Reason::Silent {
        waiting_for,
        relay: relay.name.clone(),
        at: relay.endpoint.to_string(),
        others_continue: false,
    };
    let text =
        format!("Letterpress {reason}. [sending.timeout] says for how long; Ctrl-C gives up.");
    stdio::eprintln(wrap(&text, "", 0));
}

/// Why the copy was not sent, and what to do about it.
fn failure(relay: &Relay, to: &Address, why: &NotSent) -> Failure {
    let what = match why {
        NotSent::Connect(error) => error.to_string(),
        NotSent::LostBefore(lost) => format!("the connection was lost: {lost}"),
        NotSent::Lost(lost) if lost.after_dot => format!(
            "the connection was lost: {}; the copy may have arrived all the same",
            lost.why
        ),
        NotSent::Lost(lost) => format!("the connection was lost: {}", lost.why),
        NotSent::Rejected { step, reply } => {
            format!("{} was answered with “{}”", step.word(), reply.text())
        }
        NotSent::NeedsUtf8 => {
            format!("the relay takes no address beyond ASCII (SMTPUTF8), such as {to}")
        }
    };
    Failure::no(format!("the copy was not sent: {what}"))
        .at(format!("relay {}, {}", relay.name, relay.endpoint))
        .help(format!(
            "Check [relay.{}] in the settings and that server, then try again.",
            relay.name
        ))
}
