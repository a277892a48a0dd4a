//! The database: all SQL, and nothing else. A file for each thing that is kept, such as `issues` or `subscribers`.
//!
//! One connection writes, many read. A write is a job that runs to its end in a task of its own, inside one
//! `BEGIN IMMEDIATE` transaction: a caller that is cancelled meanwhile leaves nothing half-done. Readers are
//! read-only connections that see the last commit. Domain functions live in a file per entity as further
//! `impl Store` blocks; no SQL and no connection leaves this room.
//!
//! Whether the database is the one that was in its place last is found out when it is opened (`origin`, `companion`).
//!
//! What it leaves to others: deciding anything. Three tables of `model` say which moves there are: of mails
//! (`model::delivery`), applied by `commit_batch` and `steering`; of sends (`model::sending`), applied by `steering`;
//! of subscriptions (`model::subscription`), applied by `subscriptions` and `import`.

mod companion;
mod error;
mod health;
mod lock;
mod migrate;
mod missing;
mod origin;
mod place;

mod backup;
pub mod commit_batch;
pub mod deliveries;
pub mod fanout;
pub mod import;
pub mod issues;
pub mod keys;
pub mod lists;
pub mod media;
pub mod prune;
pub mod rates;
mod rehearsal;
pub mod restore;
pub mod steering;
pub mod subscribers;
mod subscriptions;
pub mod system_mails;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod unconfirmed;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};

pub use error::StoreError;
pub use lock::DaemonLock;
pub use missing::{Missing, check_missing};

use crate::model::restored::Restoration;
use crate::model::subscription::SubscriptionState;
use companion::Companion;
use health::{Health, Write};
use place::Place;

/// What this room's functions give.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A statement with its values.
type Query = sqlx::query::Query<'static, sqlx::Sqlite, SqliteArguments>;

/// A job's future; it may borrow the connection for as long as it runs.
pub type Job<'c, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'c>>;

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How often, and how far apart, those who still hold a store that is to be closed are looked for.
const LETTING_GO_TRIES: u32 = 40;
const LETTING_GO_WAIT: Duration = Duration::from_millis(5);
/// Reading connections; more gain nothing on a small machine.
const READERS: u32 = 4;
/// Reading connections of visitors, who must not make the sender wait for one.
const VISITORS_READERS: u32 = 3;

/// The most file descriptors that a store opens: three for each connection (database, log, shared memory), and a few
/// for locks and for a backup under way.
pub const DESCRIPTORS_MAX: u64 = 3 * (1 + READERS as u64 + VISITORS_READERS as u64) + 8;

/// A handle to the database; clones share the writer, the readers and the wake-up signal.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// Set for visitors: they read by connections of their own, and their writes run on this runtime.
    writes_on: Option<Handle>,
}

struct Shared {
    path: PathBuf,
    writer: Arc<Mutex<Writer>>,
    readers: SqlitePool,
    /// Connected when the first visitor comes.
    visitors_readers: SqlitePool,
    reader_options: SqliteConnectOptions,
    /// Counts commits of this process; tasks that wait for work watch it.
    changed: watch::Sender<u64>,
    /// What stands beside the database; a copy that nobody else knows of has none.
    companion: Option<Companion>,
    /// How much the database has done at the least: what this process knows of.
    count: AtomicU64,
    /// Set where the database turned out to be a copy.
    restored: Option<Restoration>,
    place: Place,
    health: Health,
    /// Whether this process is the database's daemon, which tells others of its troubles.
    is_daemon: AtomicBool,
}

impl Shared {
    /// Notes beside the database that so much more was done. After the commit, never before.
    fn did(&self, more: u64) {
        if let Some(companion) = &self.companion
            && more > 0
        {
            companion.set_count(self.count.fetch_add(more, Ordering::AcqRel) + more);
        }
    }

    /// Notes how a write went, for those who ask whether the database can be written.
    fn note<T>(&self, of: Write, outcome: &Result<T>) {
        let changed = self.health.note(of, outcome.as_ref().err());
        if let Some(trouble) = changed
            && self.is_daemon.load(Ordering::Acquire)
            && let Some(companion) = &self.companion
        {
            companion.change(|record| record.trouble = trouble);
        }
    }

