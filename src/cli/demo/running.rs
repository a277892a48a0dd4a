//! The demo's daemon, its inbox and its pages, and their end.
//!
//! What it leaves to others: the folder (`folder`), the ports (`places`), and the words on the terminal (`story`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::config::{self, Need, Settings};
use crate::inbox::maildir::Maildir;
use crate::inbox::pages::{DemoFacts, NextIssue, Sum};
use crate::operate::issues;
use crate::stdio;
use crate::store::issues::IssueRow;
use crate::store::{DaemonLock, Store};

use super::super::terminal::Paint;
use super::super::{Context, Failure, follow};
use super::folder::{self, Folder};
use super::places::{self, Places};

/// How often the page's sum is brought up to date.
const SUM_EVERY: Duration = Duration::from_millis(300);

/// A demo that runs: its daemon, its inbox and its pages.
pub(super) struct Demo {
    pub(super) folder: Folder,
    pub(super) settings: Settings,
    pub(super) store: Store,
    /// Whether this run made the database.
    pub(super) is_new: bool,
    pub(super) smtp: String,
    pub(super) pages: String,
    /// The issue that can be sent next, as the page shows it.
    next: watch::Receiver<Option<NextIssue>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Demo {
    pub(super) async fn open(
        dir: &Path,
        issue: Option<&Path>,
        subscribers: u32,
        context: &Context,
        shutdown: &CancellationToken,
    ) -> Result<Demo, Failure> {
        let existing = folder::is_demo(dir)?;
        if existing && issue.is_some() {
            stdio::eprintln(format_args!(
                "{} already holds a demo, which is opened again: choose another folder with --dir for another issue.",
                dir.display()
            ));
        }
        let wanted = if existing {
            let settings = settings_of(dir)?;
            folder::stays_inside(dir, &settings)?;
            places::of_settings(&settings)
        } else {
            None
        };
        if existing && let Some(holder) = DaemonLock::holder(&dir.join("letterpress.db")) {
            return Err(
                Failure::new(format!("this demo is already running: {holder}"))
                    .at(dir.display().to_string())
                    .help("Stop it with Ctrl-C, or choose another folder with --dir."),
            );
        }
        let places = Places::take(wanted).await?;
        let ports = places.ports()?;
        let folder = if existing {
            if let Some(old) = wanted {
                places::rewrite(&dir.join(config::FILE), old, ports)?;
            }
            folder::existing(dir)
        } else {
            folder::prepare(dir, issue, subscribers, &ports)?
        };
        let settings = settings_of(dir)?;
        folder::stays_inside(dir, &settings)?;
        let is_new = !settings.database.exists();
        let store = Store::open(&settings.database).await?;
        let (ready, next) = watch::channel(None);
        let mut demo = Demo {
            folder,
            store,
            is_new,
            smtp: format!("smtp://127.0.0.1:{}", ports.smtp),
            pages: format!("http://127.0.0.1:{}/", ports.pages),
            next,
            tasks: Vec::new(),
            settings,
        };
        demo.start(places, ready, context, shutdown)?;
        Ok(demo)
    }

    /// Starts the inbox, its pages and the daemon.
    fn start(
        &mut self,
        places: Places,
        ready: watch::Sender<Option<NextIssue>>,
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
            next: self.next.clone(),
            sum: sums,
            zone,
        };
        let router = crate::inbox::pages::router(self.folder.inbox.clone(), facts);
        let pages = crate::http::serve_router(
            places.pages,
            router,
            crate::http::Limits::default(),
            shutdown.clone(),
        );
        let daemon = app::launch(
            self.settings.clone(),
            places.web,
            context.clock.clone(),
            shutdown.clone(),
            app::Reloads::never(),
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
        let state = Shown {
            store: self.store.clone(),
            issues: self.folder.dir.join("issues"),
            settings: self.folder.settings.clone(),
            sum,
            next: ready,
        };
        self.tasks
            .push(tokio::spawn(state.keep_up(shutdown.clone())));
        Ok(())
    }

    /// Where somebody can subscribe.
    pub(super) fn sign_up(&self) -> String {
        let site = self.settings.public_url.as_deref().unwrap_or_default();
        format!("{}/subscribe", site.trim_end_matches('/'))
    }

    /// The issue that can be sent next, and the command that sends it, once the database was looked at.
    pub(super) async fn next_issue(&self) -> Option<NextIssue> {
        let mut next = self.next.clone();
        // The task that looks may have ended; then there is nothing to offer.
        let _ = tokio::time::timeout(2 * SUM_EVERY, next.changed()).await;
        next.borrow().clone()
    }

    /// Waits until everything has stopped.
    pub(super) async fn close(self) {
        for task in self.tasks {
            let _ = task.await;
        }
        self.store.close().await;
    }
}

fn settings_of(dir: &Path) -> Result<Settings, Failure> {
    config::load(Some(&dir.join(config::FILE)), Need::File).map_err(Failure::from)
}

/// What the page shows of the newsletter's state.
struct Shown {
    store: Store,
    /// The folder of the issues.
    issues: PathBuf,
    settings: PathBuf,
    sum: watch::Sender<Option<Sum>>,
    next: watch::Sender<Option<NextIssue>>,
}

impl Shown {
    /// Keeps it up to date: the sum of the newest issue, and the issue that can be sent next.
    async fn keep_up(self, stop: CancellationToken) {
        loop {
            if let Ok(rows) = issues::all(&self.store, None).await {
                self.show(&rows);
            }
            let pause = stop.run_until_cancelled(tokio::time::sleep(SUM_EVERY));
            if pause.await.is_none() {
                return;
            }
        }
    }

    fn show(&self, rows: &[IssueRow]) {
        if let Some(row) = rows.last() {
            let rate_per_s = follow::duration(row)
                .map(|took| row.totals.sent as f64 / took.as_secs_f64().max(0.001));
            self.sum.send_replace(Some(Sum {
                totals: row.totals,
                rate_per_s,
            }));
        }
        let file = next_file(&self.issues, rows);
        let now = file.and_then(|file| title_of(&file).map(|title| self.offer(&file, title)));
        self.next.send_if_modified(|next| {
            let changed = *next != now;
            *next = now;
            changed
        });
    }

    fn offer(&self, file: &Path, title: String) -> NextIssue {
        let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let command = format!(
            "{} send {} --config {}",
            own_name(),
            shell_word(&whole(file)),
            shell_word(&whole(&self.settings))
        );
        NextIssue { title, command }
    }
}

/// The issue that follows those which were queued: the last file of the folder, unless it was queued itself.
fn next_file(issues: &Path, rows: &[IssueRow]) -> Option<PathBuf> {
    let file = crate::schedule::files(issues).ok()?.pop()?;
    let slug = crate::publish::slug(&file);
    let queued = rows.iter().any(|row| row.slug == slug);
    (!queued && !rows.is_empty()).then_some(file)
}

/// Such as `No. 23`, or the title of an issue without a number.
fn title_of(file: &Path) -> Option<String> {
    let meta = crate::publish::read(file).ok()?.issue.meta;
    Some(meta.number.map_or(meta.title, |n| format!("No. {n}")))
}

/// How this program was called, so that a command can be typed as it stands.
fn own_name() -> String {
    let called = std::env::args()
        .next()
        .unwrap_or_else(|| "letterpress".into());
    if called.contains('/') {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from(&called));
        shell_word(&program)
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
