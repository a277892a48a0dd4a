//! `dkim`: the keys that sign mails. They are files in `dkim/`; the database has which pair is in use.

use std::path::Path;

use serde_json::json;

use crate::format;
use crate::mail::dkim::keys::{KeyError, Pair};
use crate::model::List;
use crate::operate::keys::{self, DkimPair};
use crate::stdio;
use crate::store::Store;

use super::{Answer, Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress dkim new --domain example.org")]
pub(super) struct Args {
    #[command(subcommand)]
    pub what: What,
}

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// Make a pair of keys; the first of a domain is used at once, a further one after `use`
    #[command(after_help = "Example:\n  letterpress dkim new --domain example.org")]
    New {
        /// The domain after the @ in a list's `from`
        #[arg(long, value_name = "DOMAIN")]
        domain: String,
    },
    /// Print the DNS records, as in a zone file
    #[command(after_help = "Example:\n  letterpress dkim show")]
    Show {
        /// Only those of this domain
        #[arg(long, value_name = "DOMAIN")]
        domain: Option<String>,
    },
    /// Sign with another pair
    #[command(after_help = "Example:\n  letterpress dkim use lp2")]
    Use {
        /// The pair's stem, such as lp2 for lp2r and lp2e
        selector: String,
        /// Needed only if several domains have such a pair
        #[arg(long, value_name = "DOMAIN")]
        domain: Option<String>,
    },
    /// Stop signing mails of a domain, and move its keys aside
    #[command(after_help = "Example:\n  letterpress dkim remove --domain example.org")]
    Remove {
        /// The domain whose pairs are removed
        #[arg(long, value_name = "DOMAIN")]
        domain: String,
    },
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    let store = match &args.what {
        What::New { .. } => context.new_store(&settings).await?,
        _ => context.store(&settings).await?,
    };
    let folder = &settings.sending.dkim;
    match args.what {
        What::New { domain } => {
            let now = context.clock.now();
            let (pair, is_first) = keys::new_dkim(&store, folder, &domain, now).await?;
            tell_new(context, &pair, is_first)?;
            warn_unused(&settings.lists, &pair.domain);
            Ok(Answer::Done)
        }
        What::Show { domain } => {
            let pairs = keys::dkim_pairs(&store, folder, domain.as_deref()).await?;
            show(context, &pairs, folder)
        }
        What::Use { selector, domain } => {
            let now = context.clock.now();
            let domain = keys::use_dkim(&store, folder, &selector, domain.as_deref(), now).await?;
            let words =
                format!("Mails from {domain} are now signed with {selector}r and {selector}e.");
            context.done(
                words,
                &json!({ "domain": domain, "selector": selector, "in_use": true }),
            )
        }
        What::Remove { domain } => remove(context, &store, folder, &domain).await,
    }
}

async fn remove(context: &Context, store: &Store, folder: &Path, domain: &str) -> Outcome {
    let found = keys::dkim_to_forget(store, folder, domain).await?;
    let pairs = match found.stems.as_slice() {
        [] => "the pair in use, whose files are gone".to_owned(),
        stems => stems.join(", "),
    };
    let question = format!(
        "Remove {pairs} of {}? Mails from it will go out unsigned until you make new keys.",
        found.domain
    );
    if !context.agree(&question)? {
        return Ok(Answer::No);
    }
    let done = keys::forget_dkim(store, folder, found, context.clock.now()).await?;
    let kept = done.kept.as_ref().map_or_else(
        || "It had no key files.".to_owned(),
        |kept| format!("Its keys are kept in {}.", kept.display()),
    );
    let words = format!(
        "Mails from {} are no longer signed. {kept} Leave its DNS records in place for a week: mails under way are checked against them.",
        done.domain
    );
    context.done(
        words,
        &json!({ "domain": done.domain, "removed": done.stems, "kept": done.kept }),
    )
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        let failure = Failure::new(error.what).help(format::sentence(error.help));
        match error.path {
            Some(path) => failure.at(path.display().to_string()),
            None => failure,
        }
    }
}

fn tell_new(context: &Context, pair: &Pair, in_use: bool) -> Outcome {
    if context.json() {
        return context.done(
            "",
            &json!({ "domain": pair.domain, "selector": pair.stem, "in_use": in_use, "zone": pair.zone() }),
        );
    }
    context.print(pair.zone().trim_end())?;
    let (stem, domain) = (&pair.stem, &pair.domain);
    stdio::eprintln(if in_use {
        format!(
            "Mails from {domain} are now signed with {stem}r and {stem}e. Add these two records to its DNS."
        )
    } else {
        format!(
            "{stem} is not in use yet. Add these two records to the DNS of {domain}, wait until they are published, then run: letterpress dkim use {stem}"
        )
    });
    Ok(Answer::Done)
}

/// Says where no list sends from the domain, or from below it: perhaps it was mistyped.
fn warn_unused(lists: &[List], domain: &str) {
    let is_signed = |of: &str| {
        of.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if !lists
        .iter()
        .any(|list| is_signed(list.from.address.domain()))
    {
        let known: Vec<&str> = lists
            .iter()
            .map(|list| list.from.address.domain())
            .collect();
        stdio::eprintln(format_args!(
            "No list sends from {domain}. The lists send from: {}.",
            known.join(", ")
        ));
    }
}

fn show(context: &Context, pairs: &[DkimPair], folder: &Path) -> Outcome {
    if pairs.is_empty() {
        return Err(Failure::no("there are no DKIM keys")
            .at(folder.display().to_string())
            .help("Create them with\n  letterpress dkim new --domain example.org"));
    }
    for DkimPair {
        domain,
        stem,
        is_in_use,
    } in pairs
    {
        let zone = Pair::load(folder, domain, stem)?.zone();
        if context.json() {
            context.print_json(
                &json!({ "domain": domain, "selector": stem, "in_use": is_in_use, "zone": zone }),
            )?;
        } else {
            let state = if *is_in_use { "in use" } else { "not in use" };
            context.print(format!("; {domain}: {stem} {state}\n{}", zone.trim_end()))?;
        }
    }
    Ok(Answer::Done)
}