    /// The error of writing a database that is not in its place.
    fn displaced(&self) -> Option<StoreError> {
        let (what, help) = self.health.displaced()?.words();
        Some(StoreError::displaced(&self.path, what, help))
    }
}

/// The writing connection.
///
/// Its transactions are begun and ended by SQL of our own: where SQLite rolls one back by itself, as it does
/// when the disk is full, sqlx's own `Transaction` fails to roll back, believes it open for ever, and refuses
/// every further one.
struct Writer {
    connection: SqliteConnection,
    /// Whether a job began and did not come to its end, since it died.
    unfinished: bool,
}

impl Writer {
    async fn transaction<T, F>(&mut self, job: F) -> Result<T>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Job<'c, T>,
    {
        if self.unfinished {
            self.roll_back().await;
        }
        self.unfinished = true;
        let outcome = self.begin_and_commit(job).await;
        if outcome.is_err() {
            self.roll_back().await;
        }
        self.unfinished = false;
        outcome
    }

    async fn begin_and_commit<T, F>(&mut self, job: F) -> Result<T>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Job<'c, T>,
    {
        sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut self.connection)
            .await?;
        let value = job(&mut self.connection).await?;
        // By this a copy from before this write is known for one.
        sqlx::query("UPDATE origin SET generation = generation + 1")
            .execute(&mut self.connection)
            .await?;
        sqlx::query("COMMIT").execute(&mut self.connection).await?;
        Ok(value)
    }

    /// The connection, for statements that are transactions of their own.
    async fn at_rest(&mut self) -> &mut SqliteConnection {
        if self.unfinished {
            self.roll_back().await;
            // Only now: a caller that goes away meanwhile must not leave a transaction open for the next.
            self.unfinished = false;
        }
        &mut self.connection
    }

    /// Fails where SQLite has done so already, and then that is as well.
    async fn roll_back(&mut self) {
        let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
    }
}

impl Store {
    /// Opens the database, made with mode 0600 where missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError`] in plain words: locked, full, read-only, damaged, no database, a newer schema, or an
    /// older one while a daemon holds it.
    pub async fn open(path: &Path) -> Result<Store> {
        Self::open_or(path, &Missing::Make).await
    }

    /// Opens the database and brings its schema up to date. One that turns out to be a copy is changed so that nobody is
    /// mailed twice by it; see [`Store::restored`].
    ///
    /// # Errors
    /// As [`Store::open`]; and where the database is missing and may not be made, or its daemon works with another one.
    pub async fn open_or(path: &Path, missing: &Missing) -> Result<Store> {
        let options = writing(path);
        let (connection, opened) = migrate::open(path, &options, missing).await?;
        Self::assemble(path, options, connection, Some(opened)).await
    }

    /// Opens a copy that nobody else knows of and that is deleted afterwards: it is taken as it is.
    pub(crate) async fn open_scratch(path: &Path) -> Result<Store> {
        let options = writing(path);
        let connection = migrate::open_scratch(path, &options).await?;
        Self::assemble(path, options, connection, None).await
    }

