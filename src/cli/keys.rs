//! `keys`: the secrets that sign the links in mails.

use serde_json::json;

use crate::operate::keys::rotate_link_key;

use super::{Context, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress keys rotate")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Sign links with a new key; links in mails already sent keep working
    #[command(after_help = "Example:\n  letterpress keys rotate")]
    Rotate,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let What::Rotate = args.what;
    let store = context.store(&context.settings()?).await?;
    let id = rotate_link_key(&store, &context.clock).await?;
    let words = "Links are now signed with a new key. Links in mails already sent keep working.";
    context.done(words, &json!({ "key": id }))
}
