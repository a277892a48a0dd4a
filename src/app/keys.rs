//! The keys of signed links: made at the first start, followed when another process rotates them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::link::Links;
use crate::link::token::KeyRing;
use crate::model::SharedClock;
use crate::store::{Store, StoreError};

/// How often commits may lead to another look at the keys.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Links below `public_url`, with the database's keys; the first is made where there is none.
///
/// # Errors
/// The database can't be read or written.
pub(crate) async fn links(
    store: &Store,
    public_url: &str,
    clock: &SharedClock,
) -> Result<Links, StoreError> {
    if store.link_keys().await?.is_empty() {
        let mut secret = [0; 32];
        clock.random(&mut secret);
        store.add_link_key(secret, clock.now()).await?;
    }
    Ok(Links::new(public_url, ring(store).await?))
}

/// Puts new keys into `links` when another process adds one, until `shutdown`.
///
/// # Errors
/// The database can't be read any more.
pub(crate) async fn follow(
    store: Store,
    links: Links,
    shutdown: CancellationToken,
) -> Result<(), StoreError> {
    let mut changes = store.changes();
    while let Some(Ok(())) = shutdown.run_until_cancelled(changes.changed()).await {
        match ring(&store).await {
            Ok(ring) => {
                if links.renew(ring) {
                    tracing::info!("links are now signed with a new key");
                }
            }
            Err(error) if error.is_passing() => {
                tracing::warn!("the link keys can't be read yet: {error}")
            }
            Err(error) => return Err(error),
        }
        // A busy sender commits many times a second.
        shutdown
            .run_until_cancelled(tokio::time::sleep(LOOK_EVERY))
            .await;
    }
    Ok(())
}

async fn ring(store: &Store) -> Result<KeyRing, StoreError> {
    KeyRing::new(store.link_keys().await?)
        .map_err(|e| StoreError::refused(e.to_string()).at(store.path()))
}
