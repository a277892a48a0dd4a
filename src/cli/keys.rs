//! `keys`: the secrets that sign the links in mails.

use serde_json::json;

use super::{Context, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress keys rotate")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Sign links with a new key from now on; links in mails that went out go on working
    #[command(after_help = "Example:\n  letterpress keys rotate")]
    Rotate,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let What::Rotate = args.what;
    let store = context.store(&context.settings()?).await?;
    let mut secret = [0; 32];
    context.clock.random(&mut secret);
    let id = store.add_link_key(secret, context.clock.now()).await?;
    let words = "A new key signs links from now on. Links in mails that went out go on working.";
    context.done(words, &json!({ "key": id }))
}
