//! `subscribers`: people by hand and by the file. What a change means is decided in `store`; here is what is
//! typed, asked and shown.

mod import;
mod list;
mod show;

use std::collections::HashMap;
use std::io::BufWriter;

use serde_json::json;

use crate::config::Settings;
use crate::model::subscription::{Added, Consent, ConsentMethod};
use crate::model::{Address, ListId};
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
    /// Make somebody active, by your word
    #[command(after_help = "Example:\n  letterpress subscribers add mei@example.com --name Mei")]
    Add {
        #[arg(value_name = "ADDRESS", value_parser = address)]
        email: Address,
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
    },
    /// Take somebody off the list, or off all of them without --list
    #[command(after_help = "Example:\n  letterpress subscribers remove mei@example.com")]
    Remove {
        #[arg(value_name = "ADDRESS", value_parser = address)]
        email: Address,
    },
    /// Everybody, with state
    #[command(after_help = "Example:\n  letterpress subscribers list --state pending")]
    List(list::Args),
    /// One person: lists, history of consent, confirmation mails
    #[command(after_help = "Example:\n  letterpress subscribers show mei@example.com")]
    Show {
        #[arg(value_name = "ADDRESS", value_parser = address)]
        email: Address,
    },
    /// Bring in a CSV file
    ///
    /// Its first line names the columns: email, and where there are such name, list, state, tags, joined_at. An
    /// import makes people active and brings nobody back who left. It may be run again at any time.
    #[command(after_help = "Example:\n  letterpress subscribers import people.csv")]
    Import(import::Args),
    /// Write everybody as CSV, as an import takes it
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

/// The database, and the row of each list of the settings.
async fn open(
    context: &Context,
    settings: &Settings,
) -> Result<(Store, HashMap<String, ListId>), Failure> {
    let store = context.store(settings).await?;
    let keys: Vec<String> = settings.lists.iter().map(|list| list.key.clone()).collect();
    let lists = store.ensure_lists(&keys, context.clock.now()).await?;
    Ok((store, lists))
}

/// The key and row of the list that `--list` names; `None` where it was not given.
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
    let (store, lists) = open(context, settings).await?;
    let added = store
        .add(lists[&list.key], email, name, by_command(context))
        .await?;
    let words = match added {
        Added::Now => format!("{email} gets {} from now on.", list.key),
        Added::Already => format!("{email} gets {} already.", list.key),
        Added::Gone(state, since) => {
            let since = since.to_zoned(list.zone.clone()).strftime("%Y-%m-%d");
            return Err(Failure::no(format!(
                "{email} left {} and has been {} since {since}",
                list.key,
                state.word()
            ))
            .to_do(
                "Nobody is brought back by another's word: let them sign up again and confirm.",
            ));
        }
    };
    context.done(
        words,
        &json!({ "email": email, "list": list.key, "added": added == Added::Now }),
    )
}

async fn remove(context: &Context, settings: &Settings, email: &Address) -> Outcome {
    let (store, lists) = open(context, settings).await?;
    let list = named_list(context, settings, &lists)?;
    let from = list.map_or("every list".to_owned(), |(key, _)| key.to_owned());
    if !context.agree(&format!("Take {email} off {from}?"))? {
        return Ok(Answer::No);
    }
    let Some(left) = store
        .remove(list.map(|(_, id)| id), email, by_command(context))
        .await?
    else {
        let place = if list.is_some() {
            format!("nobody of the address {email} is on {from}")
        } else {
            unknown(email)
        };
        return Err(
            Failure::no(place).to_do("See who there is with `letterpress subscribers list`.")
        );
    };
    let words = match left.as_slice() {
        [] => format!("{email} had left already."),
        left => format!("{email} left {}.", left.join(", ")),
    };
    context.done(words, &json!({ "email": email, "left": left }))
}

/// Nobody has the address.
fn unknown(email: &Address) -> String {
    format!("nobody has the address {email}")
}

async fn export(context: &Context, settings: &Settings) -> Outcome {
    if context.json() {
        return Err(Failure::new("an export is CSV, not JSON")
            .to_do("Leave --json out, or take `letterpress subscribers list --json`."));
    }
    let (store, lists) = open(context, settings).await?;
    let list = named_list(context, settings, &lists)?;
    // Where the rows themselves go to the terminal, they show how far it is.
    let shown = !stdio::stdout_is_terminal();
    let all = store.how_many(list.map(|(_, id)| id)).await?;
    let mut progress = Progress::begin();
    let tell = |people| {
        if shown {
            progress.show(people, all);
        }
    };
    match crate::people::export(&store, list, BufWriter::new(stdio::stdout()), tell).await {
        Ok(_) => Ok(Answer::Done),
        Err(ExportError::Store(error)) => Err(error.into()),
        Err(ExportError::Output(error)) => Err(Failure::output(error)),
    }
}
