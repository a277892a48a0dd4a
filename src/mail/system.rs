//! Mails of the daemon itself, rendered when they are queued. The person's own address and link are spots, as in an
//! issue.
//!
//! Nothing that a stranger typed stands in them but the address, so nobody can make us carry a message.

use jiff::Timestamp;
use minijinja::context;

use crate::compose::theme::escape::Html;
use crate::compose::theme::phrases::Phrases;
use crate::compose::theme::slots::{self, Slots};
use crate::compose::theme::{Density, Theme, ThemeError};
use crate::model::rendered::{Context, FORMAT, Piece, Spot};
use crate::model::{List, Rendered};

/// The theme of these mails; it stands in the binary alone.
const THEME: &str = "transactional";
/// Columns of the text part (RFC 3676 advises no more than 78).
const TEXT_COLUMNS: usize = 72;

/// The mail that asks somebody to confirm a subscription, ready to be made out.
#[derive(Clone, Debug)]
pub struct Confirmation {
    theme: Theme,
    list: List,
}

impl Confirmation {
    /// The mail of a list.
    ///
    /// # Errors
    /// [`ThemeError`] only if the theme inside the binary were broken: it is tried here.
    pub fn new(list: &List) -> Result<Confirmation, ThemeError> {
        let confirmation = Confirmation {
            theme: Theme::load(THEME, None)?,
            list: list.clone(),
        };
        confirmation.ask(Timestamp::UNIX_EPOCH, None)?;
        Ok(confirmation)
    }

    /// The mail about a wish that was sent at this moment, and from this network (no finer than /24 or /48).
    /// [`Spot::Email`] and [`Spot::ConfirmUrl`] stand open.
    ///
    /// # Errors
    /// As [`Confirmation::new`].
    pub fn ask(&self, at: Timestamp, network: Option<&str>) -> Result<Rendered, ThemeError> {
        let list = &self.list;
        let phrases = Phrases::of(&list.language);
        let words = Words::of(phrases, list, at, network);
        let mut slots = Slots::default();
        let mut text = |text: &str| {
            let mut out = Html::default();
            out.text(text);
            slots.put(out.into_pieces())
        };
        let outline = context! {
            lang => phrases.language(),
            subject => text(&words.subject),
            preheader => text(words.preheader),
            list => text(&list.name),
            heading => text(words.heading),
            button => text(words.button),
            hint => text(&words.hint),
            otherwise => text(words.otherwise),
            trouble => text(words.trouble),
            asked => text(&words.asked),
            sent_with => text(phrases.sent_with()),
            request => slots.put(words.request()),
            url => slots.put(vec![Piece::Spot { spot: Spot::ConfirmUrl, context: Context::Html }]),
        };
        let typeset = self
            .theme
            .set(phrases.language(), Density::Open, outline, &slots)?;
        Ok(Rendered {
            format: FORMAT,
            subject: vec![Piece::Text(words.subject.clone())],
            html: typeset.html,
            text: words.text(&list.name, phrases.sent_with()),
            language: phrases.language().to_owned(),
        })
    }
}

/// What the confirmation mail says.
struct Words {
    subject: String,
    preheader: &'static str,
    heading: &'static str,
    /// Before and after the address.
    request: (&'static str, &'static str),
    button: &'static str,
    /// In place of the button, in the text part.
    open: &'static str,
    /// What the button does, and until when it works.
    hint: String,
    valid: String,
    /// From where and when it was asked for.
    asked: String,
    otherwise: &'static str,
    trouble: &'static str,
}

