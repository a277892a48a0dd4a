//! `subscribers list`: everybody, streamed page by page.

use std::io::{BufWriter, Write};

use serde::Serialize;

use crate::config::Settings;
use crate::format::count;
use crate::model::SubscriberId;
use crate::model::subscriber::{Subscriber, Subscription};
use crate::model::subscription::SubscriptionState;
use crate::operate::subscribers;
use crate::stdio;

use super::super::{Answer, Context, Failure, Outcome};
use super::{named_list, open};

/// People that are read at once.
const PAGE: u32 = 1000;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Only those in this state
    #[arg(long, value_parser = state)]
    state: Option<SubscriptionState>,
}

fn state(text: &str) -> Result<SubscriptionState, String> {
    SubscriptionState::from_word(text).ok_or_else(|| {
        let words = SubscriptionState::ALL.map(SubscriptionState::word);
        format!("the states are {}", words.join(", "))
    })
}

/// A person, as scripts read them.
#[derive(Serialize)]
pub(super) struct Person<'a> {
    email: &'a str,
    name: &'a str,
    state: &'static str,
    /// Where they are active.
    lists: Vec<&'a str>,
    subscriptions: &'a [Subscription],
    tags: &'a [String],
    joined_at: String,
}

impl<'a> Person<'a> {
    /// `state` is that of one list, or the best of all.
    pub(super) fn of(person: &'a Subscriber, state: SubscriptionState) -> Self {
        let active = person
            .subscriptions
            .iter()
            .filter(|place| place.state == SubscriptionState::Active);
        Self {
            email: person.email.as_str(),
            name: &person.name,
            state: state.word(),
            lists: active.map(|place| place.list.as_str()).collect(),
            subscriptions: &person.subscriptions,
            tags: &person.tags,
            joined_at: person.joined_at.to_string(),
        }
    }
}

pub(super) async fn run(args: Args, context: &Context, settings: &Settings) -> Outcome {
    let (store, lists) = open(context, settings).await?;
    let list = named_list(context, settings, &lists)?;
    let mut out = BufWriter::new(stdio::stdout());
    let mut seen = [0; SubscriptionState::ALL.len()];
    let mut after = SubscriberId(0);
    loop {
        let page = subscribers::page(&store, list, after, PAGE).await?;
        for (person, state) in &page.people {
            if args.state.is_none_or(|wanted| wanted == *state) {
                seen[*state as usize] += 1;
                write(&mut out, person, *state, context.json()).map_err(Failure::output)?;
            }
        }
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    out.flush().map_err(Failure::output)?;
    if !context.json() {
        context.print(sum(seen))?;
    }
    Ok(Answer::Done)
}

fn write(
    out: &mut impl Write,
    person: &Subscriber,
    state: SubscriptionState,
    json: bool,
) -> std::io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, &Person::of(person, state))?;
        return writeln!(out);
    }
    let line = format!(
        "{:<12}  {:<32}  {}",
        state.word(),
        person.email.as_str(),
        person.name
    );
    writeln!(out, "{}", line.trim_end())
}

/// Such as `8,412 active, 3 pending`, below an empty line; what one sees who has nobody yet.
fn sum(seen: [u64; SubscriptionState::ALL.len()]) -> String {
    let some = SubscriptionState::ALL
        .into_iter()
        .zip(seen)
        .filter(|(_, n)| *n > 0);
    let parts: Vec<String> = some
        .map(|(state, n)| format!("{} {}", count(n), state.word()))
        .collect();
    if parts.is_empty() {
        "No subscribers yet.".into()
    } else {
        format!("\n{}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_counts_each_state() {
        assert_eq!(
            sum([3, 8412, 0, 0, 1]),
            "\n3 pending, 8,412 active, 1 complained"
        );
        assert_eq!(sum([0; 5]), "No subscribers yet.");
    }
}
