//! The addresses of our own pages, as they are in mails and on pages.

use std::sync::{Arc, PoisonError, RwLock};

use super::token::{BadToken, Claim, KeyRing};
use super::written::readings;
use crate::model::rendered::Purpose;
use crate::model::{IssueId, ListId, SubscriberId};

/// The token of links in a rendered preview, where nothing is signed. Its pages change nothing.
const PREVIEW: &str = "preview";

/// Writes and reads our own links. Clones share the keys, so [`Links::renew`] renews them for all.
#[derive(Clone, Debug)]
pub struct Links {
    /// The start of every address, without a slash at its end.
    public_url: Arc<str>,
    /// `None`: a preview without a database, hence without keys.
    ring: Arc<RwLock<Option<Arc<KeyRing>>>>,
}

impl Links {
    /// Links below `public_url`, signed by the ring's newest key.
    pub fn new(public_url: &str, ring: KeyRing) -> Links {
        Links::with(public_url, Some(Arc::new(ring)))
    }

    /// Links without keys. Each leads to a page that says that this is a preview.
    pub fn preview(public_url: &str) -> Links {
        Links::with(public_url, None)
    }

    fn with(public_url: &str, ring: Option<Arc<KeyRing>>) -> Links {
        Links {
            public_url: public_url.trim_end_matches('/').into(),
            ring: Arc::new(RwLock::new(ring)),
        }
    }

    /// Replaces the keys, here and in every clone. `true` if they differ from the previous ones.
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

    /// The start of every address, without a slash at its end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The start of the addresses of pictures.
    pub fn media_base(&self) -> String {
        format!("{}/media/", self.public_url)
    }

    /// One person's links on a list.
    pub fn of(&self, list: ListId, subscriber: SubscriberId) -> PersonalLinks<'_> {
        PersonalLinks {
            links: self,
            list,
            subscriber: Some(subscriber),
        }
    }

    /// The links in a test copy of a list's issue: their pages explain themselves and change nothing.
    pub fn inert(&self, list: ListId) -> PersonalLinks<'_> {
        PersonalLinks {
            links: self,
            list,
            subscriber: None,
        }
    }

    /// The token that lets a subscriber of a list do one thing.
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

    /// What a token from one of our addresses permits, and to whom.
    ///
    /// # Errors
    /// [`BadToken`] if none of our keys signed it.
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

    /// What the token permits that is in the last part of an address, as it comes back from a mail program: with brackets,
    /// quotes or full stops around it, broken by a space or a line's end, or without the `-` at its end.
    ///
    /// # Errors
    /// [`BadToken`] if the text holds none that one of our keys signed.
    pub fn verify_in(&self, text: &str) -> Result<Claim, BadToken> {
        let readings = readings(text);
        readings
            .iter()
            .find_map(|token| self.verify(token).ok())
            .ok_or(BadToken)
    }

    /// The token of the envelope sender of an issue's mail to one person (VERP); `None` in a preview.
    pub fn bounce_token(&self, issue: IssueId, subscriber: SubscriberId) -> Option<String> {
        self.ring().map(|ring| ring.mint_bounce(issue, subscriber))
    }
}

/// The links of one person on one list. Each is signed when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PersonalLinks<'a> {
    links: &'a Links,
    list: ListId,
    /// `None`: the links of a test copy.
    subscriber: Option<SubscriberId>,
}

impl PersonalLinks<'_> {
    /// The address of the link for a purpose. That for unsubscribing takes the POST of RFC 8058 as well.
    pub fn url(&self, purpose: Purpose) -> String {
        let path = match purpose {
            Purpose::Confirm => "confirm",
            Purpose::Unsubscribe | Purpose::Inert => "unsubscribe",
            Purpose::Undo => "undo",
        };
        let token = match self.subscriber {
            Some(subscriber) => self.links.token(purpose, self.list, subscriber),
            None => self.links.token(Purpose::Inert, self.list, SubscriberId(0)),
        };
        format!("{}/{path}/{token}", self.links.public_url)
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
        let url = links
            .of(ListId(1), SubscriberId(7))
            .url(Purpose::Unsubscribe);
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
        let confirm = links.of(ListId(1), SubscriberId(7)).url(Purpose::Confirm);
        assert!(confirm.starts_with("https://letters.example.org/confirm/"));
    }

    #[test]
    fn a_token_is_found_in_what_mail_programs_make_of_it() {
        let links = Links::new("https://e.example", ring(1));
        let token = links.token(Purpose::Unsubscribe, ListId(1), SubscriberId(7));
        let (start, end) = token.split_at(9);
        for text in [
            format!("<{token}>."),
            format!("{start} {end}"),
            format!("{start}=\r\n{end}\u{200b}"),
            format!("{token}&amp;utm_source=x"),
            format!("{token} to leave"),
        ] {
            assert_eq!(links.verify_in(&text).unwrap().subscriber, SubscriberId(7));
        }
        for text in [
            format!("{token}A"),
            format!("x{token}"),
            end.to_owned(),
            String::new(),
        ] {
            assert_eq!(links.verify_in(&text), Err(BadToken), "{text}");
        }
        assert_eq!(links.verify_in("preview.").unwrap().purpose, Purpose::Inert);
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
            preview
                .of(ListId(1), SubscriberId(2))
                .url(Purpose::Unsubscribe),
            "https://e.example/unsubscribe/preview"
        );
        assert_eq!(preview.bounce_token(IssueId(1), SubscriberId(2)), None);
        let links = Links::new("https://e.example", ring(1));
        assert_eq!(links.verify("preview").unwrap().purpose, Purpose::Inert);
        assert_eq!(preview.verify("x"), Err(BadToken));
    }
}
