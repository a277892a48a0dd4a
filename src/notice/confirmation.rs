//! The mail that asks somebody to confirm a subscription.
//!
//! The address is all that it takes from the sign-up form. Nobody can use it to send a message to a stranger.

use jiff::Timestamp;
use minijinja::context;

use crate::compose::theme::escape::Html;
use crate::compose::theme::slots::{self, Slot, Slots};
use crate::compose::theme::{Density, Skeleton, Theme, ThemeError};
use crate::model::rendered::{Context, FORMAT, MergeField, Piece, Purpose};
use crate::model::{List, Rendered};
use crate::phrases::script::Script;
use crate::phrases::{self, Bit, Phrases};

/// The theme of these mails. It is built in; an author's themes do not replace it.
const THEME: &str = "transactional";
/// The width of the text part, in columns (RFC 3676, 4.2 advises at most 78).
const TEXT_COLUMNS: usize = 72;

/// The confirmation mail of one list in the list's language, rendered except for what differs between requests.
#[derive(Clone, Debug)]
pub(crate) struct Confirmation {
    list: List,
    phrases: Phrases,
    subject: String,
    skeleton: Skeleton,
    slots: Slots,
    /// Until when the button works.
    until: Slot,
    /// When and from which network the request came.
    requested: Slot,
}

impl Confirmation {
    /// Renders the mail of a list, through MJML. This is slow: do it once, at the start.
    ///
    /// # Errors
    /// [`ThemeError`] only if the built-in theme were broken.
    pub(crate) fn new(list: &List) -> Result<Confirmation, ThemeError> {
        let phrases = Phrases::of(&list.language);
        let subject = phrases::fill(phrases.confirm_subject, &[("list", &list.name)]);
        let mut slots = Slots::default();
        let (until, requested) = (slots.reserve(), slots.reserve());
        let mut put = |text: &str| slots.put(escaped(text));
        let outline = context! {
            lang => phrases.language(),
            subject => put(&subject),
            preheader => put(phrases.confirm_preheader),
            list => put(&list.name),
            heading => put(phrases.confirm_heading),
            button => put(phrases.confirm_button),
            hint => until.token(),
            otherwise => put(phrases.confirm_otherwise),
            trouble => put(phrases.confirm_trouble),
            asked => requested.token(),
            sent_with => put(phrases.sent_with),
            request => slots.put(request(phrases)),
            url => slots.put(vec![Piece::Field { field: MergeField::Link(Purpose::Confirm), context: Context::Html }]),
        };
        let theme = Theme::load(THEME, None)?;
        let skeleton = theme.skeleton(phrases.language(), Density::Open, outline, &slots)?;
        Ok(Confirmation {
            list: list.clone(),
            phrases,
            subject,
            skeleton,
            slots,
            until,
            requested,
        })
    }

    /// The mail for a request that came at this moment from this network (no more precise than /24 or /48).
    /// The recipient's address and confirm link are still merge fields.
    pub(crate) fn render(&self, at: Timestamp, network: Option<&str>) -> Rendered {
        let phrases = self.phrases;
        let at = at.to_zoned(self.list.zone.clone());
        // Saturates at the end of the calendar, which is as good as no limit.
        let until = phrases.moment(&at.saturating_add(self.list.confirm_within));
        let day = phrases.date(at.date());
        let requested = match network {
            Some(network) => phrases::fill(
                phrases.requested_from,
                &[("day", &day), ("network", network)],
            ),
            None => phrases::fill(phrases.requested, &[("day", &day)]),
        };
        let until = [("until", until.as_str())];
        let mut slots = self.slots.clone();
        let works = phrases::fill(phrases.button_works_until, &until);
        slots.set(self.until, escaped(&works));
        slots.set(self.requested, escaped(&requested));
        Rendered {
            format: FORMAT,
            subject: vec![Piece::Text(self.subject.clone())],
            html: self.skeleton.fill(&slots).html,
            text: self.text(&phrases::fill(phrases.link_works_until, &until), &requested),
            language: phrases.language().to_owned(),
            date: None,
        }
    }

    /// The text part. Address and link stand on lines of their own, because their length is unknown.
    fn text(&self, valid: &str, requested: &str) -> Vec<Piece> {
        let mut out = Vec::new();
        let put = |out: &mut Vec<Piece>, text: &str, end: &str| {
            slots::push(out, &textwrap::wrap(text, TEXT_COLUMNS).join("\n"));
            slots::push(out, end);
        };
        let field = |field| Piece::Field {
            field,
            context: Context::Text,
        };
        let phrases = self.phrases;
        put(&mut out, &self.list.name, "\n\n");
        put(&mut out, phrases.confirm_heading, "\n\n");
        for bit in phrases::bits(phrases.confirm_request) {
            match bit {
                Bit::Text(text) => {
                    // The stop after the address would seem to belong to it.
                    let text = text.trim_start_matches(['.', '。']).trim();
                    if !text.is_empty() {
                        put(&mut out, text, "\n");
                    }
                }
                Bit::Hole(_) => {
                    out.push(field(MergeField::Email));
                    slots::push(&mut out, "\n");
                }
            }
        }
        slots::push(&mut out, "\n");
        put(&mut out, phrases.confirm_open, "\n");
        // Between brackets, as RFC 3986, appendix C, has it: nothing that follows is taken for a part of it.
        slots::push(&mut out, "<");
        out.push(field(MergeField::Link(Purpose::Confirm)));
        slots::push(&mut out, ">\n\n");
        put(&mut out, valid, "\n\n");
        put(&mut out, phrases.confirm_otherwise, "\n\n");
        put(&mut out, requested, "\n\n");
        put(&mut out, phrases.sent_with, "\n");
        out
    }
}

