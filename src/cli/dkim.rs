//! `dkim`: the keys that sign mails, as files in `dkim/`; which pair is in use stands in the database.

use std::collections::BTreeMap;

use serde_json::json;

use crate::mail::dkim::keys::{self, Pair};
use crate::model::List;
use crate::stdio;

use super::{Answer, Context, Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress dkim new --domain example.org")]
pub(super) struct Args {
    #[command(subcommand)]
    pub what: What,
}

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// Make a pair of keys; the first of a domain signs from now on, a further one rests until `use`
    #[command(after_help = "Example:\n  letterpress dkim new --domain example.org")]
    New {
        /// The domain behind the @ of a list's `from`
        #[arg(long, value_name = "DOMAIN")]
        domain: String,
    },
    /// Print the records that DNS must have, as a zone file has them
    #[command(after_help = "Example:\n  letterpress dkim show")]
    Show {
        /// Only those of this domain
        #[arg(long, value_name = "DOMAIN")]
        domain: Option<String>,
    },
    /// Sign with another pair from now on
    #[command(after_help = "Example:\n  letterpress dkim use lp2")]
    Use {
        /// The pair's stem, such as lp2 for lp2r and lp2e
        selector: String,
        /// Needed only where several domains have such a pair
        #[arg(long, value_name = "DOMAIN")]
        domain: Option<String>,
    },
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    let store = context.store(&settings).await?;
    let folder = &settings.sending.dkim;
    match args.what {
        What::New { domain } => {
            let pair = Pair::create(folder, &domain).map_err(failure)?;
            let first = store
                .dkim_selectors()
                .await?
                .iter()
                .all(|(known, _)| *known != pair.domain);
            if first {
                store
                    .use_dkim_selector(&pair.domain, &pair.stem, context.clock.now())
                    .await?;
            }
            tell_new(context, &pair, first)?;
            warn_unused(&settings.lists, &pair.domain);
            Ok(Answer::Done)
        }
        What::Show { domain } => show(
            context,
            &store.dkim_selectors().await?,
            folder,
            domain.as_deref(),
        ),
        What::Use { selector, domain } => {
            let domain = find(folder, &selector, domain.as_deref())?;
            // Read before it is chosen: a daemon that can't read it would have to pause.
            let pair = Pair::load(folder, &domain, &selector).map_err(failure)?;
            store
                .use_dkim_selector(&pair.domain, &pair.stem, context.clock.now())
                .await?;
            let words = format!(
                "Mails from {domain} are signed by {selector}r and {selector}e from now on."
            );
            context.done(
                words,
                &json!({ "domain": domain, "selector": selector, "in_use": true }),
            )
        }
    }
}

fn failure(error: keys::KeyError) -> Failure {
    Failure::new(error.to_string())
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
            "Mails from {domain} are signed by {stem}r and {stem}e from now on. Put these two records into its DNS."
        )
    } else {
        format!(
            "{stem} rests. Put these two records into the DNS of {domain}, wait until they are known, then: letterpress dkim use {stem}"
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
            "No list sends from {domain}; the settings name {}.",
            known.join(", ")
        ));
    }
}

fn show(
    context: &Context,
    in_use: &[(String, String)],
    folder: &std::path::Path,
    only: Option<&str>,
) -> Outcome {
    let all: Vec<_> = keys::list(folder)
        .into_iter()
        .filter(|(domain, _)| only.is_none_or(|only| only == domain))
        .collect();
    if all.is_empty() {
        return Err(Failure::no("there are no DKIM keys")
            .at(folder.display().to_string())
            .to_do("Make them with\n  letterpress dkim new --domain example.org"));
    }
    for (domain, stem) in all {
        let zone = Pair::load(folder, &domain, &stem).map_err(failure)?.zone();
        let used = in_use.contains(&(domain.clone(), stem.clone()));
        if context.json() {
            context.print_json(
                &json!({ "domain": domain, "selector": stem, "in_use": used, "zone": zone }),
            )?;
        } else {
            let state = if used { "in use" } else { "rests" };
            context.print(format!("; {domain}: {stem} {state}\n{}", zone.trim_end()))?;
        }
    }
    Ok(Answer::Done)
}

/// The domain that has a pair of this stem.
fn find(folder: &std::path::Path, stem: &str, only: Option<&str>) -> Result<String, Failure> {
    let all = keys::list(folder);
    let mut found: Vec<&String> = all
        .iter()
        .filter(|(domain, known)| known == stem && only.is_none_or(|only| only == domain))
        .map(|(domain, _)| domain)
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(domain), true) => Ok(domain.clone()),
        (Some(_), false) => Err(Failure::new(format!("several domains have a pair {stem}"))
            .to_do("Add --domain with the one that is meant.")),
        (None, _) => Err(Failure::new(format!("there is no pair {stem}"))
            .at(folder.display().to_string())
            .to_do(known(&all))),
    }
}

/// Each stem once, with the domains that have such a pair.
fn known(all: &[(String, String)]) -> String {
    let mut stems: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (domain, stem) in all {
        stems.entry(stem).or_default().push(domain);
    }
    if stems.is_empty() {
        return "There are none; `letterpress dkim new` makes one.".into();
    }
    let named: Vec<String> = stems
        .iter()
        .map(|(stem, domains)| format!("{stem} ({})", domains.join(", ")))
        .collect();
    format!("There are: {}.", named.join(", "))
}
