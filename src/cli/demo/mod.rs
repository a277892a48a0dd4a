//! `demo`: the whole main job on this machine, mailing nobody outside.
//!
//! It uses the same rooms as a real send: a folder with settings, an import, the daemon, an issue that is published and
//! sent over SMTP; only the relay is the inbox inside. It stays until Ctrl-C, so that one can join, leave and
//! send the next issue; with `--once` it ends as soon as it is known whether every mail arrived.

mod folder;
mod people;
mod places;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::config::{self, Need, Settings};
use crate::format::count;
use crate::inbox::maildir::Maildir;
use crate::inbox::pages::{DemoFacts, NextIssue, Sum};
use crate::model::issue::{Body, Issue, Part};
use crate::operate::issues;
use crate::operate::queue::{self, When};
use crate::stdio;
use crate::store::issues::IssueRow;
use crate::store::{DaemonLock, Store};

use super::ledger::{self, fact};
use super::progress::Progress;
use super::terminal::Paint;
use super::totals::{IssueSummary, zone_of};
use super::{Answer, Context, Failure, Outcome, findings, follow, issue_file, render, serve};
use folder::Folder;
use places::Places;

/// How often the page's sum is brought up to date.
const SUM_EVERY: Duration = Duration::from_millis(300);

#[derive(clap::Args)]
#[command(after_help = "Example:\n  letterpress demo --once")]
pub(super) struct Args {
    /// The demo's folder; an existing demo is opened again
    #[arg(long, value_name = "D", default_value = "demo")]
    dir: PathBuf,
    /// An issue to send instead of the example
    #[arg(long, value_name = "FILE")]
    issue: Option<PathBuf>,
    /// The number of subscribers
    #[arg(long, value_name = "N", default_value_t = 12)]
    subscribers: u32,
    /// Exit as soon as the outcome of every mail is known
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let shutdown = serve::signals()?;
    let demo = Demo::open(&args, context, &shutdown).await?;
    let outcome = tokio::select! {
        outcome = demo.show(&args, context) => outcome,
        () = shutdown.cancelled() => Ok(Answer::Done),
    };
    if outcome.is_ok() && !args.once && !context.reader_left() {
        shutdown.cancelled().await;
    }
    shutdown.cancel();
    demo.close().await;
    outcome
}

