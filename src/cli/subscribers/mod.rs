//! `subscribers`: adding, removing, listing, importing and exporting subscribers.
//!
//! What a change means is decided in `operate` and `people`; here is what is typed, asked and shown.

mod import;
mod list;
mod show;

use std::collections::HashMap;
use std::io::BufWriter;

use serde_json::json;

use crate::config::Settings;
use crate::model::subscription::{Consent, ConsentMethod};
use crate::model::{Address, ListId};
use crate::operate::subscribers;
use crate::people::ExportError;
use crate::stdio;
use crate::store::Store;

use super::progress::Progress;
use super::{Answer, Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress subscribers import people.csv")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Subscribe somebody without asking them to confirm
    ///
    /// The person is active at once and gets no confirmation mail. Somebody who has unsubscribed is not
    /// brought back.
    #[command(after_help = "Example:\n  letterpress subscribers add mei@example.com --name Mei")]
    Add {
        /// The address, such as mei@example.com
        #[arg(value_name = "ADDRESS", value_parser = address)]
        email: Address,
        /// The name, for greetings such as {{ name }}
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
    },
    /// Remove somebody from a list, or from all without --list
    #[command(after_help = "Example:\n  letterpress subscribers remove mei@example.com")]
    Remove {
        /// The address of the person
        #[arg(value_name = "ADDRESS", value_parser = address)]
        email: Address,
    },
    /// List everybody, with state
    #[command(after_help = "Example:\n  letterpress subscribers list --state pending")]
    List(list::Args),
    /// Show one person: lists, consent history, confirmation mails
    #[command(after_help = "Example:\n  letterpress subscribers show mei@example.com")]
    Show {
        /// The address of the person
        #[arg(value_name = "ADDRESS", value_parser = address)]
        email: Address,
    },
    /// Import a CSV file
    ///
    /// The first line names the columns: email, and optionally name, first_name, last_name, list, state, tags and
    /// joined_at. Files of other products and of spreadsheets are read as they are: their names for these columns,
    /// separators, encodings, and columns that say who must not be mailed. A file of addresses alone needs no first line.
    ///
    /// An import subscribes people, but nobody who has unsubscribed. It can be run again at any time. A row with a bad
    /// address is reported and left out; a date or a name that can't be read is left out of its row.
    #[command(
        after_help = "Example:\n  letterpress subscribers import people.csv\n  letterpress subscribers import crm.csv --map email=Contact --encoding windows-1252"
    )]
    Import(import::Args),
    /// Export everybody as CSV that can be imported again
    #[command(after_help = "Example:\n  letterpress subscribers export > people.csv")]
    Export,
}

fn address(typed: &str) -> Result<Address, String> {
    Address::parse(typed).map_err(|e| e.to_string())
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    match args.what {
        What::Add { email, name } => add(context, &settings, &email, &name).await,
        What::Remove { email } => remove(context, &settings, &email).await,
        What::List(args) => list::run(args, context, &settings).await,
        What::Show { email } => show::run(&email, context, &settings).await,
        What::Import(args) => import::run(args, context, &settings).await,
        What::Export => export(context, &settings).await,
    }
}

/// The database, which must be there, and the row of each list of the settings.
async fn open(
    context: &Context,
    settings: &Settings,
) -> Result<(Store, HashMap<String, ListId>), Failure> {
    with_lists(context, settings, context.store(settings).await?).await
}

/// A database, and the row of each list of the settings.
async fn with_lists(
    context: &Context,
    settings: &Settings,
    store: Store,
) -> Result<(Store, HashMap<String, ListId>), Failure> {
    let lists = subscribers::lists(&store, &settings.lists, context.clock.now()).await?;
    Ok((store, lists))
}

/// The key and row of the list that `--list` names; `None` if it was not given.
fn named_list<'s>(
    context: &Context,
    settings: &'s Settings,
    lists: &HashMap<String, ListId>,
) -> Result<Option<(&'s str, ListId)>, Failure> {
    if context.common.list.is_none() {
        return Ok(None);
    }
    let key = context.list(settings)?.key.as_str();
    Ok(Some((key, lists[key])))
}

fn by_command(context: &Context) -> Consent {
    Consent {
        at: context.clock.now(),
        how: ConsentMethod::Command,
        network: None,
    }
}

async fn add(context: &Context, settings: &Settings, email: &Address, name: &str) -> Outcome {
    let list = context.list(settings)?;
    let store = context.new_store(settings).await?;
    let added = subscribers::add(&store, list, email, name, by_command(context)).await?;
    let words = if added {
        format!("{email} is now subscribed to {}.", list.key)
    } else {
        format!("{email} is already subscribed to {}.", list.key)
    };
    context.done(
        words,
        &json!({ "email": email, "list": list.key, "added": added }),
    )
}

async fn remove(context: &Context, settings: &Settings, email: &Address) -> Outcome {
    let list = match context.common.list {
        Some(_) => Some(context.list(settings)?),
        None => None,
    };
    let from = list.map_or("every list", |list| &list.key);
    if !context.agree(&format!("Remove {email} from {from}?"))? {
        return Ok(Answer::No);
    }
    let store = context.store(settings).await?;
    let left = subscribers::remove(&store, list, email, by_command(context)).await?;
    let words = match left.as_slice() {
        [] => format!("{email} had already been removed."),
        left => format!("{email} was removed from {}.", left.join(", ")),
    };
    context.done(words, &json!({ "email": email, "left": left }))
}

async fn export(context: &Context, settings: &Settings) -> Outcome {
    if context.json() {
        return Err(Failure::new("an export is CSV, not JSON")
            .help("Leave out --json, or run `letterpress subscribers list --json`."));
    }
    let (store, lists) = open(context, settings).await?;
    let list = named_list(context, settings, &lists)?;
    // Rows that go to the terminal show the progress themselves.
    let shown = !stdio::stdout_is_terminal();
    let all = subscribers::count(&store, list.map(|(_, id)| id)).await?;
    let mut progress = Progress::begin();
    let tell = |people| {
        if shown {
            progress.show(people, all);
        }
    };
    match crate::people::export(&store, list, BufWriter::new(stdio::stdout_of_data()), tell).await {
        Ok(_) => Ok(Answer::Done),
        Err(ExportError::Store(error)) => Err(error.into()),
        Err(ExportError::Output(error)) => Err(Failure::output(error)),
    }
}
