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
        let title = list.trim_matches(['《', '》']);
        match phrases {
            Phrases::English => ConfirmationPhrases {
                subject: format!("Please confirm your subscription to {list}"),
                preheader: "Someone, hopefully you, asked for this newsletter. One click confirms it.",
                heading: "Is this your address?",
                request: (
                    "Someone, hopefully you, asked for this newsletter to be sent to ",
                    ". If that was you, please confirm.",
                ),
                button: "Yes, subscribe me",
                open: "If that was you, open this page and confirm:",
                otherwise: "If it was not you, ignore this mail. Nothing will be sent to you unless you confirm.",
                trouble: "Button not working? Open this address:",
            },
            Phrases::German => ConfirmationPhrases {
                subject: format!("Bitte bestätigen Sie Ihr Abonnement von „{list}“"),
                preheader: "Jemand, hoffentlich Sie, hat diesen Newsletter abonniert. Ein Klick bestätigt es.",
                heading: "Ist das Ihre Adresse?",
                request: (
                    "Jemand, hoffentlich Sie, hat diesen Newsletter abonniert, und zwar für die Adresse ",
                    ". Wenn Sie das waren, bestätigen Sie es bitte.",
                ),
                button: "Ja, abonnieren",
                open: "Wenn Sie das waren, öffnen Sie diese Seite und bestätigen Sie es dort:",
                otherwise: "Wenn Sie das nicht waren, müssen Sie nichts tun. Ohne Ihre Bestätigung senden wir Ihnen nichts.",
                trouble: "Die Schaltfläche funktioniert nicht? Öffnen Sie diese Adresse:",
            },
            Phrases::Hans => ConfirmationPhrases {
                subject: format!("请确认您对《{title}》的订阅"),
                preheader: "有人（应该是您）申请订阅本刊，点击一下即可确认。",
                heading: "这是您的邮箱吗？",
                request: (
                    "有人（应该是您）申请订阅本刊，邮箱地址为 ",
                    "。如果是您本人，请确认。",
                ),
                button: "是的，我要订阅",
                open: "如果是您本人，请打开以下页面确认：",
                otherwise: "如果不是您本人，请忽略这封邮件。未经您确认，我们不会发送任何内容。",
                trouble: "按钮无法使用？请打开以下网址：",
            },
            Phrases::Hant => ConfirmationPhrases {
                subject: format!("請確認您對《{title}》的訂閱"),
                preheader: "有人（應該是您）申請訂閱本刊，按一下即可確認。",
                heading: "這是您的信箱嗎？",
                request: (
                    "有人（應該是您）申請訂閱本刊，信箱地址為 ",
                    "。如果是您本人，請確認。",
                ),
                button: "是的，我要訂閱",
                open: "如果是您本人，請打開以下頁面確認：",
                otherwise: "如果不是您本人，請忽略這封郵件。未經您確認，我們不會寄送任何內容。",
                trouble: "按鈕無法使用？請打開以下網址：",
            },
        }
    }
}

impl Phrases {
    /// What the button of the confirmation mail does, and until when it works.
    pub(crate) fn button_works_until(self, until: &str) -> String {
        match self {
            Phrases::English => format!(
                "The button opens a page where one more click confirms. It works until {until}."
            ),
            Phrases::German => format!(
                "Die Schaltfläche öffnet eine Seite, auf der Sie mit einem weiteren Klick bestätigen. Der Link gilt bis {until}."
            ),
            Phrases::Hans => {
                format!("按钮会打开一个页面，在那里再点击一次即可确认。有效期至 {until}。")
            }
            Phrases::Hant => {
                format!("按鈕會打開一個頁面，在那裡再按一次即可確認。有效期至 {until}。")
            }
        }
    }

    /// Until when the link of the confirmation mail works, for the text part.
    pub(crate) fn link_works_until(self, until: &str) -> String {
        match self {
            Phrases::English => format!("The link works until {until}."),
            Phrases::German => format!("Der Link gilt bis {until}."),
            Phrases::Hans => format!("链接有效期至 {until}。"),
            Phrases::Hant => format!("連結有效期至 {until}。"),
        }
    }

    /// On which day, and from which network if that is known, somebody asked for a subscription.
    pub(crate) fn requested(self, day: &str, network: Option<&str>) -> String {
        match (self, network) {
            (Phrases::English, Some(network)) => format!("Requested from {network} on {day}."),
            (Phrases::English, None) => format!("Requested on {day}."),
            (Phrases::German, Some(network)) => {
                format!("Angefordert am {day} aus dem Netz {network}.")
            }
            (Phrases::German, None) => format!("Angefordert am {day}."),
            (Phrases::Hans, Some(network)) => format!("申请于 {day}发自 {network}。"),
            (Phrases::Hans, None) => format!("申请于 {day}发出。"),
            (Phrases::Hant, Some(network)) => format!("申請於 {day}發自 {network}。"),
            (Phrases::Hant, None) => format!("申請於 {day}發出。"),
        }
    }
}