impl Words {
    fn of(phrases: Phrases, list: &List, at: Timestamp, network: Option<&str>) -> Words {
        let name = &list.name;
        let at = at.to_zoned(list.zone.clone());
        // A span that leads beyond all calendars is as good as the latest moment there is.
        let until = at.saturating_add(list.confirm_within);
        let (until, day) = (phrases.moment(&until), phrases.date(at.date()));
        match phrases {
            Phrases::English => Words {
                subject: format!("Is this your address? {name} asks"),
                preheader: "Somebody, we hope you, asked for this newsletter. One press confirms it.",
                heading: "Is this your address?",
                request: (
                    "Somebody, we hope you, asked for this newsletter to be sent to ",
                    ". If that was you, say so here.",
                ),
                button: "Yes, subscribe me",
                open: "If that was you, open this page and say so there:",
                hint: format!(
                    "The button opens a page where you press once more. It works until {until}."
                ),
                valid: format!("The page works until {until}."),
                otherwise: "If it was not you, do nothing. Without your press nothing will be sent to you.",
                trouble: "Button not working? Open this address:",
                asked: match network {
                    Some(network) => format!("Asked for from {network} on {day}."),
                    None => format!("Asked for on {day}."),
                },
            },
            Phrases::German => Words {
                subject: format!("Ist das Ihre Adresse? {name} fragt nach"),
                preheader: "Jemand, hoffentlich Sie, hat diesen Rundbrief bestellt. Ein Klick bestätigt es.",
                heading: "Ist das Ihre Adresse?",
                request: (
                    "Jemand, hoffentlich Sie, hat diesen Rundbrief bestellt, und zwar an ",
                    ". Wenn Sie es waren, bestätigen Sie es hier.",
                ),
                button: "Ja, ich möchte ihn",
                open: "Wenn Sie es waren, öffnen Sie diese Seite und bestätigen Sie es dort:",
                hint: format!(
                    "Der Knopf öffnet eine Seite, auf der Sie noch einmal drücken. Er gilt bis {until}."
                ),
                valid: format!("Die Seite gilt bis {until}."),
                otherwise: "Wenn Sie es nicht waren, tun Sie nichts. Ohne Ihre Bestätigung senden wir Ihnen nichts.",
                trouble: "Der Knopf geht nicht? Öffnen Sie diese Adresse:",
                asked: match network {
                    Some(network) => format!("Bestellt aus {network} am {day}."),
                    None => format!("Bestellt am {day}."),
                },
            },
            Phrases::Hans => Words {
                subject: format!("这是您的邮箱吗？《{name}》需要您确认"),
                preheader: "有人（想必是您）请求订阅本刊，按一下即可确认。",
                heading: "这是您的邮箱吗？",
                request: (
                    "有人（想必是您）请求把本刊寄到 ",
                    "。如果是您，请在此确认。",
                ),
                button: "是的，我要订阅",
                open: "如果是您，请打开这个页面确认：",
                hint: format!("按钮会打开一个页面，请在那里再按一次。有效期至 {until}。"),
                valid: format!("页面有效期至 {until}。"),
                otherwise: "如果不是您，什么都不用做。没有您的确认，我们不会寄出任何信。",
                trouble: "按钮无法使用？请打开这个地址：",
                asked: match network {
                    Some(network) => format!("请求于 {day}发自 {network}。"),
                    None => format!("请求于 {day}发出。"),
                },
            },
            Phrases::Hant => Words {
                subject: format!("這是您的信箱嗎？《{name}》需要您確認"),
                preheader: "有人（想必是您）請求訂閱本刊，按一下即可確認。",
                heading: "這是您的信箱嗎？",
                request: (
                    "有人（想必是您）請求把本刊寄到 ",
                    "。如果是您，請在此確認。",
                ),
                button: "是的，我要訂閱",
                open: "如果是您，請打開這個頁面確認：",
                hint: format!("按鈕會打開一個頁面，請在那裡再按一次。有效期至 {until}。"),
                valid: format!("頁面有效期至 {until}。"),
                otherwise: "如果不是您，什麼都不用做。沒有您的確認，我們不會寄出任何信。",
                trouble: "按鈕無法使用？請打開這個地址：",
                asked: match network {
                    Some(network) => format!("請求於 {day}發自 {network}。"),
                    None => format!("請求於 {day}發出。"),
                },
            },
        }
    }

    /// The sentence with the address in it.
    fn request(&self) -> Vec<Piece> {
        let mut out = Html::default();
        out.text(self.request.0);
        out.raw("<strong>");
        out.piece(Piece::Spot {
            spot: Spot::Email,
            context: Context::Html,
        });
        out.raw("</strong>");
        out.text(self.request.1);
        out.into_pieces()
    }

