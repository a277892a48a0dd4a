//! `speed`: how many messages a minute go to each provider and through each relay, and overrides of that.
//!
//! The command only reads and writes rows; a running daemon follows within a second.

use crate::format::count;
use crate::operate::issues;
use crate::operate::rates::{self, Rate, Target};

use crate::stdio;

use super::{Answer, Context, Outcome, layout};

/// The highest override, in messages a minute.
const MOST: u32 = 10_000_000;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  letterpress speed gmail.com 600\n  letterpress speed gmail.com off"
)]
pub(super) struct Args {
    /// The name of a relay, or a domain, which stands for its whole provider; without it, all are shown
    name: Option<String>,
    /// Messages a minute instead of the settings; 0: no limit; off: back to the settings
    #[arg(value_parser = change)]
    per_minute: Option<Change>,
}

/// What becomes of an override.
#[derive(Clone, Copy)]
enum Change {
    /// Messages a minute; 0: no limit.
    To(u32),
    /// None any more.
    Off,
}

fn change(text: &str) -> Result<Change, String> {
    match text.parse::<u32>() {
        _ if text == "off" => Ok(Change::Off),
        Ok(per_minute) if per_minute <= MOST => Ok(Change::To(per_minute)),
        _ => Err(format!(
            "write a number of messages a minute from 0 (no limit) to {MOST}, or off"
        )),
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    let store = context.store(&settings).await?;
    let now = context.clock.now();
    let rates = match &args.name {
        None => rates::all(&settings, &store, now).await?,
        Some(name) => {
            let target = Target::of(&settings, name)?;
            if let Some(change) = args.per_minute {
                let per_minute = match change {
                    Change::To(per_minute) => Some(per_minute),
                    Change::Off => None,
                };
                rates::set_override(&store, &target, per_minute, now).await?;
            }
            rates::one(&settings, &store, &target, now).await?
        }
    };
    if context.json() {
        rates.iter().try_for_each(|rate| context.print_json(rate))?;
    } else {
        context.print(as_table(&rates).trim_end())?;
        if issues::is_daemon_running(store.path()) {
            stdio::eprintln(
                "“set” shows the settings as they are now; a running daemon uses those it started with.",
            );
        }
    }
    Ok(Answer::Done)
}

fn as_table(rates: &[Rate]) -> String {
    let rate =
        |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), |rate| count(rate.round() as u64));
    let rows: Vec<Vec<String>> = rates
        .iter()
        .map(|of| {
            let overridden = of.overridden.map_or_else(
                || "–".to_owned(),
                |per_minute| {
                    if per_minute == 0 {
                        "no limit".into()
                    } else {
                        count(u64::from(per_minute))
                    }
                },
            );
            let today = match (of.today, of.given_today) {
                (Some(today), Some(given)) => format!("{} of {}", count(given), count(today)),
                _ => String::new(),
            };
            let holds = of
                .per_minute
                .map_or_else(|| "no limit".to_owned(), |_| rate(of.per_minute));
            vec![
                of.name.clone(),
                of.kind.word().to_owned(),
                rate(of.set.map(f64::from)),
                rate(of.learned),
                overridden,
                holds,
                today,
            ]
        })
        .collect();
    let head = [
        "name",
        "kind",
        ">set",
        ">learned",
        ">override",
        ">a minute",
        "today",
    ];
    layout::table(&head, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_is_a_number_or_off() {
        assert!(change("off").is_ok() && change("0").is_ok() && change("600").is_ok());
        assert!(change("-1").is_err() && change("fast").is_err() && change("99999999999").is_err());
    }
}