    async fn assemble(
        path: &Path,
        options: SqliteConnectOptions,
        connection: SqliteConnection,
        opened: Option<origin::Opened>,
    ) -> Result<Store> {
        let say = |error| StoreError::from_sqlx(&error, path, "opening it");
        let writer = Writer {
            connection,
            unfinished: false,
        };
        let reader_options = options.read_only(true).pragma("cache_size", "-8000");
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            // A file does not go away as a server does; each look would cost a hop to another thread.
            .test_before_acquire(false)
            .connect_with(reader_options.clone())
            .await
            .map_err(say)?;
        let visitors_readers = SqlitePoolOptions::new()
            .max_connections(VISITORS_READERS)
            .test_before_acquire(false)
            .connect_lazy_with(reader_options.clone().pragma("cache_size", "-2000"));
        let (changed, _) = watch::channel(0);
        let (companion, count, restored) = match opened {
            Some(opened) => (Some(opened.companion), opened.count, opened.restored),
            None => (None, 0, None),
        };
        Ok(Store {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                writer: Arc::new(Mutex::new(writer)),
                readers,
                visitors_readers,
                reader_options,
                changed,
                companion,
                count: AtomicU64::new(count),
                restored,
                place: Place::of(path),
                health: Health::default(),
                is_daemon: AtomicBool::new(false),
            }),
            writes_on: None,
        })
    }

    /// A handle for what visitors ask for. It reads by connections of its own, so that no crowd of them makes the sender
    /// wait for one; and it writes on the runtime that calls this, so that a transaction, for which the sender may be
    /// waiting, never runs at the lower priority of the visitors' thread.
    pub fn for_visitors(&self) -> Store {
        Store {
            shared: self.shared.clone(),
            writes_on: Some(Handle::current()),
        }
    }

    /// What was held when the database was opened, since it turned out to be a copy; `None` where it is the one that was
    /// in its place last.
    pub fn restored(&self) -> Option<&Restoration> {
        self.shared.restored.as_ref()
    }

    /// Notes beside the database that this process is its daemon, which holds the lock. From now on other processes learn
    /// of its troubles, and do not open a database whose log was deleted under it.
    pub fn serve(&self) {
        self.shared.is_daemon.store(true, Ordering::Release);
        let log = self.shared.place.log();
        if let Some(companion) = &self.shared.companion {
            companion.change(|record| (record.log, record.trouble) = (log, None));
        }
    }

    /// Why the daemon of a database can't write it, as it noted itself; `None` where it can.
    pub fn trouble_of_daemon(&self) -> Option<String> {
        companion::read(&self.shared.path)?.1.trouble
    }

    /// Looks whether the database's files are where they were opened; writes fail from the moment on in which they are
    /// not, and go on when they are again.
    pub(crate) fn look_at_place(&self) {
        let shared = &self.shared;
        let now = shared.place.look();
        if !shared.health.note_place(now) {
            return;
        }
        match shared.displaced() {
            Some(error) => tracing::error!("nothing is sent for now: {error}"),
            None => tracing::info!("the database is in its place again"),
        }
    }

    /// The database's file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Runs one job in one transaction, to its end even where the caller goes away.
    ///
    /// `what` completes the sentence "… failed while" in an error, such as "queueing an issue".
    ///
    /// # Errors
    /// Whatever the job gives; then nothing of it is kept.
    pub async fn write<T, F>(&self, what: &'static str, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Job<'c, T> + Send + 'static,
    {
        match self.shared.displaced() {
            Some(error) => Err(error),
            None => self.write_wherever(what, job).await,
        }
    }

    /// As [`Store::write`], also where the database is not in its place any more: for what became of mails, which must
    /// not be lost.
    async fn write_wherever<T, F>(&self, what: &'static str, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Job<'c, T> + Send + 'static,
    {
        let shared = self.shared.clone();
        let job = async move {
            let mut writer = shared.writer.clone().lock_owned().await;
            let outcome = writer
                .transaction(job)
                .await
                .map_err(|e| e.during(&shared.path, what));
            drop(writer);
            shared.note(Write::Other, &outcome);
            if outcome.is_ok() {
                shared.did(1);
                shared.changed.send_modify(|n| *n += 1);
            }
            outcome
        };
        let task = match &self.writes_on {
            Some(runtime) => runtime.spawn(job),
            None => tokio::spawn(job),
        };
        match task.await {
            Ok(outcome) => outcome,
            Err(died) => Err(StoreError::internal(
                &self.shared.path,
                what,
                died.to_string(),
            )),
        }
    }

    /// Runs a statement that is its own transaction, in a single trip to SQLite's thread, and gives the number of rows it
    /// changed. Where the caller goes away meanwhile, SQLite applies all of it or nothing. It wakes nobody: for
    /// commits of which the waker knows already.
    async fn write_at_once(&self, what: &'static str, query: Query) -> Result<u64> {
        let mut writer = self.shared.writer.lock().await;
        let done = query.execute(writer.at_rest().await).await;
        done.map(|done| done.rows_affected())
            .map_err(|e| StoreError::from(e).during(&self.shared.path, what))
    }

    /// Runs a statement that is its own transaction and gives its rows back; see [`Store::write_at_once`].
    async fn read_at_once(&self, what: &'static str, query: Query) -> Result<Vec<SqliteRow>> {
        let mut writer = self.shared.writer.lock().await;
        let rows = query.fetch_all(writer.at_rest().await).await;
        rows.map_err(|e| StoreError::from(e).during(&self.shared.path, what))
    }

    /// The reading connections, for queries of this room.
    fn readers(&self) -> &SqlitePool {
        match self.writes_on {
            Some(_) => &self.shared.visitors_readers,
            None => &self.shared.readers,
        }
    }

    /// How a reading connection beside the pool is opened.
    fn reader_options(&self) -> SqliteConnectOptions {
        self.shared.reader_options.clone()
    }

    /// Names what a reading query was for, in its error.
    fn reading(&self, what: &'static str) -> impl Fn(sqlx::Error) -> StoreError + '_ {
        move |error| StoreError::from_sqlx(&error, &self.shared.path, what)
    }

    /// Wakes the tasks that wait for work, as a commit does.
    pub fn wake(&self) {
        self.shared.changed.send_modify(|n| *n += 1);
    }

    /// A signal that fires after each commit of this process, and after [`Store::wake`].
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Watches for commits of other processes and turns each into a wake-up, until the future is dropped. The first look
    /// wakes as well: a reader from before it may have missed one.
    ///
    /// # Errors
    /// When the database can no longer be read.
    pub async fn watch_others(&self, every: Duration) -> Result<()> {
        let mut own = self
            .shared
            .readers
            .acquire()
            .await
            .map_err(self.reading("watching for changes"))?;
        let mut last = None;
        loop {
            self.look_at_place();
            let now: i64 = sqlx::query_scalar("PRAGMA data_version")
                .fetch_one(&mut *own)
                .await
                .map_err(self.reading("watching for changes"))?;
            if last.replace(now) != Some(now) {
                self.wake();
            }
            tokio::time::sleep(every).await;
        }
    }

    /// Closes every connection; the WAL is folded into the database.
    pub async fn close(self) {
        self.shared.visitors_readers.close().await;
        if self.shared.is_daemon.load(Ordering::Acquire)
            && let Some(companion) = &self.shared.companion
        {
            companion.change(|record| (record.log, record.trouble) = (None, None));
        }
        self.shared.readers.close().await;
        if let Some(shared) = alone(self.shared).await
            && let Some(writer) = alone(shared.writer).await
        {
            let _ = writer.into_inner().connection.close().await;
        }
    }
}

/// What is shared, once nobody else has it. A job that has given its result may hold it for a moment longer; one that keeps
/// it beyond that is not waited for.
async fn alone<T>(mut shared: Arc<T>) -> Option<T> {
    for _ in 0..LETTING_GO_TRIES {
        match Arc::try_unwrap(shared) {
            Ok(alone) => return Some(alone),
            Err(held) => shared = held,
        }
        tokio::time::sleep(LETTING_GO_WAIT).await;
    }
    None
}

/// How the writing connection is opened.
fn writing(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .pragma("cache_size", "-32000")
        .pragma("temp_store", "MEMORY")
        .pragma("journal_size_limit", "67108864")
        .optimize_on_close(false, None)
        .disable_statement_logging()
}

/// A stored time; one that no version wrote is taken to the nearest that can be.
fn time_of(milliseconds: i64) -> Timestamp {
    let nearest = if milliseconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_millisecond(milliseconds).unwrap_or(nearest)
}

/// A stored state of a subscription.
fn state_of(number: i64) -> sqlx::Result<SubscriptionState> {
    SubscriptionState::from_number(number).ok_or_else(|| {
        sqlx::Error::Decode(format!("{number} is no state of a subscription").into())
    })
}

/// The tags of a column.
fn split_tags(column: &str) -> Vec<String> {
    column
        .split(',')
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}