    /// The text part. Address and link stand on lines of their own, since nobody knows how long they are.
    fn text(&self, list: &str, sent_with: &str) -> Vec<Piece> {
        let mut out = Vec::new();
        let say = |out: &mut Vec<Piece>, text: &str, end: &str| {
            slots::push(out, &textwrap::wrap(text, TEXT_COLUMNS).join("\n"));
            slots::push(out, end);
        };
        let spot = |spot| Piece::Spot {
            spot,
            context: Context::Text,
        };
        say(&mut out, list, "\n\n");
        say(&mut out, self.heading, "\n\n");
        say(&mut out, self.request.0.trim_end(), "\n");
        out.push(spot(Spot::Email));
        slots::push(&mut out, "\n\n");
        say(&mut out, self.open, "\n");
        out.push(spot(Spot::ConfirmUrl));
        slots::push(&mut out, "\n\n");
        say(&mut out, &self.valid, "\n\n");
        say(&mut out, self.otherwise, "\n\n");
        say(&mut out, &self.asked, "\n\n");
        say(&mut out, sent_with, "\n");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(language: &str) -> List {
        let address = crate::model::Address::parse("editor@letters.example").unwrap();
        List {
            key: "weekly".into(),
            name: "A <b>list</b> & more".into(),
            promise: String::new(),
            description: String::new(),
            from: crate::model::list::Mailbox {
                name: String::new(),
                address: address.clone(),
            },
            unsubscribe_mailto: address,
            bounce_address: None,
            language: language.into(),
            issues: "issues".into(),
            schedule: None,
            zone: jiff::tz::TimeZone::UTC,
            theme: "quiet".into(),
            postal_address: String::new(),
            confirm_within: std::time::Duration::from_secs(72 * 3600),
            confirm_again_after: std::time::Duration::from_secs(3600),
            utm: crate::model::list::Utm {
                source: String::new(),
                medium: String::new(),
                campaign: String::new(),
                only_domains: Vec::new(),
                never_domains: Vec::new(),
            },
        }
    }

    fn spots(pieces: &[Piece], context: Context) -> Vec<Spot> {
        pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Spot { spot, context: c } => {
                    assert_eq!(*c, context);
                    Some(spot.clone())
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
            .ask(at, network)
            .unwrap()
    }

    #[test]
    fn only_the_address_and_the_link_are_left_open() {
        for (language, said) in [
            ("en", "en"),
            ("de-AT", "de"),
            ("zh-TW", "zh-Hant"),
            ("zh", "zh-Hans"),
            ("ar", "en"),
        ] {
            let mail = confirm(language, Some("203.0.113.0/24"));
            assert_eq!(mail.language, said);
            let html = [
                Spot::Email,
                Spot::ConfirmUrl,
                Spot::ConfirmUrl,
                Spot::ConfirmUrl,
            ];
            assert_eq!(spots(&mail.html, Context::Html), html);
            assert_eq!(
                spots(&mail.text, Context::Text),
                [Spot::Email, Spot::ConfirmUrl]
            );
            assert_eq!(spots(&mail.subject, Context::Text), []);
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
                "Asked for from 203.0.113.0/24 on 29 July 2021.",
            ),
            (
                "de",
                "gilt bis Sonntag, 1. August, 09:14 (UTC).",
                "Bestellt aus 203.0.113.0/24 am 29. Juli 2021.",
            ),
            (
                "zh",
                "有效期至 8 月 1 日（周日）09:14 (UTC)。",
                "请求于 2021 年 7 月 29 日发自 203.0.113.0/24。",
            ),
            (
                "zh-TW",
                "有效期至 8 月 1 日（週日）09:14 (UTC)。",
                "請求於 2021 年 7 月 29 日發自 203.0.113.0/24。",
            ),
        ] {
            let mail = confirm(language, Some("203.0.113.0/24"));
            for part in [&mail.html, &mail.text] {
                let part = slots::flat(part);
                assert!(part.contains(until), "{until} is not in {part}");
                assert!(part.contains(asked), "{asked} is not in {part}");
            }
        }
        assert!(slots::flat(&confirm("en", None).text).contains("\nAsked for on 29 July 2021.\n"));
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
