//! What every command is handed: the options that all of them take, the clock, and the way to settings,
//! lists, the database and stdout.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::app;
use crate::config::{self, Examined, Settings};
use crate::model::{Finding, List, SharedClock};
use crate::operate::setup;
use crate::stdio;
use crate::store::{Missing, Store, check_missing};

use super::failure::{Answer, Failure, Outcome};
use super::findings;
use super::layout::wrap;
use super::terminal::{self, Paint};

/// The options that are taken wherever they mean something.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct Common {
    /// The settings to use instead of the letterpress.toml in this folder or above
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "LETTERPRESS_CONFIG",
        hide_env = true
    )]
    pub config: Option<PathBuf>,
    /// The key of the list; needed only if there are several
    #[arg(long, global = true, value_name = "KEY")]
    pub list: Option<String>,
    /// Print JSON on stdout, one object per line, and nothing else
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not ask for confirmation
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,
}

/// Handed to every command.
pub(super) struct Context {
    pub common: Common,
    pub clock: SharedClock,
    /// How stdout is painted.
    pub paint: Paint,
    /// What was opened, to be closed at the end.
    opened: Mutex<Vec<Store>>,
    /// Whether a line could not be printed because the reader of stdout has left.
    reader_left: AtomicBool,
}

impl Context {
    pub(super) fn new(common: Common, clock: SharedClock) -> Self {
        Self {
            common,
            clock,
            paint: Paint::stdout(),
            opened: Mutex::default(),
            reader_left: AtomicBool::new(false),
        }
    }

    /// Whether `--json` was given.
    pub(super) fn json(&self) -> bool {
        self.common.json
    }