/// A demo that runs: its daemon, its inbox and its pages.
struct Demo {
    folder: Folder,
    settings: Settings,
    store: Store,
    /// Whether this run made the database.
    is_new: bool,
    smtp: String,
    pages: String,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Demo {
    async fn open(
        args: &Args,
        context: &Context,
        shutdown: &CancellationToken,
    ) -> Result<Demo, Failure> {
        let existing = folder::is_demo(&args.dir)?;
        if existing && args.issue.is_some() {
            stdio::eprintln(format_args!(
                "{} already holds a demo, which is opened again: choose another folder with --dir for another issue.",
                args.dir.display()
            ));
        }
        let wanted = if existing {
            let settings = settings_of(&args.dir)?;
            folder::stays_inside(&args.dir, &settings)?;
            places::of_settings(&settings)
        } else {
            None
        };
        if existing && let Some(holder) = DaemonLock::holder(&args.dir.join("letterpress.db")) {
            return Err(
                Failure::new(format!("this demo is already running: {holder}"))
                    .at(args.dir.display().to_string())
                    .help("Stop it with Ctrl-C, or choose another folder with --dir."),
            );
        }
        let places = Places::take(wanted).await?;
        let ports = places.ports()?;
        let folder = if existing {
            if let Some(old) = wanted {
                places::rewrite(&args.dir.join(config::FILE), old, ports)?;
            }
            folder::existing(&args.dir)
        } else {
            folder::prepare(&args.dir, args.issue.as_deref(), args.subscribers, &ports)?
        };
        let settings = settings_of(&args.dir)?;
        folder::stays_inside(&args.dir, &settings)?;
        let is_new = !settings.database.exists();
        let store = Store::open(&settings.database).await?;
        let mut demo = Demo {
            folder,
            store,
            is_new,
            smtp: format!("smtp://127.0.0.1:{}", ports.smtp),
            pages: format!("http://127.0.0.1:{}/", ports.pages),
            tasks: Vec::new(),
            settings,
        };
        demo.start(places, context, shutdown)?;
        Ok(demo)
    }

    /// Starts the inbox, its pages and the daemon.
    fn start(
        &mut self,
        places: Places,
        context: &Context,
        shutdown: &CancellationToken,
    ) -> Result<(), Failure> {
        // What is written to stderr belongs to the demo's own words; of the daemon only what went wrong.
        let log = config::Log {
            level: "warn",
            format: "text",
        };
        app::logging::begin(&log);
        let maildir = Maildir::open(&self.folder.inbox, context.clock.clone()).map_err(|e| {
            Failure::new(format!(
                "the inbox can't be created: {}",
                crate::format::io(&e)
            ))
            .at(self.folder.inbox.display().to_string())
        })?;
        let smtp = crate::inbox::serve_smtp(places.smtp, Arc::new(maildir), shutdown.clone());
        let (sum, sums) = watch::channel(None);
        let zone = self
            .settings
            .lists
            .first()
            .map_or(jiff::tz::TimeZone::UTC, |list| list.zone.clone());
        let facts = DemoFacts {
            daemon_url: self.settings.public_url.clone().unwrap_or_default(),
            next: self.next_issue(),
            sum: sums,
            zone,
        };
        let router = crate::inbox::pages::router(self.folder.inbox.clone(), facts);
        let pages = crate::http::serve_router(places.pages, router, shutdown.clone());
        let daemon = app::launch(
            self.settings.clone(),
            places.web,
            context.clock.clone(),
            shutdown.clone(),
        );
        let stop = shutdown.clone();
        self.tasks.push(tokio::spawn(async move {
            if let Err(error) = daemon.await {
                Failure::from(error).tell(Paint::stderr());
                stop.cancel();
            }
        }));
        self.tasks
            .push(tokio::spawn(async move { drop(smtp.await) }));
        self.tasks
            .push(tokio::spawn(async move { drop(pages.await) }));
        self.tasks.push(tokio::spawn(keep_sum(
            self.store.clone(),
            sum,
            shutdown.clone(),
        )));
        Ok(())
    }

    /// The next issue, and the command that sends it.
    fn next_issue(&self) -> Option<NextIssue> {
        let manuscript = crate::publish::read(&self.folder.next).ok()?;
        let title = manuscript
            .issue
            .meta
            .number
            .map_or(manuscript.issue.meta.title, |n| format!("No. {n}"));
        let command = format!(
            "{} send {} --config {}",
            own_name(),
            shell_word(&self.folder.next),
            shell_word(&self.folder.settings)
        );
        Some(NextIssue { title, command })
    }

    /// Imports, sends where nothing was sent yet, and tells what became of it.
    async fn show(&self, args: &Args, context: &Context) -> Outcome {
        let say = Say {
            quiet: context.json(),
            context,
        };
        let row = match issues::all(&self.store, None).await?.pop() {
            Some(row) => {
                let list = super::context::pick(&self.settings.lists, None)?;
                say.head(&headline(&list.name, row.number, &row.title), self)?;
                row
            }
            None => self.publish(context, &say).await?,
        };
        let zone = zone_of(&self.settings.lists, &row);
        let ended = follow::to_its_end(&self.store, row.id, &zone).await?;
        let follow::Ended { row, took } = ended;
        let arrived = arrived(&self.folder.inbox);
        self.tell(&row, took, arrived, args.once, &say)?;
        let whole = follow::answer(&row) == Answer::Done && arrived >= row.totals.planned();
        Ok(if args.once && !whole {
            Answer::No
        } else {
            Answer::Done
        })
    }

    /// The import, and the issue into the queue.
    async fn publish(&self, context: &Context, say: &Say<'_>) -> Result<IssueRow, Failure> {
        let list = super::context::pick(&self.settings.lists, None)?;
        let manuscript = issue_file::read(&self.folder.issue)?;
        let media_base = issue_file::media_base(&self.settings);
        let proof = issue_file::compose(&self.settings, list, manuscript, &media_base)?;
        let meta = &proof.issue.meta;
        say.head(&headline(&list.name, meta.number, &meta.title), self)?;
        let errors = findings::errors_as_warnings(&proof.findings);
        stdio::eprint(findings::listing(&errors, Paint::stderr()));

        let now = context.clock.now();
        let ids = self
            .store
            .ensure_lists(std::slice::from_ref(&list.key), now)
            .await?;
        let list_id = ids[&list.key];
        let report = self.import(&list.key, list_id, now).await?;
        say.fact(
            "subscribers",
            &format!(
                "{} imported, {} rejected",
                count(report.added),
                count(report.rejected)
            ),
        )?;
        let about = format!(
            "{} items, {}",
            items(&proof.issue),
            render::kilobytes(proof.composed.rendered.html_bytes())
        );
        say.fact_about("issue", &self.folder.issue.display().to_string(), &about)?;
        say.fact("relay", &self.smtp)?;
        let plan = queue::plan(&self.store, list, proof, When::Now, now).await?;
        let queued = plan.queue(&self.store, true, now).await?;
        issues::get(&self.store, queued.id)
            .await?
            .ok_or_else(|| Failure::new("the demo's issue is gone"))
    }

    async fn import(
        &self,
        key: &str,
        list: crate::model::ListId,
        now: Timestamp,
    ) -> Result<crate::people::Report, Failure> {
        let failed = |e: crate::people::ImportError| Failure::said(&e.to_string());
        let file = crate::people::open(self.folder.people.clone(), Default::default())
            .await
            .map_err(failed)?;
        let plan = crate::people::Plan {
            file,
            lists: vec![(key.to_owned(), list)],
            default: Some(key.to_owned()),
            only_default: false,
            now,
        };
        let mut progress = Progress::begin();
        let tell = |event| {
            if let crate::people::Event::Written { rows, of } = event {
                progress.show(rows, of);
            }
        };
        crate::people::import(&self.store, plan, tell)
            .await
            .map_err(failed)
    }

    /// The sum, and where the mails can be read.
    fn tell(
        &self,
        row: &IssueRow,
        took: Duration,
        arrived: u64,
        once: bool,
        say: &Say,
    ) -> Result<(), Failure> {
        let rate = row.totals.sent as f64 / took.as_secs_f64().max(0.001);
        if say.quiet {
            let mut line = serde_json::to_value(IssueSummary::of(row)).unwrap_or_default();
            line["rate_per_s"] = json!((rate * 10.0).round() / 10.0);
            line["inbox"] = json!(self.pages);
            line["arrived"] = json!(arrived);
            return say.context.print_json(&line);
        }
        let paint = say.context.paint;
        let mut text = format!("\n{}\n", ledger::sum(&row.totals, Some(took), paint));
        if let Some(reason) = &row.reason {
            let reason = reason.in_zone(&zone_of(&self.settings.lists, row));
            text.push_str(&format!("  {}: {reason}\n", row.state.word()));
        }
        if arrived < row.totals.planned() {
            text.push_str(&format!(
                "  {} of {} arrived in {}.\n",
                count(arrived),
                count(row.totals.planned()),
                self.folder.inbox.display()
            ));
        }
        if once {
            text.push_str(&format!(
                "  The mails are in {}.",
                self.folder.inbox.display()
            ));
        } else {
            text.push_str(&format!(
                "  Read them at {}\n  ",
                paint.address(&self.pages)
            ));
            text.push_str(&paint.dim(&format!(
                "Ctrl-C stops the daemon; {} stays.",
                self.folder.shown()
            )));
        }
        say.context.print(text)
    }

    /// Waits until everything has stopped.
    async fn close(self) {
        for task in self.tasks {
            let _ = task.await;
        }
        self.store.close().await;
    }
}

/// The demo's words on stdout, or nothing where JSON is wanted.
struct Say<'c> {
    quiet: bool,
    context: &'c Context,
}

