//! The demo's daemon, its inbox and its pages, and their end.
//!
//! What it leaves to others: the folder (`folder`), the ports (`places`), and the words on the terminal (`story`).

use std::path::Path;
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
