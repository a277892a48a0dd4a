//! Keys: those that sign links, which the database keeps, and those that sign mails (DKIM), which are files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::mail::dkim::keys::{self, Pair};
use crate::model::{List, SharedClock};
use crate::store::Store;

use super::{Refusal, Result};

/// Signs links with a new key from now on, and gives its id. Links that were signed before stay valid.
///
/// # Errors
/// The database can't be written.
pub(crate) async fn rotate_link_key(store: &Store, clock: &SharedClock) -> Result<i64> {
    let mut secret = [0; 32];
    clock.random(&mut secret);
    Ok(store.add_link_key(secret, clock.now()).await?)
}

/// A pair of DKIM keys, RSA and Ed25519.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DkimPair {
    /// The domain that it signs for.
    pub domain: String,
    /// What its two selectors begin with: `lp1` for `lp1r` and `lp1e`.
    pub stem: String,
    /// Whether mails are signed with it.
    pub is_in_use: bool,
}

/// Makes a pair of DKIM keys for a domain in `folder`. The first one of a domain is in use from now on, a further one
/// only once it is chosen.
///
/// # Errors
/// The domain is not one, the folder can't be written, or the database can't be.
pub(crate) async fn new_dkim(
    store: &Store,
    folder: &Path,
    domain: &str,
    now: Timestamp,
) -> Result<(Pair, bool)> {
    let pair = Pair::create(folder, domain)?;
    let in_use = store.dkim_selectors().await?;
    let is_first = in_use.iter().all(|(known, _)| *known != pair.domain);
    if is_first {
        store
            .use_dkim_selector(&pair.domain, &pair.stem, now)
            .await?;
    }
    Ok((pair, is_first))
}

/// Every pair of DKIM keys in `folder`; of one domain, or of all.
///
/// # Errors
/// The database can't be read.
pub(crate) async fn dkim_pairs(
    store: &Store,
    folder: &Path,
    domain: Option<&str>,
) -> Result<Vec<DkimPair>> {
    let in_use = store.dkim_selectors().await?;
    let pairs = keys::list(folder).into_iter();
    Ok(pairs
        .filter(|(of, _)| domain.is_none_or(|domain| domain == of))
        .map(|pair| DkimPair {
            is_in_use: in_use.contains(&pair),
            domain: pair.0,
            stem: pair.1,
        })
        .collect())
}

/// Signs mails with the pair of this stem from now on, and gives its domain; `domain` is needed only if several have
/// such a pair.
///
/// # Errors
/// [`Refusal::NoSuchDkimPair`], [`Refusal::SeveralDkimPairs`], the pair can't be read, or the database can't be
/// written.
pub(crate) async fn use_dkim(
    store: &Store,
    folder: &Path,
    stem: &str,
    domain: Option<&str>,
    now: Timestamp,
) -> Result<String> {
    let domain = domain_of(folder, stem, domain)?;
    // Read before it is chosen: a daemon that can't read it would have to pause.
    let pair = Pair::load(folder, &domain, stem)?;
    store
        .use_dkim_selector(&pair.domain, &pair.stem, now)
        .await?;
    Ok(domain)
}

/// What became of a domain's pairs of DKIM keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forgotten {
    /// The domain, as A-labels.
    pub domain: String,
    /// The stems of its pairs.
    pub stems: Vec<String>,
    /// The folder in which the keys are kept; `None`: there were none.
    pub kept: Option<PathBuf>,
}

/// The pairs of a domain, before they are forgotten.
///
/// # Errors
/// [`Refusal::NoDkimPairs`], the domain is not one, or the database can't be read.
pub(crate) async fn dkim_to_forget(
    store: &Store,
    folder: &Path,
    domain: &str,
) -> Result<Forgotten> {
    let domain = keys::domain_name(domain)?;
    let all = keys::list(folder);
    let in_use = store.dkim_selectors().await?;
    let stems: Vec<String> = all
        .iter()
        .filter(|(of, _)| *of == domain)
        .map(|(_, stem)| stem.clone())
        .collect();
    if stems.is_empty() && in_use.iter().all(|(of, _)| *of != domain) {
        let mut known: Vec<String> = all.into_iter().chain(in_use).map(|(of, _)| of).collect();
        known.sort_unstable();
        known.dedup();
        let folder = folder.to_owned();
        return Err(Refusal::NoDkimPairs {
            domain,
            folder,
            known,
        }
        .into());
    }
    Ok(Forgotten {
        domain,
        stems,
        kept: None,
    })
}

/// Signs with no pair of a domain any more, and moves its keys aside.
///
/// # Errors
/// The database can't be written, or the folder can't be moved; doing it again completes it.
pub(crate) async fn forget_dkim(
    store: &Store,
    folder: &Path,
    found: Forgotten,
    now: Timestamp,
) -> Result<Forgotten> {
    store.forget_dkim_selector(&found.domain).await?;
    let kept = keys::set_aside(folder, &found.domain, now)?;
    Ok(Forgotten { kept, ..found })
}

/// The addresses of lists whose mails no pair in use signs: none of their domain, nor of one above it.
pub(crate) fn unsigned<'l>(lists: &'l [List], in_use: &[(String, String)]) -> Vec<&'l List> {
    let signs = |of: &str, domain: &str| {
        of.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let is_unsigned = |list: &&List| {
        let of = list.from.address.domain();
        !in_use.iter().any(|(domain, _)| signs(of, domain))
    };
    lists.iter().filter(is_unsigned).collect()
}

/// The domain that has a pair of this stem.
fn domain_of(folder: &Path, stem: &str, only: Option<&str>) -> Result<String, Refusal> {
    let all = keys::list(folder);
    let found: Vec<String> = all
        .iter()
        .filter(|(domain, known)| known == stem && only.is_none_or(|only| only == domain))
        .map(|(domain, _)| domain.clone())
        .collect();
    match <[String; 1]>::try_from(found) {
        Ok([domain]) => Ok(domain),
        Err(found) if found.is_empty() => {
            let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (domain, stem) in all {
                known.entry(stem).or_default().push(domain);
            }
            Err(Refusal::NoSuchDkimPair {
                stem: stem.to_owned(),
                folder: folder.to_owned(),
                known,
            })
        }
        Err(domains) => Err(Refusal::SeveralDkimPairs {
            stem: stem.to_owned(),
            domains,
        }),
    }
}
