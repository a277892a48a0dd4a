//! Mails of the daemon itself. They are rendered once a list, when it is loaded; what differs from person to
//! person is a spot, as in an issue.
//!
//! Nothing that a stranger typed stands in them but the address, so nobody can make us carry a message.

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

/// The mail that asks somebody to confirm a subscription. [`Spot::Email`] and [`Spot::ConfirmUrl`] stand open.
///
/// # Errors
/// [`ThemeError`] only if the theme inside the binary were broken.
pub fn confirm(list: &List) -> Result<Rendered, ThemeError> {
    let phrases = Phrases::of(&list.language);
    let words = Words::of(phrases, list);
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
        sent_with => text(phrases.sent_with()),
        request => slots.put(words.request()),
        url => slots.put(vec![Piece::Spot { spot: Spot::ConfirmUrl, context: Context::Html }]),
    };
    let typeset = Theme::load(THEME, None)?.set(phrases.language(), Density::Open, outline, &slots)?;
    Ok(Rendered {
        format: FORMAT,
        subject: vec![Piece::Text(words.subject.clone())],
        html: typeset.html,
        text: words.text(&list.name, phrases.sent_with()),
        language: phrases.language().to_owned(),
    })
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
    /// What the button does, and how long it works.
    hint: String,
    valid: String,
    otherwise: &'static str,
    trouble: &'static str,
}

impl Words {
    fn of(phrases: Phrases, list: &List) -> Words {
        let name = &list.name;
        let span = phrases.span(list.confirm_within);
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
                hint: format!("The button opens a page where you press once more. It works for {span}."),
                valid: format!("The page works for {span}."),
                otherwise: "If it was not you, do nothing. Without your press nothing will be sent to you.",
                trouble: "Button not working? Open this address:",
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
                    "Der Knopf öffnet eine Seite, auf der Sie noch einmal drücken. Er gilt {span}."
                ),
                valid: format!("Die Seite gilt {span}."),
                otherwise: "Wenn Sie es nicht waren, tun Sie nichts. Ohne Ihre Bestätigung senden wir Ihnen nichts.",
                trouble: "Der Knopf geht nicht? Öffnen Sie diese Adresse:",
            },
            Phrases::Hans => Words {
                subject: format!("这是您的邮箱吗？《{name}》需要您确认"),
                preheader: "有人（想必是您）请求订阅本刊，按一下即可确认。",
                heading: "这是您的邮箱吗？",
                request: ("有人（想必是您）请求把本刊寄到 ", "。如果是您，请在此确认。"),
                button: "是的，我要订阅",
                open: "如果是您，请打开这个页面确认：",
                hint: format!("按钮会打开一个页面，请在那里再按一次。有效期为 {span}。"),
                valid: format!("页面有效期为 {span}。"),
                otherwise: "如果不是您，什么都不用做。没有您的确认，我们不会寄出任何信。",
                trouble: "按钮无法使用？请打开这个地址：",
            },
            Phrases::Hant => Words {
                subject: format!("這是您的信箱嗎？《{name}》需要您確認"),
                preheader: "有人（想必是您）請求訂閱本刊，按一下即可確認。",
                heading: "這是您的信箱嗎？",
                request: ("有人（想必是您）請求把本刊寄到 ", "。如果是您，請在此確認。"),
                button: "是的，我要訂閱",
                open: "如果是您，請打開這個頁面確認：",
                hint: format!("按鈕會打開一個頁面，請在那裡再按一次。有效期為 {span}。"),
                valid: format!("頁面有效期為 {span}。"),
                otherwise: "如果不是您，什麼都不用做。沒有您的確認，我們不會寄出任何信。",
                trouble: "按鈕無法使用？請打開這個地址：",
            },
        }
    }

    /// The sentence with the address in it.
    fn request(&self) -> Vec<Piece> {
        let mut out = Html::default();
        out.text(self.request.0);
        out.raw("<strong>");
        out.piece(Piece::Spot { spot: Spot::Email, context: Context::Html });
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
        let spot = |spot| Piece::Spot { spot, context: Context::Text };
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
            from: crate::model::list::Mailbox { name: String::new(), address: address.clone() },
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

    #[test]
    fn only_the_address_and_the_link_are_left_open() {
        for (language, said) in
            [("en", "en"), ("de-AT", "de"), ("zh-TW", "zh-Hant"), ("zh", "zh-Hans"), ("ar", "en")]
        {
            let mail = confirm(&list(language)).unwrap();
            assert_eq!(mail.language, said);
            let html = [Spot::Email, Spot::ConfirmUrl, Spot::ConfirmUrl, Spot::ConfirmUrl];
            assert_eq!(spots(&mail.html, Context::Html), html);
            assert_eq!(spots(&mail.text, Context::Text), [Spot::Email, Spot::ConfirmUrl]);
            assert_eq!(spots(&mail.subject, Context::Text), []);
            assert!(slots::flat(&mail.html).contains("A &lt;b&gt;list&lt;/b&gt; &amp; more"));
            assert!(!slots::flat(&mail.html).contains("utm_"));
        }
    }

    #[test]
    fn the_text_part_is_narrow_and_names_the_time() {
        for (language, days) in [("en", "3 days"), ("de", "3 Tage"), ("zh", "3 天")] {
            let text = slots::flat(&confirm(&list(language)).unwrap().text);
            assert!(text.contains(days), "{text}");
            for line in text.lines() {
                assert!(unicode_width::UnicodeWidthStr::width(line) <= TEXT_COLUMNS, "{line}");
            }
        }
    }
}
