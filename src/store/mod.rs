//! The database: all SQL, and nothing else. A file for each thing that is kept, such as `issues` or `subscribers`.
//!
//! One connection writes, many read. A write is a job that runs to its end in a task of its own, inside one
//! `BEGIN IMMEDIATE` transaction: a caller that is cancelled meanwhile leaves nothing half-done. Readers are
//! read-only connections that see the last commit. Domain functions live in a file per entity as further
//! `impl Store` blocks; no SQL and no connection leaves this room.
//!
//! What it leaves to others: deciding anything. Three tables of `model` say which moves there are: of mails
//! (`model::delivery`), applied by `commit_batch` and `steering`; of sends (`model::sending`), applied by `steering`;
//! of subscriptions (`model::subscription`), applied by `subscriptions` and `import`.

mod error;
mod lock;
mod migrate;

mod backup;
pub mod commit_batch;
pub mod deliveries;
pub mod fanout;
pub mod import;
pub mod issues;
pub mod keys;
pub mod lists;
pub mod media;
pub mod rates;
mod rehearsal;
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

use crate::model::subscription::SubscriptionState;

/// What this room's functions give.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A statement with its values.
type Query = sqlx::query::Query<'static, sqlx::Sqlite, SqliteArguments>;

/// A job's future; it may borrow the connection for as long as it runs.
pub type Job<'c, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'c>>;

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
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
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .pragma("cache_size", "-32000")
            .pragma("temp_store", "MEMORY")
            .pragma("journal_size_limit", "67108864")
            .optimize_on_close(false, None)
            .disable_statement_logging();
        let say = |error| StoreError::from_sqlx(&error, path, "opening it");
        let writer = Writer {
            connection: migrate::open(path, &options).await?,
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
        Ok(Store {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                writer: Arc::new(Mutex::new(writer)),
                readers,
                visitors_readers,
                reader_options,
                changed,
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
        let shared = self.shared.clone();
        let job = async move {
            let mut writer = shared.writer.clone().lock_owned().await;
            let outcome = writer
                .transaction(job)
                .await
                .map_err(|e| e.during(&shared.path, what));
            drop(writer);
            if outcome.is_ok() {
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
        self.shared.readers.close().await;
        if let Some(shared) = Arc::into_inner(self.shared)
            && let Some(writer) = Arc::into_inner(shared.writer)
        {
            let _ = writer.into_inner().connection.close().await;
        }
    }
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