    /// The settings; the command can't do without.
    ///
    /// # Errors
    /// None was found, or it holds an error: exit 2, with file and line.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        config::load(self.common.config.as_deref(), config::Need::File).map_err(Failure::from)
    }

    /// The settings of a command that connects to relays, with the files that connections need.
    ///
    /// # Errors
    /// None was found, or it holds an error, or such a file can't be used: exit 2, with file and line.
    pub(super) fn settings_to_connect(&self) -> Result<Examined, Failure> {
        config::load_to_connect(self.common.config.as_deref()).map_err(Failure::from)
    }

    /// The settings, or the defaults where there are none.
    pub(super) fn settings_or_defaults(&self) -> Result<Settings, Failure> {
        config::load(self.common.config.as_deref(), config::Need::Nothing).map_err(Failure::from)
    }

    /// The list that `--list` names, or the only one.
    ///
    /// # Errors
    /// An unknown key, with the nearest; several lists and no `--list`.
    pub(super) fn list<'s>(&self, settings: &'s Settings) -> Result<&'s List, Failure> {
        pick(&settings.lists, self.common.list.as_deref())
    }

    /// Refuses settings by which nothing can be sent.
    ///
    /// # Errors
    /// There is no relay, or links in mails would lead nowhere; with the settings' file.
    pub(super) fn can_send(&self, settings: &Settings) -> Result<(), Failure> {
        setup::can_send(settings).map_err(|refusal| {
            let failure = Failure::from(refusal);
            match &settings.file {
                Some(file) => failure.at(file.display().to_string()),
                None => failure,
            }
        })
    }

    /// Opens the database of the settings, which must be there. It is closed by [`Context::close`].
    pub(super) async fn store(&self, settings: &Settings) -> Result<Store, Failure> {
        self.open(settings, Missing::Refuse).await
    }

    /// As [`Context::store`], for a command about an issue, which is named where there is no database.
    pub(super) async fn store_of(
        &self,
        settings: &Settings,
        issue: &str,
    ) -> Result<Store, Failure> {
        match check_missing(&settings.database, &Missing::Refuse) {
            Err(mut error) if error.is_missing() => {
                error.what = format!("no issue {issue} was queued: {}", error.what);
                Err(error.into())
            }
            _ => self.store(settings).await,
        }
    }

    /// Opens the database of the settings for a command that puts something in: one that is missing is made, unless
    /// something speaks for one that was lost. It is closed by [`Context::close`].
    pub(super) async fn new_store(&self, settings: &Settings) -> Result<Store, Failure> {
        self.open(settings, app::missing_database(settings)).await
    }

    async fn open(&self, settings: &Settings, missing: Missing) -> Result<Store, Failure> {
        let store = Store::open_or(&settings.database, &missing).await?;
        if let Some(restored) = store.restored() {
            let said = format!("{restored}.");
            stdio::eprintln(wrap(&said, "warning: ", 9));
        }
        self.opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(store.clone());
        Ok(store)
    }

    /// Closes what the command opened, however it ended, so that no -wal file stays beside the database.
    pub(super) async fn close(&self) {
        let opened =
            std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        for store in opened {
            store.close().await;
        }
    }

    /// Asks on a terminal, takes `--yes` for a yes, and elsewhere refuses (exit 2) and names `--yes`.
    pub(super) fn agree(&self, question: &str) -> Result<bool, Failure> {
        if self.common.yes {
            return Ok(true);
        }
        if terminal::can_ask() {
            return terminal::ask(question).map_err(|e| {
                Failure::new(format!(
                    "the answer could not be read: {}",
                    crate::format::io(&e)
                ))
            });
        }
        Err(Failure::new(format!(
            "this needs confirmation, but there is no terminal to ask on: {question}"
        ))
        .help("Add --yes to do it without confirmation."))
    }

    /// A line on stdout. A reader that has left, such as `head`, changes nothing: the command goes on and ends with
    /// its own status.
    ///
    /// # Errors
    /// Stdout can't be written for another reason, such as a full disk: exit 2.
    pub(super) fn print(&self, line: impl AsRef<str>) -> Result<(), Failure> {
        let mut out = stdio::stdout();
        let line = format!("{}\n", line.as_ref());
        match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.reader_left.store(true, Ordering::Relaxed);
                Ok(())
            }
            written => written.map_err(Failure::output),
        }
    }

    /// Whether the reader of stdout has left, as far as [`Context::print`] has noticed.
    pub(super) fn reader_left(&self) -> bool {
        self.reader_left.load(Ordering::Relaxed)
    }

    /// A JSON object on a line of stdout.
    pub(super) fn print_json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(value)
            .map_err(|e| Failure::new(format!("this can't be written as JSON: {e}")))?;
        self.print(line)
    }

    /// Findings on stdout, one JSON object each where `--json` was given.
    pub(super) fn print_findings(&self, found: &[Finding]) -> Result<(), Failure> {
        if self.json() {
            return found
                .iter()
                .try_for_each(|finding| self.print_json(finding));
        }
        match findings::listing(found, self.paint).trim_end_matches('\n') {
            "" => Ok(()),
            text => self.print(text),
        }
    }

    /// What was done, in words or as JSON, whichever was asked for.
    pub(super) fn done(&self, words: impl AsRef<str>, value: &impl Serialize) -> Outcome {
        if self.json() {
            self.print_json(value)?
        } else {
            self.print(wrap(words.as_ref(), "", 0))?
        }
        Ok(Answer::Done)
    }
}

/// The list of a key, or the only one there is.
pub(super) fn pick<'s>(lists: &'s [List], key: Option<&str>) -> Result<&'s List, Failure> {
    let keys = || lists.iter().map(|l| l.key.as_str()).collect::<Vec<_>>();
    match (key, lists) {
        (None, [only]) => Ok(only),
        (None, []) => Err(Failure::new("no list is set")
            .help("Add a section such as [list.weekly] to letterpress.toml.")),
        (None, _) => Err(
            Failure::new("this is about one list, and there are several")
                .help(format!("Add --list with one of: {}.", keys().join(", "))),
        ),
        (Some(key), _) => lists.iter().find(|l| l.key == key).ok_or_else(|| {
            let near = crate::format::nearest(key, keys());
            let help = near.map_or_else(String::new, |near| format!("Did you mean {near}? "));
            Failure::new(format!("there is no list {key}"))
                .help(format!("{help}The lists are: {}.", keys().join(", ")))
        }),
    }
}
