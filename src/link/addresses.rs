//! The addresses that stand in mails and on pages.

use std::sync::{Arc, PoisonError, RwLock};

use super::token::{BadToken, Claim, KeyRing, Purpose};
use crate::model::{IssueId, ListId, SubscriberId};

/// In place of a token where nothing is signed, as in a rendered preview: shows a page, changes nothing.
const PREVIEW: &str = "preview";

/// Writes and reads our own links. Clones share the keys: when [`Links::renew`] puts new ones in, all follow.
#[derive(Clone, Debug)]
pub struct Links {
    /// What every address begins with; no slash at its end.
    public_url: Arc<str>,
    /// `None`: a preview without a database, hence without keys.
    ring: Arc<RwLock<Option<Arc<KeyRing>>>>,
}

impl Links {
    /// Links below `public_url`, signed by the ring's newest key.
    pub fn new(public_url: &str, ring: KeyRing) -> Links {
        Links::with(public_url, Some(Arc::new(ring)))
    }

    /// Links without keys: every one of them leads to the page that says that this is a preview.
    pub fn preview(public_url: &str) -> Links {
        Links::with(public_url, None)
    }

    fn with(public_url: &str, ring: Option<Arc<KeyRing>>) -> Links {
        Links {
            public_url: public_url.trim_end_matches('/').into(),
            ring: Arc::new(RwLock::new(ring)),
        }
    }

    /// Puts other keys in, here and in every clone; says whether they differ from those of before.
    pub fn renew(&self, ring: KeyRing) -> bool {
        let mut held = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let differs = held.as_ref().is_none_or(|old| !old.same_keys(&ring));
        if differs {
            *held = Some(Arc::new(ring));
        }
        differs
    }

    fn ring(&self) -> Option<Arc<KeyRing>> {
        self.ring
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What every address begins with, without a slash at its end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The page to sign up at; `list` is its key.
    pub fn subscribe_url(&self, list: &str) -> String {
        format!("{}/subscribe?list={list}", self.public_url)
    }

    /// What the addresses of pictures begin with.
    pub fn media_base(&self) -> String {
        format!("{}/media/", self.public_url)
    }

    /// The page at which a person confirms.
    pub fn confirm_url(&self, list: ListId, subscriber: SubscriberId) -> String {
        format!(
            "{}/confirm/{}",
            self.public_url,
            self.token(Purpose::Confirm, list, subscriber)
        )
    }

    /// A person's own page for leaving, which takes RFC 8058's POST too.
    pub fn unsubscribe_url(&self, list: ListId, subscriber: SubscriberId) -> String {
        format!(
            "{}/unsubscribe/{}",
            self.public_url,
            self.token(Purpose::Unsubscribe, list, subscriber)
        )
    }

    /// The same address in a test copy: its page explains itself, and changes nothing.
    pub fn inert_url(&self, list: ListId) -> String {
        format!(
            "{}/unsubscribe/{}",
            self.public_url,
            self.token(Purpose::Inert, list, SubscriberId(0))
        )
    }

    /// A token for one purpose.
    pub fn token(&self, purpose: Purpose, list: ListId, subscriber: SubscriberId) -> String {
        self.ring().map_or_else(
            || PREVIEW.into(),
            |ring| {
                ring.mint(&Claim {
                    purpose,
                    list,
                    subscriber,
                })
            },
        )
    }

    /// What a token of one of our addresses says.
    ///
    /// # Errors
    /// [`BadToken`] where it is not one of ours.
    pub fn verify(&self, token: &str) -> Result<Claim, BadToken> {
        if token == PREVIEW {
            return Ok(Claim {
                purpose: Purpose::Inert,
                list: ListId(0),
                subscriber: SubscriberId(0),
            });
        }
        self.ring().ok_or(BadToken)?.verify(token)
    }

    /// The token of an envelope sender; `None` in a preview.
    pub fn bounce_token(&self, issue: IssueId, subscriber: SubscriberId) -> Option<String> {
        self.ring().map(|ring| ring.mint_bounce(issue, subscriber))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(id: i64) -> KeyRing {
        KeyRing::new(vec![(id, vec![5; 32])]).unwrap()
    }

    #[test]
    fn addresses_begin_with_public_url() {
        let links = Links::new("https://letters.example.org/", ring(1));
        let url = links.unsubscribe_url(ListId(1), SubscriberId(7));
        let token = url
            .strip_prefix("https://letters.example.org/unsubscribe/")
            .unwrap();
        let claim = Claim {
            purpose: Purpose::Unsubscribe,
            list: ListId(1),
            subscriber: SubscriberId(7),
        };
        assert_eq!(links.verify(token), Ok(claim));
        assert_eq!(links.media_base(), "https://letters.example.org/media/");
        assert_eq!(
            links.subscribe_url("weekly"),
            "https://letters.example.org/subscribe?list=weekly"
        );
    }

    #[test]
    fn clones_follow_new_keys() {
        let links = Links::new("https://e.example", ring(1));
        let clone = links.clone();
        assert!(!links.renew(ring(1)));
        assert!(links.renew(ring(2)));
        let token = links.token(Purpose::Confirm, ListId(1), SubscriberId(2));
        assert!(ring(2).verify(&token).is_ok() && clone.verify(&token).is_ok());
    }

    #[test]
    fn a_preview_signs_nothing_and_its_links_do_nothing() {
        let preview = Links::preview("https://e.example");
        assert_eq!(
            preview.unsubscribe_url(ListId(1), SubscriberId(2)),
            "https://e.example/unsubscribe/preview"
        );
        assert_eq!(preview.bounce_token(IssueId(1), SubscriberId(2)), None);
        let links = Links::new("https://e.example", ring(1));
        assert_eq!(links.verify("preview").unwrap().purpose, Purpose::Inert);
        assert_eq!(preview.verify("x"), Err(BadToken));
    }
}