impl Say<'_> {
    fn head(&self, title: &str, demo: &Demo) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        self.context.print(format!("\n  {title}\n"))?;
        let database = demo.settings.database.display().to_string();
        if demo.is_new {
            self.fact_about("database", &database, "new")
        } else {
            self.fact_about("database", &database, "opened again; nothing is sent twice")
        }
    }

    fn fact(&self, word: &str, value: &str) -> Result<(), Failure> {
        if self.quiet {
            Ok(())
        } else {
            self.context.print(fact(word, value))
        }
    }

    fn fact_about(&self, word: &str, value: &str, aside: &str) -> Result<(), Failure> {
        self.fact(word, &format!("{value}{}", self.context.paint.aside(aside)))
    }
}

fn settings_of(dir: &Path) -> Result<Settings, Failure> {
    config::load(Some(&dir.join(config::FILE)), Need::File).map_err(Failure::from)
}

/// Such as `Akira's Machine Learning News, No. 22`.
fn headline(list: &str, number: Option<u32>, title: &str) -> String {
    number.map_or_else(|| title.to_owned(), |n| format!("{list}, No. {n}"))
}

fn items(issue: &Issue) -> usize {
    let in_body = |body: &[Body]| body.iter().filter(|b| matches!(b, Body::Item(_))).count();
    issue
        .parts
        .iter()
        .map(|part| {
            if let Part::Section(s) = part {
                in_body(&s.body)
            } else {
                0
            }
        })
        .sum()
}

/// How many mails lie in the Maildir.
fn arrived(inbox: &Path) -> u64 {
    ["new", "cur"]
        .iter()
        .filter_map(|sub| std::fs::read_dir(inbox.join(sub)).ok())
        .map(|dir| dir.count() as u64)
        .sum()
}

/// Keeps the page's sum up to date with the newest issue.
async fn keep_sum(store: Store, sum: watch::Sender<Option<Sum>>, stop: CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(SUM_EVERY))
        .await
        .is_some()
    {
        let Ok(mut rows) = issues::all(&store, None).await else {
            continue;
        };
        let Some(row) = rows.pop() else { continue };
        let rate = follow::duration(&row)
            .map(|took| row.totals.sent as f64 / took.as_secs_f64().max(0.001));
        sum.send_replace(Some(Sum {
            totals: row.totals,
            rate_per_s: rate,
        }));
    }
}

/// How this program was called, so that a command can be typed as it stands.
fn own_name() -> String {
    let called = std::env::args()
        .next()
        .unwrap_or_else(|| "letterpress".into());
    if called.contains('/') {
        shell_word(Path::new(&called))
    } else {
        called
    }
}

/// A path as a shell takes it.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@%:,".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_typed_as_it_stands() {
        assert_eq!(
            shell_word(Path::new("demo/issues/023.md")),
            "demo/issues/023.md"
        );
        assert_eq!(shell_word(Path::new("my demo/it's")), "'my demo/it'\\''s'");
    }
}
