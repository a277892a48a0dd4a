//! `deliveries`: the totals of every issue, or the outcome of each mail of one.

use std::io::{BufWriter, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::delivery::Relay;
use crate::format::count;
use crate::format::reason::local_time;
use crate::model::delivery::State;
use crate::model::{List, SubscriberId};
use crate::operate::issues;
use crate::people::spreadsheet::harmless;
use crate::schedule;
use crate::stdio;
use crate::store::Store;
use crate::store::deliveries::DeliveryRow;
use crate::store::issues::IssueRow;

use super::context::pick;
use super::layout::{COLUMNS, wrap};
use super::totals::{IssueSummary, name, zone_of};
use super::{Answer, Context, Failure, Outcome, ledger, overview, terminal};

/// Rows that are read at once.
const PAGE: usize = 1000;
/// A terminal with so many columns has room for all that is known of a mail.
const WIDE: usize = 130;
/// Where a reply begins that has no room in its line.
const REPLY_INDENT: usize = 11;
/// The narrowest and the widest column of relays' names.
const RELAY: (usize, usize) = (5, 16);

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress deliveries 22 --state failed")]
pub(super) struct Args {
    /// Its number, slug or file; without it, the totals of every issue
    issue: Option<String>,
    /// Only mails in this state: queued, sending, sent, deferred, failed, uncertain, cancelled or skipped
    #[arg(long, requires = "issue", value_parser = state)]
    state: Option<State>,
    /// Print comma-separated values with a header line
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

fn state(text: &str) -> Result<State, String> {
    State::from_word(text).ok_or_else(|| {
        let words: Vec<&str> = State::ALL.into_iter().map(State::word).collect();
        format!("the states are {}", words.join(", "))
    })
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let settings = context.settings()?;
    let store = match &args.issue {
        Some(issue) => context.store_of(&settings, issue).await?,
        None => context.store(&settings).await?,
    };
    match &args.issue {
        None => all(context, &store, &settings.lists, args.csv).await,
        Some(text) => {
            let mut row = issues::find(&store, text, context.common.list.as_deref()).await?;
            overview::without_a_daemon(std::slice::from_mut(&mut row), &store);
            let sheet = Sheet {
                kind: Kind::of(context.json(), args.csv),
                zone: zone_of(&settings.lists, &row),
                columns: terminal::columns(),
                relays: room_for_relays(terminal::columns(), &settings.sending.relays),
                is_first: true,
            };
            one(context, &store, &row, &args, sheet).await
        }
    }
}

/// Every issue's totals, newest last.
async fn all(context: &Context, store: &Store, lists: &[List], csv: bool) -> Outcome {
    let asked = context.common.list.as_deref();
    let mut rows = issues::all(store, asked).await?;
    // A list that was taken out of the settings keeps its issues.
    if rows.is_empty() && asked.is_some() {
        pick(lists, asked)?;
    }
    overview::without_a_daemon(&mut rows, store);
    if context.json() {
        rows.iter()
            .try_for_each(|row| context.print_json(&IssueSummary::of(row)))?;
    } else if csv {
        context.print(overview::as_csv(&rows).trim_end())?;
    } else if rows.is_empty() {
        context.print("No issue was queued yet. Queue one with `letterpress send FILE`.")?;
        print_next(context, lists)?;
    } else {
        let columns = terminal::columns().unwrap_or(COLUMNS);
        context.print(overview::as_table(&rows, lists, columns).trim_end())?;
        print_next(context, lists)?;
    }
    Ok(Answer::Done)
}

/// Says when the schedules of the lists fire next.
fn print_next(context: &Context, lists: &[List]) -> Result<(), Failure> {
    let now = context.clock.now();
    let asked = context.common.list.as_deref();
    let lists = lists
        .iter()
        .filter(|list| asked.is_none_or(|key| list.key == key));
    let next = |list: &List| {
        let next = schedule::next_time(list, now)?;
        let at = next.strftime("%a %Y-%m-%d %H:%M %Z");
        Some(format!("The schedule of {} fires next on {at}.", list.key))
    };
    let lines: Vec<String> = lists.filter_map(next).collect();
    match lines.is_empty() {
        true => Ok(()),
        false => context.print(format!("\n{}", lines.join("\n"))),
    }
}

/// One recipient, as scripts read it.
#[derive(Serialize)]
struct Recipient<'a> {
    email: &'a str,
    state: &'static str,
    attempts: u32,
    code: Option<u16>,
    reply: Option<&'a str>,
    relay: Option<&'a str>,
    at: Option<String>,
    next_at: Option<String>,
}

impl<'a> Recipient<'a> {
    fn of(row: &'a DeliveryRow) -> Self {
        Self {
            email: &row.email,
            state: row.state.word(),
            attempts: row.attempts,
            code: row.code,
            reply: row.reply.as_deref(),
            relay: row.relay.as_deref(),
            at: row.at.map(|at| at.to_string()),
            next_at: row.next_at.map(|at| at.to_string()),
        }
    }
}

/// Every recipient of one issue, page by page, so that a million rows stream through.
async fn one(
    context: &Context,
    store: &Store,
    issue: &IssueRow,
    args: &Args,
    mut sheet: Sheet,
) -> Outcome {
    let mut out = BufWriter::new(match sheet.kind {
        Kind::Csv => stdio::stdout_of_data(),
        Kind::Json | Kind::Words => stdio::stdout(),
    });
    sheet.begin(&mut out, issue).map_err(Failure::output)?;
    let mut after = SubscriberId(0);
    loop {
        let page = issues::deliveries(store, issue.id, args.state, after, PAGE).await?;
        for row in &page {
            sheet.row(&mut out, row).map_err(Failure::output)?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = last.subscriber,
            _ => break,
        }
    }
    if sheet.kind == Kind::Words {
        let sum = ledger::sum(&issue.totals, None, context.paint);
        write!(out, "\n{sum}").map_err(Failure::output)?;
    }
    out.flush().map_err(Failure::output)?;
    Ok(Answer::Done)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Csv,
    Words,
}

/// How recipients are written down.
struct Sheet {
    kind: Kind,
    zone: TimeZone,
    /// The columns of the terminal; `None`: a line is as long as it is.
    columns: Option<usize>,
    /// How wide the column of relays is, where the terminal has room for it, the tries and the next try.
    relays: Option<usize>,
    /// Whether nobody was written yet.
    is_first: bool,
}

impl Kind {
    fn of(json: bool, csv: bool) -> Self {
        match (json, csv) {
            (true, _) => Kind::Json,
            (_, true) => Kind::Csv,
            _ => Kind::Words,
        }
    }
}

/// How wide a column of relays' names is to be; `None` where the terminal has no room for one.
fn room_for_relays(columns: Option<usize>, relays: &[Relay]) -> Option<usize> {
    let longest = relays
        .iter()
        .map(|relay| relay.name.chars().count())
        .max()
        .unwrap_or(0);
    columns
        .filter(|columns| *columns >= WIDE)
        .map(|_| longest.clamp(RELAY.0, RELAY.1))
}

impl Sheet {
    fn begin(&mut self, out: &mut impl Write, issue: &IssueRow) -> std::io::Result<()> {
        match self.kind {
            Kind::Json => Ok(()),
            Kind::Csv => writeln!(out, "email,state,attempts,code,reply,relay,at,next_at"),
            Kind::Words => {
                let (name, state) = (name(issue), issue.state.word());
                let head = format!("{name}, “{}”: {state}", issue.title);
                writeln!(out, "{}", wrap(&head, "", 2))?;
                if let Some(reason) = overview::because(issue, &self.zone) {
                    writeln!(out, "{}", wrap(&reason, "  ", 2))?;
                }
                match issue.pruned_at {
                    Some(at) => {
                        let at = local_time(at, &self.zone);
                        writeln!(out, "  its recipients were pruned at {at}; the totals stay")
                    }
                    None => Ok(()),
                }
            }
        }
    }

    fn row(&mut self, out: &mut impl Write, row: &DeliveryRow) -> std::io::Result<()> {
        let shown = Recipient::of(row);
        match self.kind {
            Kind::Json => {
                serde_json::to_writer(&mut *out, &shown)?;
                writeln!(out)
            }
            Kind::Csv => out.write_all(&csv_line(&shown)),
            Kind::Words => {
                if std::mem::take(&mut self.is_first) {
                    writeln!(out)?;
                    if self.relays.is_some() {
                        self.words(
                            out,
                            [
                                "state", "email", "tries", "relay", "at", "next try", "reply",
                            ],
                        )?;
                    }
                }
                let local = |at: Option<Timestamp>| {
                    at.map_or_else(String::new, |at| local_time(at, &self.zone))
                };
                let (at, next, tries) = (
                    local(row.at),
                    local(row.next_at),
                    count(shown.attempts.into()),
                );
                let (relay, reply) = (
                    shown.relay.unwrap_or_default(),
                    shown.reply.unwrap_or_default(),
                );
                self.words(
                    out,
                    [shown.state, shown.email, &tries, relay, &at, &next, reply],
                )
            }
        }
    }
}

impl Sheet {
    /// A line for people: of what is known, as much as there is room for.
    fn words(&self, out: &mut impl Write, cells: [&str; 7]) -> std::io::Result<()> {
        let [state, email, tries, relay, at, next, reply] = cells;
        let line = |reply: &str| match self.relays {
            Some(wide) => {
                format!(
                    "{state:<9}  {email:<32}  {tries:>5}  {relay:<wide$}  {at:20}  {next:20}  {reply}"
                )
            }
            None => format!("{state:<9}  {email:<32}  {at:20}  {reply}"),
        };
        let whole = line(reply);
        let whole = whole.trim_end();
        if self.columns.is_none_or(|columns| whole.width() <= columns) {
            return writeln!(out, "{whole}");
        }
        let indent = " ".repeat(REPLY_INDENT);
        writeln!(out, "{}", line("").trim_end())?;
        match reply {
            "" => Ok(()),
            reply => writeln!(out, "{}", wrap(reply, &indent, REPLY_INDENT)),
        }
    }
}

/// One recipient as a line of comma-separated values.
fn csv_line(row: &Recipient) -> Vec<u8> {
    let number = |n: Option<u16>| n.map(|n| n.to_string()).unwrap_or_default();
    let mut line = csv::Writer::from_writer(Vec::new());
    // Writing to memory can't fail.
    let cells = [
        row.email,
        row.state,
        &row.attempts.to_string(),
        &number(row.code),
        row.reply.unwrap_or_default(),
        row.relay.unwrap_or_default(),
        row.at.as_deref().unwrap_or_default(),
        row.next_at.as_deref().unwrap_or_default(),
    ];
    let _ = line.write_record(cells.map(|cell| harmless(cell).into_owned()));
    line.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(columns: Option<usize>, relays: Option<usize>) -> String {
        let row = DeliveryRow {
            subscriber: SubscriberId(1),
            email: "mei@readers.example".into(),
            state: State::Deferred,
            attempts: 2,
            code: Some(450),
            reply: Some("450 4.2.0 greylisted".into()),
            relay: Some("main".into()),
            at: "2026-11-27T15:04:05Z".parse().ok(),
            next_at: "2026-11-27T15:14:05Z".parse().ok(),
        };
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let mut sheet = Sheet {
            kind: Kind::Words,
            zone,
            columns,
            relays,
            is_first: true,
        };
        let mut out = Vec::new();
        sheet.row(&mut out, &row).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_wide_terminal_shows_tries_relay_and_the_next_try() {
        assert_eq!(
            written(Some(200), Some(5)),
            "\nstate      email                             tries  relay  at                    next try              reply\n\
             deferred   mei@readers.example                   2  main   2026-11-27 16:04 CET  2026-11-27 16:14 CET  450 4.2.0 greylisted\n"
        );
    }

    #[test]
    fn a_narrow_terminal_and_a_pipe_show_what_fits() {
        assert_eq!(
            written(None, None),
            "\ndeferred   mei@readers.example               2026-11-27 16:04 CET  450 4.2.0 greylisted\n"
        );
        assert_eq!(
            written(Some(80), None),
            "\ndeferred   mei@readers.example               2026-11-27 16:04 CET\n           450 4.2.0 greylisted\n"
        );
        let relays = crate::config::of_text("[relay.a-name-of-many-letters]\nhost = \"h\"\n")
            .sending
            .relays;
        assert_eq!(room_for_relays(None, &relays), None);
        assert_eq!(room_for_relays(Some(WIDE - 1), &relays), None);
        assert_eq!(room_for_relays(Some(WIDE), &relays), Some(RELAY.1));
        assert_eq!(room_for_relays(Some(WIDE), &[]), Some(RELAY.0));
    }
}
