//! The sentences of the confirmation mail.

use super::Phrases;

/// The sentences that are the same in every confirmation mail of a list.
#[derive(Clone, Debug)]
pub(crate) struct ConfirmationPhrases {
    /// The subject, with the list's name.
    pub(crate) subject: String,
    /// What mail programs show beside the subject.
    pub(crate) preheader: &'static str,
    /// The headline.
    pub(crate) heading: &'static str,
    /// Who asked for what: the text before the address, and after it.
    pub(crate) request: (&'static str, &'static str),
    /// The label of the button.
    pub(crate) button: &'static str,
    /// In the text part: what comes before the link, in place of the button.
    pub(crate) open: &'static str,
    /// What to do if somebody else asked.
    pub(crate) otherwise: &'static str,
    /// What comes before the link for readers whose button does not work.
    pub(crate) trouble: &'static str,
}

impl ConfirmationPhrases {
    /// The sentences for the list of this name.
    pub(crate) fn of(phrases: Phrases, list: &str) -> ConfirmationPhrases {
        match phrases {
            Phrases::English => ConfirmationPhrases {
                subject: format!("Is this your address? {list} asks"),
                preheader: "Somebody, we hope you, asked for this newsletter. One press confirms it.",
                heading: "Is this your address?",
                request: (
                    "Somebody, we hope you, asked for this newsletter to be sent to ",
                    ". If that was you, say so here.",
                ),
                button: "Yes, subscribe me",
                open: "If that was you, open this page and say so there:",
                otherwise: "If it was not you, do nothing. Without your press nothing will be sent to you.",
                trouble: "Button not working? Open this address:",
            },
            Phrases::German => ConfirmationPhrases {
                subject: format!("Ist das Ihre Adresse? {list} fragt nach"),
                preheader: "Jemand, hoffentlich Sie, hat diesen Rundbrief bestellt. Ein Klick bestätigt es.",
                heading: "Ist das Ihre Adresse?",
                request: (
                    "Jemand, hoffentlich Sie, hat diesen Rundbrief bestellt, und zwar an ",
                    ". Wenn Sie es waren, bestätigen Sie es hier.",
                ),
                button: "Ja, ich möchte ihn",
                open: "Wenn Sie es waren, öffnen Sie diese Seite und bestätigen Sie es dort:",
                otherwise: "Wenn Sie es nicht waren, tun Sie nichts. Ohne Ihre Bestätigung senden wir Ihnen nichts.",
                trouble: "Der Knopf geht nicht? Öffnen Sie diese Adresse:",
            },
            Phrases::Hans => ConfirmationPhrases {
                subject: format!("这是您的邮箱吗？《{list}》需要您确认"),
                preheader: "有人（想必是您）请求订阅本刊，按一下即可确认。",
                heading: "这是您的邮箱吗？",
                request: (
                    "有人（想必是您）请求把本刊寄到 ",
                    "。如果是您，请在此确认。",
                ),
                button: "是的，我要订阅",
                open: "如果是您，请打开这个页面确认：",
                otherwise: "如果不是您，什么都不用做。没有您的确认，我们不会寄出任何信。",
                trouble: "按钮无法使用？请打开这个地址：",
            },
            Phrases::Hant => ConfirmationPhrases {
                subject: format!("這是您的信箱嗎？《{list}》需要您確認"),
                preheader: "有人（想必是您）請求訂閱本刊，按一下即可確認。",
                heading: "這是您的信箱嗎？",
                request: (
                    "有人（想必是您）請求把本刊寄到 ",
                    "。如果是您，請在此確認。",
                ),
                button: "是的，我要訂閱",
                open: "如果是您，請打開這個頁面確認：",
                otherwise: "如果不是您，什麼都不用做。沒有您的確認，我們不會寄出任何信。",
                trouble: "按鈕無法使用？請打開這個地址：",
            },
        }
    }
}

impl Phrases {
    /// What the button of the confirmation mail does, and until when it works.
    pub(crate) fn button_works_until(self, until: &str) -> String {
        match self {
            Phrases::English => format!(
                "The button opens a page where you press once more. It works until {until}."
            ),
            Phrases::German => format!(
                "Der Knopf öffnet eine Seite, auf der Sie noch einmal drücken. Er gilt bis {until}."
            ),
            Phrases::Hans => {
                format!("按钮会打开一个页面，请在那里再按一次。有效期至 {until}。")
            }
            Phrases::Hant => {
                format!("按鈕會打開一個頁面，請在那裡再按一次。有效期至 {until}。")
            }
        }
    }

    /// Until when the link of the confirmation mail works, for the text part.
    pub(crate) fn link_works_until(self, until: &str) -> String {
        match self {
            Phrases::English => format!("The page works until {until}."),
            Phrases::German => format!("Die Seite gilt bis {until}."),
            Phrases::Hans => format!("页面有效期至 {until}。"),
            Phrases::Hant => format!("頁面有效期至 {until}。"),
        }
    }

    /// On which day, and from which network if that is known, somebody asked for a subscription.
    pub(crate) fn requested(self, day: &str, network: Option<&str>) -> String {
        match (self, network) {
            (Phrases::English, Some(network)) => format!("Asked for from {network} on {day}."),
            (Phrases::English, None) => format!("Asked for on {day}."),
            (Phrases::German, Some(network)) => format!("Bestellt aus {network} am {day}."),
            (Phrases::German, None) => format!("Bestellt am {day}."),
            (Phrases::Hans, Some(network)) => format!("请求于 {day}发自 {network}。"),
            (Phrases::Hans, None) => format!("请求于 {day}发出。"),
            (Phrases::Hant, Some(network)) => format!("請求於 {day}發自 {network}。"),
            (Phrases::Hant, None) => format!("請求於 {day}發出。"),
        }
    }
}
