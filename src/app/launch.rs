//! The daemon: one start and one orderly end, the same for `serve`, `demo` and tests.
//!
//! The lock is taken before the database is opened, so that a second daemon changes nothing. With other settings, the
//! rooms are restarted under the same lock: the sender ends before the next one begins, and the pages are served
//! without a gap. At the end the
//! schedule and the sender stop first and mails in flight are waited for, then the web, then the watchers;
//! the database is closed last, and the lock goes with the process or the caller's handle.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::compose::theme::ThemeError;
use crate::config::Settings;
use crate::link::Links;
use crate::model::{List, ListId, SharedClock};
use crate::notice::Confirmation;
use crate::store::{DaemonLock, Missing, Store, StoreError, check_missing};
use crate::{delivery, http, schedule};

use super::error::{DaemonError, RoomError};
use super::reload::Reloads;
use super::rooms::{self, Group};
use super::{descriptors, keys, rehearsal, steering_log};

/// How often another process's writes are looked for.
const WATCH_EVERY: Duration = Duration::from_millis(250);

/// Runs the daemon on a listener until `shutdown`. When `reloads` gives other settings, the rooms are restarted with
/// them; the listener and the database stay.
///
/// # Errors
/// It could not start, or a room failed; then everything else was stopped in order, too.
pub(crate) async fn launch(
    settings: Settings,
    listener: TcpListener,
    clock: SharedClock,
    shutdown: CancellationToken,
    reloads: Reloads,
) -> Result<(), DaemonError> {
    let address = listener
        .local_addr()
        .map_or_else(|_| settings.listen.clone(), |a| a.to_string());
    let who = format!("pid {}, http://{address}", std::process::id());
    let missing = missing_database(&settings);
    check_missing(&settings.database, &missing)?;
    let mut lock = DaemonLock::take(&settings.database, &who)?;
    rehearsal::sweep(&settings.database);
    let store = Store::open_or(&settings.database, &missing).await?;
    lock.hold_file(&settings.database)?;
    store.serve();
    if let Some(restored) = store.restored() {
        tracing::warn!("{restored}.");
    }
    let daemon = Daemon {
        listener: listener.into_std().map_err(no_listener)?,
        address,
        store,
        clock,
    };
    let ended = daemon.run(settings, shutdown, reloads).await;
    tracing::info!("stopped");
    daemon.store.close().await;
    drop(lock);
    ended
}

/// What stays as it is while a daemon runs.
struct Daemon {
    listener: std::net::TcpListener,
    address: String,
    store: Store,
    clock: SharedClock,
}

/// What the rooms are started with.
struct Parts {
    settings: Settings,
    public_url: String,
    links: Links,
    lists: Vec<(ListId, List)>,
    site: Arc<http::Site>,
}

impl Daemon {
    /// Starts the rooms, and restarts them with other settings, until `shutdown` or until one falls.
    async fn run(
        &self,
        settings: Settings,
        shutdown: CancellationToken,
        mut reloads: Reloads,
    ) -> Result<(), DaemonError> {
        let mut parts = self.prepare(settings).await?;
        let mut groups = self.start(&parts)?;
        // Rooms of earlier settings, whose last requests are being answered.
        let mut leaving = JoinSet::new();
        let (address, url) = (&self.address, &parts.public_url);
        tracing::info!("listening on http://{address}; links begin with {url}");
        let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
        let fallen = loop {
            let read = tokio::select! {
                () = shutdown.cancelled() => break None,
                error = rooms::fallen(&mut groups) => break Some(error),
                read = reloads.next() => read,
            };
            let settings = reloads.merged(&read, &parts.settings);
            parts = match self.prepare(settings).await {
                Ok(parts) => parts,
                Err(why) => {
                    reloads.failed(&why.to_string());
                    continue;
                }
            };
            // The sender ends before the next one begins: two would send at once.
            let [sending, web, watching] = groups;
            if let Err(error) = sending.end().await {
                return rooms::end([web, watching], Some(error)).await;
            }
            groups = match self.start(&parts) {
                Ok(groups) => groups,
                Err(error) => return rooms::end([web, watching], Some(error)).await,
            };
            // Web and watchers go on until those of the new settings have begun.
            leaving.spawn(async {
                let (web, watching) = (web.end().await, watching.end().await);
                web.and(watching)
            });
            reloads.done(read);
        };
        let mut ended = rooms::end(groups, fallen).await;
        while let Some(left) = leaving.join_next().await {
            ended = ended.and(left.unwrap_or(Ok(())));
        }
        ended
    }

    /// Makes everything that can be at fault, and starts nothing.
    async fn prepare(&self, settings: Settings) -> Result<Parts, DaemonError> {
        let (store, clock) = (&self.store, &self.clock);
        let public_url = settings
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", self.address));
        let links = keys::links(store, &public_url, clock).await?;
        let lists = lists(store, &settings, clock).await?;
        let site = site(&settings, &lists, store, &links, clock)?;
        Ok(Parts {
            settings,
            public_url,
            links,
            lists,
            site,
        })
    }

