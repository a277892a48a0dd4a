//! Which keys sign the mails of which domain: follows what the database says is in use, reads the files once. Mails
//! are signed on threads of their own, while their connection does what it can without them.

mod signed;
mod threads;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use signed::Progress;
pub(super) use signed::{Signed, SignedMail};
use threads::Threads;

use crate::mail::dkim::keys::{KeyError, Pair};
use crate::mail::dkim::{self, Policy, Signer};
use crate::model::Address;
use crate::store::{Result, Store};

/// The signers of every domain that has keys.
pub struct Signing {
    /// The folder with the keys.
    folder: PathBuf,
    state: RwLock<State>,
    threads: Threads,
}

#[derive(Default)]
struct State {
    /// Domain and stem, as the database had them when the files were read.
    chosen: Vec<(String, String)>,
    /// `Err`: why the domain's keys can't be used.
    domains: HashMap<String, Signers>,
}

type Signers = std::result::Result<Arc<[Arc<dyn Signer>]>, Obstacle>;

/// Why mails of a domain can't be signed although they should be.
#[derive(Clone, Debug)]
pub struct Obstacle(Arc<KeyError>);

impl fmt::Display for Obstacle {
    /// One sentence that names the file, and says what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Obstacle {}

impl From<KeyError> for Obstacle {
    fn from(error: KeyError) -> Obstacle {
        Obstacle(Arc::new(error))
    }
}

impl Signing {
    /// No keys yet; [`Signing::follow`] reads them.
    pub fn new(folder: PathBuf) -> Signing {
        Signing {
            folder,
            state: RwLock::default(),
            threads: Threads::new(),
        }
    }

    /// Reads the keys of those domains for which another pair is in use than before. Where the new ones can't be
    /// read, the old ones go on signing.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub async fn follow(&self, store: &Store) -> Result<()> {
        let chosen = store.dkim_selectors().await?;
        let before = self
            .state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .chosen
            .clone();
        if chosen == before {
            return Ok(());
        }
        let mut read = HashMap::new();
        for (domain, stem) in chosen.iter().filter(|pair| !before.contains(pair)) {
            let signers = Pair::load(&self.folder, domain, stem).map(|pair| pair.signers().into());
            match &signers {
                Ok(_) => tracing::info!("mails from {domain} are signed by {stem}r and {stem}e"),
                Err(why) => tracing::error!("{why}"),
            }
            read.insert(domain.clone(), signers.map_err(Obstacle::from));
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // One that was removed signs nothing any more.
        state
            .domains
            .retain(|domain, _| chosen.iter().any(|(of, _)| of == domain));
        state.chosen = chosen;
        for (domain, signers) in read {
            if signers.is_ok() || !matches!(state.domains.get(&domain), Some(Ok(_))) {
                state.domains.insert(domain, signers);
            }
        }
        Ok(())
    }

    /// Retries the keys that could not be read: their files may have been repaired.
    pub fn read_again(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let State { chosen, domains } = &mut *state;
        for (domain, stem) in chosen {
            let Some(unread) = domains.get_mut(domain).filter(|signers| signers.is_err()) else {
                continue;
            };
            *unread = Pair::load(&self.folder, domain, stem)
                .inspect(|_| {
                    tracing::info!("mails from {domain} are signed by {stem}r and {stem}e")
                })
                .map(|pair| pair.signers().into())
                .map_err(Obstacle::from);
        }
    }

    /// Who signs what comes from an address: the keys of its domain, else those of the nearest one above it.
    fn of(&self, from: &Address) -> Signers {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let mut domain = from.domain();
        loop {
            if let Some(signers) = state.domains.get(domain) {
                return signers.clone();
            }
            match domain.split_once('.') {
                Some((_, above)) => domain = above,
                None => return Ok(Arc::new([])),
            }
        }
    }

    /// Why mails from an address can't be signed although they should be.
    pub fn obstacle(&self, from: &Address) -> Option<Obstacle> {
        self.of(from).err()
    }

    /// Writes a mail and begins to sign it, as the policy of its relay has it. Signing costs more than everything else
    /// that is done for a mail, so it is done on another thread, and for several mails on all cores. `buffer` is taken
    /// for its room.
    pub fn sign(
        &self,
        (from, policy): (&Address, &Policy),
        buffer: Vec<u8>,
        now: Timestamp,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Signed {
        let signers = self.of(from).unwrap_or_default();
        let room: usize = signers
            .iter()
            .filter(|signer| policy.includes(signer.algorithm()))
            .map(|signer| signer.field_max_bytes())
            .sum();
        let mut mail = SignedMail::written(buffer, room, write);
        let (size_max_bytes, is_ascii) = (room + mail.as_slice().len(), mail.as_slice().is_ascii());
        if room == 0 {
            return Signed {
                size_max_bytes,
                is_ascii,
                mail: Progress::Done(mail),
            };
        }
        let policy = policy.clone();
        let signing = self.threads.run(move || {
            mail.put_before(&dkim::fields(mail.as_slice(), &signers, &policy, now));
            mail
        });
        Signed {
            size_max_bytes,
            is_ascii,
            mail: Progress::Runs(signing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{address, open, t};

    #[tokio::test]
    async fn a_domain_whose_keys_were_removed_is_signed_no_more() {
        let (dir, store) = open().await;
        let pair = Pair::create(dir.path(), "example.org").unwrap();
        store
            .use_dkim_selector("example.org", &pair.stem, t(0))
            .await
            .unwrap();
        let signing = Signing::new(dir.path().to_owned());
        let from = address("news@example.org");
        let signers = async || {
            signing.follow(&store).await.unwrap();
            signing.of(&from).unwrap().len()
        };
        assert_eq!(signers().await, 2);
        assert!(store.forget_dkim_selector("example.org").await.unwrap());
        assert_eq!(signers().await, 0);
    }
}
