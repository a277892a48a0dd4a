//! The daemon: one start and one orderly end, the same for `serve`, `demo` and tests.
//!
//! The lock is taken before the database is opened, so that a second daemon changes nothing. At the end the
//! schedule and the sender stop first and mails in flight are waited for, then the web, then the watchers;
//! the database is closed last, and the lock goes with the process or the caller's handle.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::compose::theme::ThemeError;
use crate::config::Settings;
use crate::link::Links;
use crate::model::{List, ListId, SharedClock};
use crate::notice::Confirmation;
use crate::schedule::cron::Plan;
use crate::store::{DaemonLock, Store, StoreError};
use crate::{delivery, http, schedule};

use super::error::{DaemonError, RoomError};
use super::rooms::{self, Group};
use super::{descriptors, keys, rehearsal};

/// How often another process's writes are looked for.
const WATCH_EVERY: Duration = Duration::from_millis(250);

/// Runs the daemon on a listener until `shutdown`.
///
/// # Errors
/// It could not start, or a room failed; then everything else was stopped in order, too.
pub(crate) async fn launch(
    settings: Settings,
    listener: TcpListener,
    clock: SharedClock,
    shutdown: CancellationToken,
) -> Result<(), DaemonError> {
    let address = listener
        .local_addr()
        .map_or_else(|_| settings.listen.clone(), |a| a.to_string());
    let who = format!("pid {}, http://{address}", std::process::id());
    let lock = DaemonLock::take(&settings.database, &who)?;
    rehearsal::sweep(&settings.database);
    let store = Store::open(&settings.database).await?;
    let public_url = settings
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://{address}"));
    let links = keys::links(&store, &public_url, &clock).await?;
    let lists = lists(&store, &settings, &clock).await?;

    let [mut sending, mut web, mut watching] =
        [Group::default(), Group::default(), Group::default()];
    let site = site(&settings, &lists, &store, &links, &clock)?;
    let limits = limits(&settings);
    web.start("web", |stop| serve(listener, site.clone(), limits, stop));
    web.start("keeper of sign-ups", |stop| {
        let tidying = http::tidy(site, stop);
        async {
            tidying.await;
            Ok(())
        }
    });
    sending.start("schedule", |stop| {
        let going_by = schedule::Settings {
            lists: lists.clone(),
            themes: settings.folder.join("themes"),
            public_url: public_url.clone(),
            hold_when_late: settings.sending.hold_when_late,
        };
        let running = schedule::run(store.clone(), going_by, clock.clone(), stop);
        async { Ok(running.await?) }
    });
    sending.start("sender", |stop| {
        let by_id: HashMap<ListId, List> = lists.iter().cloned().collect();
        let running = delivery::run(
            store.clone(),
            settings.sending.clone(),
            by_id,
            links.clone(),
            clock.clone(),
            stop,
        );
        async { Ok(rooms::on_its_own_thread("sender", false, running).await??) }
    });
    watching.start("key watcher", |stop| {
        let following = keys::follow(store.clone(), links.clone(), stop);
        async { Ok(following.await?) }
    });
    watching.start("database watcher", |stop| watch(store.clone(), stop));

    tracing::info!("listening on http://{address}; links begin with {public_url}");
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
    let ended = rooms::until(shutdown, [sending, web, watching]).await;
    tracing::info!("stopped");
    store.close().await;
    drop(lock);
    ended
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
    listener: TcpListener,
    site: Arc<http::Site>,
    limits: http::Limits,
    stop: CancellationToken,
) -> Result<(), RoomError> {
    let listener = listener.into_std()?;
    // Of the runtime that it is served by, so that no other one is woken for each connection.
    let serving = async { http::serve(TcpListener::from_std(listener)?, site, limits, stop).await };
    Ok(rooms::on_its_own_thread("web", true, serving).await??)
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
    let next_letter: http::NextLetter = Arc::new(|list, now| {
        let plan = Plan::parse(list.schedule.as_deref()?, list.zone.clone()).ok()?;
        Some(plan.next_after(now)?.to_zoned(list.zone.clone()))
    });
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