    /// Starts every room.
    fn start(&self, parts: &Parts) -> Result<[Group; 3], DaemonError> {
        let (store, clock) = (&self.store, &self.clock);
        let listener = self.listener.try_clone().map_err(no_listener)?;
        let limits = limits(&parts.settings);
        let [mut sending, mut web, mut watching] =
            [Group::default(), Group::default(), Group::default()];
        web.start("web", |stop| {
            serve(listener, parts.site.clone(), limits, stop)
        });
        web.start("keeper of sign-ups", |stop| {
            let tidying = http::tidy(parts.site.clone(), stop);
            async {
                tidying.await;
                Ok(())
            }
        });
        sending.start("schedule", |stop| {
            let going_by = schedule::Settings {
                lists: parts.lists.clone(),
                themes: parts.settings.folder.join("themes"),
                public_url: parts.public_url.clone(),
                hold_when_late: parts.settings.sending.hold_when_late,
            };
            let running = schedule::run(store.clone(), going_by, clock.clone(), stop);
            async { Ok(running.await?) }
        });
        sending.start("sender", |stop| {
            let by_id: HashMap<ListId, List> = parts.lists.iter().cloned().collect();
            let running = delivery::run(
                store.clone(),
                parts.settings.sending.clone(),
                by_id,
                parts.links.clone(),
                clock.clone(),
                stop,
            );
            async { Ok(rooms::on_its_own_thread("sender", false, running).await??) }
        });
        watching.start("key watcher", |stop| {
            let following = keys::follow(store.clone(), parts.links.clone(), stop);
            async { Ok(following.await?) }
        });
        watching.start("database watcher", |stop| watch(store.clone(), stop));
        watching.start("steering log", |stop| {
            let running = steering_log::run(store.clone(), stop);
            async { Ok(running.await?) }
        });
        Ok([sending, web, watching])
    }
}

/// The web's listener can't be used.
fn no_listener(error: std::io::Error) -> DaemonError {
    DaemonError::Room {
        room: "web",
        error: error.into(),
    }
}

/// How many visitors there may be at once: the sender's descriptors are not for them.
fn limits(settings: &Settings) -> http::Limits {
    let relays = settings.sending.relays.iter();
    let connections: usize = relays.map(|relay| relay.connections).sum();
    descriptors::left_for_visitors(
        descriptors::raise(),
        connections as u64,
        settings.trusted_proxies.clone(),
    )
}

/// Serves visitors on a thread of their own, which steps back where the machine is busy.
async fn serve(
    listener: std::net::TcpListener,
    site: Arc<http::Site>,
    limits: http::Limits,
    stop: CancellationToken,
) -> Result<(), RoomError> {
    // Of the runtime that it is served by, so that no other one is woken for each connection.
    let serving = async { http::serve(TcpListener::from_std(listener)?, site, limits, stop).await };
    Ok(rooms::on_its_own_thread("web", true, serving).await??)
}

/// What becomes of a database that is not there, where something is to be put into it.
pub(crate) fn missing_database(settings: &Settings) -> Missing {
    Missing::MakeIfNew {
        settings: settings.folder.clone(),
        dkim: settings.sending.dkim.clone(),
    }
}

/// Every list of the settings with its row.
async fn lists(
    store: &Store,
    settings: &Settings,
    clock: &SharedClock,
) -> Result<Vec<(ListId, List)>, StoreError> {
    let keys: Vec<String> = settings.lists.iter().map(|list| list.key.clone()).collect();
    let ids = store.ensure_lists(&keys, clock.now()).await?;
    Ok(settings
        .lists
        .iter()
        .filter_map(|list| Some((*ids.get(&list.key)?, list.clone())))
        .collect())
}

fn site(
    settings: &Settings,
    lists: &[(ListId, List)],
    store: &Store,
    links: &Links,
    clock: &SharedClock,
) -> Result<Arc<http::Site>, DaemonError> {
    let confirmations: HashMap<_, _> = lists
        .iter()
        .map(|(id, list)| Ok((*id, Confirmation::new(list)?)))
        .collect::<Result<_, ThemeError>>()?;
    let web = http::Settings {
        lists: lists.to_vec(),
        trusted_proxies: settings.trusted_proxies.clone(),
        cors_origins: settings.cors_origins.clone(),
        confirmations,
    };
    let next_letter: http::NextLetter = Arc::new(schedule::next_time);
    Ok(http::Site::new(
        web,
        store.for_visitors(),
        links.clone(),
        clock.clone(),
        next_letter,
    ))
}

/// Turns other processes' commits into wake-ups. A database that is busy for a moment is looked at again.
async fn watch(store: Store, stop: CancellationToken) -> Result<(), RoomError> {
    loop {
        match stop
            .run_until_cancelled(store.watch_others(WATCH_EVERY))
            .await
        {
            None => return Ok(()),
            Some(Err(error)) if error.is_passing() => tokio::time::sleep(WATCH_EVERY).await,
            Some(Err(error)) => return Err(error.into()),
            Some(Ok(())) => {}
        }
    }
}