/// Text as HTML.
fn escaped(text: &str) -> Vec<Piece> {
    let mut out = Html::default();
    out.text(text);
    out.into_pieces()
}

/// The sentence that holds the recipient's address, as HTML.
fn request(phrases: Phrases) -> Vec<Piece> {
    let mut out = Html::default();
    for bit in phrases::bits(phrases.confirm_request) {
        match bit {
            Bit::Text(text) => out.text(text),
            Bit::Hole(_) => {
                out.raw("<strong>");
                out.field(MergeField::Email);
                out.raw("</strong>");
            }
        }
    }
    let script = Script::of(phrases.language());
    if !matches!(script, Script::Hans | Script::Hant | Script::Japanese) {
        out.raw(" ");
    }
    out.text(phrases.confirm_please);
    out.into_pieces()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(language: &str) -> List {
        let from = crate::model::list::Mailbox {
            name: String::new(),
            address: crate::model::Address::parse("editor@letters.example").unwrap(),
        };
        List {
            language: language.into(),
            theme: "quiet".into(),
            ..List::new("weekly", "A <b>list</b> & more", from)
        }
    }

    fn fields(pieces: &[Piece], context: Context) -> Vec<MergeField> {
        pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Field { field, context: c } => {
                    assert_eq!(*c, context);
                    Some(field.clone())
                }
                Piece::Text(_) => None,
            })
            .collect()
    }

    /// Asked for at 2021-07-29T09:14Z.
    fn confirm(language: &str, network: Option<&str>) -> Rendered {
        let at = "2021-07-29T09:14:00Z".parse().unwrap();
        Confirmation::new(&list(language))
            .unwrap()
            .render(at, network)
    }

    #[test]
    fn the_subject_asks_to_confirm_the_subscription() {
        for (language, name, subject) in [
            ("en", "Proofs", "Please confirm your subscription to Proofs"),
            (
                "de",
                "Beweise",
                "Bitte bestätigen Sie Ihr Abonnement von „Beweise“",
            ),
            ("zh", "证明", "请确认您对《证明》的订阅"),
            ("zh-TW", "《證明》", "請確認您對《證明》的訂閱"),
        ] {
            let list = List {
                name: name.into(),
                ..list(language)
            };
            let mail = Confirmation::new(&list)
                .unwrap()
                .render(Timestamp::UNIX_EPOCH, None);
            assert_eq!(mail.subject, [Piece::Text(subject.into())]);
        }
    }

    #[test]
    fn only_the_address_and_the_link_are_left_open() {
        for (language, said) in [
            ("en", "en"),
            ("de-AT", "de"),
            ("zh-TW", "zh-Hant"),
            ("zh", "zh-Hans"),
            ("ar-EG", "ar"),
            ("it", "en"),
        ] {
            let mail = confirm(language, Some("203.0.113.0/24"));
            assert_eq!(mail.language, said);
            let html = [
                MergeField::Email,
                MergeField::Link(Purpose::Confirm),
                MergeField::Link(Purpose::Confirm),
                MergeField::Link(Purpose::Confirm),
            ];
            assert_eq!(fields(&mail.html, Context::Html), html);
            assert_eq!(
                fields(&mail.text, Context::Text),
                [MergeField::Email, MergeField::Link(Purpose::Confirm)]
            );
            assert_eq!(fields(&mail.subject, Context::Text), []);
            assert!(slots::flat(&mail.html).contains("A &lt;b&gt;list&lt;/b&gt; &amp; more"));
            assert!(!slots::flat(&mail.html).contains("utm_"));
        }
    }

    #[test]
    fn until_when_and_from_where_is_said_in_both_parts() {
        for (language, until, asked) in [
            (
                "en",
                "works until Sunday, 1 August, 09:14 (UTC).",
                "Requested from 203.0.113.0/24 on 29 July 2021.",
            ),
            (
                "de",
                "gilt bis Sonntag, 1. August, 09:14 (UTC).",
                "Angefordert am 29. Juli 2021 aus dem Netz 203.0.113.0/24.",
            ),
            (
                "zh",
                "有效期至 8 月 1 日（周日）09:14 (UTC)。",
                "申请于 2021 年 7 月 29 日发自 203.0.113.0/24。",
            ),
            (
                "zh-TW",
                "有效期至 8 月 1 日（週日）09:14 (UTC)。",
                "申請於 2021 年 7 月 29 日發自 203.0.113.0/24。",
            ),
        ] {
            let mail = confirm(language, Some("203.0.113.0/24"));
            for part in [&mail.html, &mail.text] {
                let part = slots::flat(part);
                assert!(part.contains(until), "{until} is not in {part}");
                assert!(part.contains(asked), "{asked} is not in {part}");
            }
        }
        assert!(slots::flat(&confirm("en", None).text).contains("\nRequested on 29 July 2021.\n"));
    }

    #[test]
    fn the_link_of_the_text_part_is_between_brackets() {
        let text = slots::flat(&confirm("en", None).text);
        assert!(text.contains("\n<[Link(Confirm)]>\n"), "{text}");
    }

    #[test]
    fn the_text_part_is_narrow() {
        for language in ["en", "de", "zh"] {
            let text = slots::flat(&confirm(language, Some("2001:db8:ffff::/48")).text);
            for line in text.lines() {
                assert!(
                    unicode_width::UnicodeWidthStr::width(line) <= TEXT_COLUMNS,
                    "{line}"
                );
            }
        }
    }
}
