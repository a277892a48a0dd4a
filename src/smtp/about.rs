//! Whom a refusal is about: this recipient, or us. Pure, and the only table of its kind.
//!
//! A 5xx reply to RCPT, DATA or a mail means two very different things. “No such user” fails a person; “sender address
//! rejected”, “daily limit exceeded” or “listed by Spamhaus” would fail everybody who follows, for a fault of ours. The
//! table is looked up in this order: enhanced codes that mean one thing, then words, then codes that only hint at it.
//! What names nobody is [`About::Unknown`]. What each class leads to is left to `delivery`.
//!
//! The sources, which the rows name in short:
//! - RFC 3463 (enhanced codes) and RFC 5248 with the IANA registry “SMTP Enhanced Status Codes”, in which RFC 7372
//!   (authentication), RFC 7504 and RFC 7505 (domains without mail), RFC 7293 (owners of mailboxes) and RFC 8689 (TLS)
//!   have registered theirs; RFC 5321 for basic codes; RFC 6647 for greylisting.
//! - Google: “Gmail SMTP errors and codes”, and “SMTP relay service error messages”.
//! - Microsoft: “Email non-delivery reports and SMTP errors in Exchange Online”, with its page on 5.7.700 to 5.7.750;
//!   Outlook.com Postmaster, “Troubleshooting”.
//! - Yahoo: Sender Hub, “SMTP Error Codes”. Apple: “Postmaster information for iCloud Mail”.
//! - Amazon SES: “SMTP response codes returned by Amazon SES”, “Errors related to the sending quotas”. Postmark, SendGrid,
//!   Mailgun: their lists of SMTP and API errors.
//! - Postfix: postconf(5) and access(5). Exim: the default configuration's ACLs. Sendmail: `cf/README`.

use super::reply::Reply;
use crate::model::reply::{EnhancedCode, Step};
use crate::model::waiting::Remedy;

/// Whom a negative reply is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// This person: the address, its domain, or the mailbox.
    Recipient,
    /// Our sender's address or domain.
    Sender,
    /// The number of mails that we may send in a day.
    DailyLimit,
    /// Another limit of ours: a rate, a quota, an account that was stopped.
    Limit,
    /// Our reputation: a block list, the address or the network that we send from.
    Reputation,
    /// SPF, DKIM, DMARC, or a login.
    Authentication,
    /// The mail itself: its size, or what it says.
    Content,
    /// The relay: it does not relay for us, wants TLS, or is set up wrongly.
    Relay,
    /// The reply does not say.
    Unknown,
}

impl About {
    /// Whether it is certainly about us and not about this person.
    pub fn is_us(self) -> bool {
        !matches!(self, About::Recipient | About::Unknown)
    }

    /// What the author can do about it.
    pub fn remedy(self) -> Remedy {
        match self {
            About::Sender => Remedy::CheckSender,
            About::DailyLimit => Remedy::WaitForNextDay,
            About::Limit => Remedy::RaiseLimit,
            About::Reputation => Remedy::RestoreReputation,
            About::Authentication => Remedy::Authenticate,
            About::Content => Remedy::ChangeContent,
            About::Relay | About::Recipient | About::Unknown => Remedy::AskOperator,
        }
    }
}

impl Reply {
    /// Whom a refusal is about. `names_sender`: its text holds our sender's address, and not the recipient's.
    pub fn about(&self, names_sender: bool) -> About {
        let words = self.words();
        if self.is_daily_limit(&words) {
            return About::DailyLimit;
        }
        if is_relay_limit(&words) {
            return About::Limit;
        }
        if let Some(about) = self.enhanced.and_then(precise) {
            // Some servers give a recipient's code to a sender.
            let blames_sender = about == About::Recipient && holds_any(&words, SENDER);
            return if blames_sender { About::Sender } else { about };
        }
        by_words(&words)
            .or(names_sender.then_some(About::Sender))
            .or_else(|| holds_any(&words, PERHAPS_PERSON).then_some(About::Recipient))
            .or_else(|| self.enhanced.and_then(hint))
            .unwrap_or_else(|| self.basic())
    }

    /// Whether it says that the mails of a day are used up, temporary or not.
    pub fn is_about_daily_limit(&self) -> bool {
        self.is_daily_limit(&self.words())
    }

    fn is_daily_limit(&self, words: &str) -> bool {
        // X.2.x is about one mailbox, whatever it says of limits.
        let is_mailbox = matches!(self.enhanced, Some(EnhancedCode(_, 2, _)))
            && !is_relay_limit(words)
            || holds_any(words, "mailbox | incoming | user you are trying to contact");
        let is_code = matches!(
            self.enhanced,
            Some(EnhancedCode(5, 1, 90) | EnhancedCode(5, 4, 5))
        );
        is_code || (!is_mailbox && holds_any(words, DAY) && holds_any(words, LIMIT_OF_DAY))
    }

    /// Whether a temporary failure is greylisting, which asks for a later try of each mail and not for fewer of all
    /// (RFC 6647): by its words, or by a code that greylisting has, with words that ask for another try.
    pub fn is_greylisting(&self, step: Step) -> bool {
        if self.code / 100 != 4 {
            return false;
        }
        let words = self.words();
        let is_usual = matches!(self.code, 450 | 451)
            && match self.enhanced {
                Some(EnhancedCode(4, 7, 1)) => true,
                None | Some(EnhancedCode(4, 2, 0)) => step == Step::Rcpt,
                Some(_) => false,
            };
        holds_any(&words, GREYLISTING) || (is_usual && holds_any(&words, TRY_AGAIN))
    }

    /// Whether a temporary failure says that mails come too fast, or too many at once.
    ///
    /// RFC 3463 has X.3.2 (the system accepts nothing for now), X.4.5 (congestion) and X.7.x (policy); of the last, most
    /// is greylisting and the like, so there the words must say it, as they must with no enhanced code. X.2.x is about
    /// one mailbox, whatever the words, but for Google's relay, which gives 4.2.1 to its own limit. The limit of a day is
    /// no rate.
    pub fn is_rate_complaint(&self) -> bool {
        if self.code / 100 != 4 {
            return false;
        }
        let words = self.words();
        if holds_any(&words, GREYLISTING) || self.is_daily_limit(&words) {
            return false;
        }
        match self.enhanced {
            Some(EnhancedCode(_, 2, _)) => is_relay_limit(&words),
            Some(EnhancedCode(_, 3, 2) | EnhancedCode(_, 4, 5)) => true,
            _ => holds_any(&words, TOO_FAST),
        }
    }

    /// Its words in lower case, without addresses: those of `<rate.limit@blocked.example>` say nothing.
    fn words(&self) -> String {
        let text = self.lines.join(" ").to_lowercase();
        let words = text.split_whitespace().filter(|word| !word.contains('@'));
        words.collect::<Vec<_>>().join(" ")
    }

    /// What the basic code says where nothing else does (RFC 5321, section 4.2.3; RFC 7504).
    fn basic(&self) -> About {
        match self.code {
            // Not local; no room for this recipient; a domain without mail.
            551 | 552 | 556 => About::Recipient,
            // Syntax, order, and parameters of our commands; a host without mail.
            500..=504 | 521 | 555 => About::Relay,
            523 => About::Content,
            530 | 534 | 535 | 538 => About::Authentication,
            _ => About::Unknown,
        }
    }
}

/// Enhanced codes that mean one thing, whatever the words.
fn precise(code: EnhancedCode) -> Option<About> {
    let EnhancedCode(_, subject, detail) = code;
    Some(match (subject, detail) {
        // RFC 3463, 3.2: bad mailbox, bad system, bad syntax, ambiguous, moved. RFC 7505: the domain has a null MX.
        (1, 1..=6 | 10) => About::Recipient,
        // RFC 3463, 3.2: the sender's address, its domain. Exchange: several senders.
        (1, 7 | 8 | 20) => About::Sender,
        // RFC 3463, 3.3: disabled, full, an expansion that failed; 2.3 is a limit of the mailbox that our size passes.
        (2, 3) => About::Content,
        (2, 1 | 2 | 4..) => About::Recipient,
        // RFC 3463, 3.4: full, accepting nothing, lacking a feature, wrongly configured.
        (3, 1 | 2 | 3 | 5) => About::Relay,
        (3, 4) => About::Content,
        // RFC 3463, 3.6: too many recipients, of which there is one: an account's limit.
        (5, 3) => About::Limit,
        // RFC 3463, 3.7 and RFC 6531: media and conversion; no address beyond ASCII for this recipient.
        (6, 1..=6) => About::Content,
        (6, 7 | 8 | 10) => About::Recipient,
        (7, detail) => return policy(detail),
        _ => return None,
    })
}

/// The details of X.7 (security and policy) that mean one thing. 7.0 and 7.1 say nothing by themselves.
fn policy(detail: u16) -> Option<About> {
    Some(match detail {
        // RFC 3463, 3.8: a mailing list that takes no mail of ours is an address; cryptography; integrity.
        2 => About::Recipient,
        4..=7 => About::Content,
        // RFC 4954; Yahoo gives 7.9 to its policy.
        8 => About::Authentication,
        9 => About::Reputation,
        // RFC 5248: encryption, a password that must change, trust, priorities (RFC 6710).
        10 | 11 | 14..=16 => About::Relay,
        // RFC 7293: the mailbox, or the domain, has another owner.
        17..=19 => About::Recipient,
        // RFC 7372: DKIM, SPF, reverse DNS, several of them. RFC 7505: the sender's domain has a null MX.
        20..=24 | 26 => About::Authentication,
        25 => About::Reputation,
        27 => About::Sender,
        // RFC 5248: a flood. Google: the like.
        28 => About::Limit,
        // RFC 8617 (ARC); Google: DKIM, TLS, alignment of From, DMARC.
        29..=49 => About::Authentication,
        // Exchange Online: not logged in; not permitted to send as this sender; relaying of a tenant.
        57 => About::Authentication,
        60 => About::Sender,
        64 => About::Relay,
        // Exchange: this mailbox takes mail of some senders only.
        120..=139 => About::Recipient,
        508 | 705 => About::Limit,
        509 | 515 => About::Authentication,
        512 => About::Content,
        750 => About::Sender,
        // Exchange Online: banned senders, addresses, networks, tenants.
        500..=799 => About::Reputation,
        _ => return None,
    })
}

/// Enhanced codes that only hint at it, where the words name nobody.
fn hint(code: EnhancedCode) -> Option<About> {
    match (code.1, code.2) {
        // RFC 3463, 3.2 and 3.3: of the address, of the mailbox. 3.5: no way to the recipient's domain.
        (1 | 2 | 4, _) => Some(About::Recipient),
        _ => None,
    }
}

/// What the words say: the first class that has one.
fn by_words(words: &str) -> Option<About> {
    let found = WORDS.iter().find(|(_, phrases)| holds_any(words, phrases));
    found.map(|(about, _)| *about)
}

/// Google's relay: “Peak SMTP relay limit exceeded for customer”.
fn is_relay_limit(words: &str) -> bool {
    holds_any(words, "smtp relay limit | relay sending limit")
}

/// Whether a text holds one of these phrases, which `|` separates, each at the beginning of a word. `+` stands between
/// parts that may be apart.
fn holds_any(words: &str, phrases: &str) -> bool {
    phrases
        .split('|')
        .any(|phrase| phrase.trim().split('+').all(|part| holds(words, part)))
}

fn holds(words: &str, part: &str) -> bool {
    words.match_indices(part).any(|(at, _)| {
        let before = words[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric())
    })
}

/// Words of a day, and of its limit: Google 5.4.5 and 5.7.1, Exchange Online 5.1.90, Amazon SES 454.
const DAY: &str = "\
    daily | per day | a day | 24 hour | 24-hour | 24h | for today | one day";
const LIMIT_OF_DAY: &str = "limit | quota | exceed | maximum | allowance";

/// Words by which greylisting is known (RFC 6647; Postgrey, milter-greylist, Exim's greylistd).
const GREYLISTING: &str = "\
    greylist | graylist | grey-list | gray-list | grey list | gray list | postgrey";
const TRY_AGAIN: &str = "\
    try again | try later | come back | retry later | please retry | retry in | temporarily deferred";

/// Words by which servers say that mails come too fast.
const TOO_FAST: &str = "\
    too many | too fast | too quick | rate limit | ratelimit | rate exceeded | unusual rate | throttl | \
    slow down | limit exceeded | exceeded the | unexpected volume | excessive volume | peak smtp relay limit | \
    sending rate";

/// The sender: Postfix `reject_sender_login_mismatch`, `reject_unknown_sender_domain` and access(5); Exim's `verify =
/// sender`; Sendmail; Exchange; SES, Postmark, SendGrid and Mailgun on senders that were not verified.
const SENDER: &str = "\
    sender address rejected | sender rejected | sender refused | sender denied | sender not allowed | \
    sender address not allowed | sender verify failed | sender verification | invalid sender | bad sender | \
    bad outbound sender | unknown sender | sender unknown | sender address+does not exist | \
    sender address+not exist | domain of sender | sender domain | senders domain | sender's domain | \
    envelope sender | not owned by user | send as this sender | sendasdenied | not allowed to send as | \
    sender signature | sender identity | is not verified | not a verified | from address+not | return address | \
    verified sender";

/// The person, in words that leave no doubt: Postfix, Exim, Sendmail, Exchange, Gmail, Yahoo, Domino, qmail; Postmark on
/// inactive recipients; lists of suppressed addresses.
const PERSON: &str = "\
    user unknown | unknown user | unknown recipient | recipient unknown | recipient not found | \
    unknown mailbox | unknown address | address unknown | unknown local | unknown or illegal | user not found | \
    no such user | no such recipient | no such mailbox | no such person | no such address | no such account | \
    no such id | no such domain | no such local user | no mailbox | no mail-box | no mail box | \
    not a valid user | not a valid mailbox | not a valid recipient | not a known user | not our customer | \
    isn't a valid | invalid recipient | invalid mailbox | invalid user | invalid account | invalid address | \
    mailbox not found | mailbox unavailable | mailbox is unavailable | mailbox does not exist | \
    mailbox doesn't exist | mailbox disabled | mailbox is disabled | mailbox inactive | mailbox is inactive | \
    mailbox name not allowed | mailbox full | mailbox is full | mailbox quota | mailbox+limit | \
    mailbox+exceed | over quota | overquota | user's quota | user quota | recipient's quota | \
    storage allocation | out of storage | insufficient storage | inactive user | inactive recipient | \
    marked as inactive | user is inactive | account is not active | account inactive | account is inactive | \
    account disabled | account is disabled | account has been disabled | account closed | \
    account+does not exist | account that you tried to reach | user disabled | disabled recipient | \
    user account not activated | user does not exist | user doesn't exist | user doesn't have | \
    user+not exist | recipient does not exist | recipient doesn't exist | recipient+not exist | \
    address does not exist | address doesn't exist | undeliverable address | unrouteable address | \
    unroutable address | host or domain name not found | recipient address rejected: domain not found | \
    null mx | nullmx | does not accept mail | not listed in | suppression list | been suppressed | \
    has unsubscribed | blocked by the recipient | blocked by recipient | recipient has blocked | \
    user has blocked | rejected by recipient | recipient is not allowed | receiving mail too quickly | \
    receiving email too quickly | receiving mail at a rate | receiving email at a rate | utilisateur inconnu | \
    destinataire inconnu | \
    user suspended | resolver.rst | not permitted to receive | no longer accepts mail | no longer available";

/// Limits in words that leave no doubt: some servers give them beside “mailbox unavailable” (GMX), or of “your account”.
const OWN_LIMIT: &str = "\
    send limit | sending limit | sending quota | sender limit | message quota | your account+suspend | \
    your account+disabled | your account+locked | your account+blocked | your account+paused | \
    your account+exceed | your account is under review";

/// The classes in the order in which they are looked for.
const WORDS: &[(About, &str)] = &[
    (About::Sender, SENDER),
    (About::Limit, OWN_LIMIT),
    (About::Recipient, PERSON),
    (About::Content, SIZE),
    (About::Limit, LIMIT),
    (About::Authentication, AUTHENTICATION),
    (About::Relay, RELAY),
    (About::Reputation, REPUTATION),
    (About::Content, CONTENT),
];

/// The size of a mail (RFC 1870, and its words in Postfix, Exim and Sendmail).
const SIZE: &str = "\
    message size | message too large | message too big | message is too | message length | mail size | \
    size limit | maximum size | exceeds size | too large | too big | size exceed";

/// Limits other than a day's: SES, SendGrid (“maximum credits exceeded”), Mailgun, Exchange, web hosters.
const LIMIT: &str = "\
    sending limit | send limit | sending quota | message limit | messaging limit | message quota | \
    email limit | mail limit | hourly | per hour | monthly | rate limit | ratelimit | sending rate | throttl | \
    too many | limit exceeded | exceeded+limit | exceeds+limit | limit reached | quota exceeded | \
    exceeded+quota | exceeded the maximum | credits | sending paused | sending suspended | sending has been | \
    not allowed to send mail | unusual rate | unusual sending | \
    relay quota | frequency limit | is not allowed to send | storedrv.submission | sending is disabled";

/// Authentication of mails (Gmail, Yahoo, Microsoft, Apple on SPF, DKIM and DMARC) and of clients.
const AUTHENTICATION: &str = "\
    spf | dkim | dmarc | unauthenticated | not authenticated | authentication | authenticate | smtp auth | \
    unauthorized | unauthorised | not authorized to perform | not authorised to perform";

/// The relay does not relay for us, or wants something else of the connection: Postfix, Exim, Sendmail, qmail.
const RELAY: &str = "\
    relay access denied | relay denied | relaying | relay not permitted | relay is not permitted | \
    not permitted to relay | unable to relay | cannot relay | not allowed to relay | isn't allowed to relay | \
    allowed rcpthosts | helo command rejected | ehlo command rejected | fully-qualified | fully qualified | \
    starttls | tls required | tls is required | requires tls | encryption required | \
    bad helo | invalid helo | helo name | helo/ehlo";

/// Reputation: block lists, networks, complaints. In brackets: marks of Yahoo, Apple and Microsoft.
const REPUTATION: &str = "\
    blocked | blacklist | black list | black-list | blocklist | block list | block-list | denylist | \
    deny list | spamhaus | spamcop | sorbs | uceprotect | barracuda | dnsbl | rbl | reputation | banned | \
    is listed | listed on | listed at | listed by | client host rejected | sending ip | your ip | this ip | \
    your network | your host | your server | your domain | reverse dns | reverse hostname | rdns | ptr record | \
    user complaints | unsolicited | traffic not accepted | permanently deferred | [bl2 | [ts0 | [tss | [hm0 | \
    s3140 | s3150 | \
    rtr:bl | hvu: | rly: | dns:nr | ip= | frequency | aup# | ofr_ | lpn0";

/// What the mail says, or the policy that it meets.
const CONTENT: &str = "\
    spam | junk | virus | malware | phish | content | policy | policies | suspicious | bulk mail | looks like | \
    attachment | dt:spm | [cs0 | headers | rfc 5322 | rfc5322 | rfc 2822 | \
    administrative prohibition | administratively prohibited | prohibited";

/// Words that speak of the recipient where nothing else is said.
const PERHAPS_PERSON: &str = "\
    recipient address rejected | recipient rejected | recipient refused | recipient denied | address rejected | \
    mailbox";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::ReplyLine;

    fn read(text: &str) -> Reply {
        let line = ReplyLine::read(text.as_bytes()).unwrap();
        Reply::new(line.code, vec![line.text])
    }

    /// The replies of one class, a line each.
    fn all_are(about: About, replies: &str) {
        for text in replies.trim().lines().map(str::trim) {
            assert_eq!(read(text).about(false), about, "{text}");
        }
    }

    #[test]
    fn a_person_is_a_person() {
        all_are(
            About::Recipient,
            "550 5.1.1 <x@y.example>: Recipient address rejected: User unknown in virtual mailbox table
             550-5.1.1 The email account that you tried to reach does not exist.
             550 5.1.2 no such system
             550 5.1.3 bad syntax
             550 5.1.0 Address rejected
             551 5.1.6 moved
             553 5.1.2 We weren't able to find the recipient domain.
             550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
             556 5.1.10 Domain y.example does not accept mail (nullMX)
             556 Domain does not accept mail
             550 5.2.1 The email account that you tried to reach is disabled.
             552 5.2.2 The email account that you tried to reach is over quota.
             552 Requested mail action aborted: exceeded storage allocation
             552 mailbox quota exceeded
             550 5.2.121 Recipient's per hour message receive limit from specific sender exceeded
             550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages
             550 5.4.1 Recipient address rejected: Access denied [x.outbound.protection.outlook.com]
             550 5.4.4 Host or domain name not found
             550 5.4.310 DNS domain y.example does not exist
             550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)
             550 Requested action not taken: mailbox unavailable
             550 User unknown
             550 Unrouteable address
             550 No such user here
             553 sorry, no mailbox here by that name. (#5.7.1)
             554 delivery error: dd This user doesn't have a yahoo.com account (x@yahoo.com) [0]
             554 5.7.1 <x@y.example>: Recipient address rejected: Access denied
             550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup
             550 5.7.124 RESOLVER.RST.NotAuthorized
             550 5.7.17 the mailbox has another owner
             406 You tried to send to a recipient that has been marked as inactive
             550 Inactive recipient
             550 User suspended
             550 5.7.1 RESOLVER.RST.AuthRequired; authentication required
             550 the address is on the suppression list for your account
             550 Mail is rejected by recipient
             550 5.1.1 <blocked.spam.limit@spamhaus.example>: no such person
             550 <blocked@daily.limit.example> User unknown",
        );
    }

    #[test]
    fn the_sender_is_ours() {
        all_are(
            About::Sender,
            "550 5.1.8 <editor@letters.example>: Sender address rejected: Domain not found
             550 5.1.7 <editor@letters.example>: undeliverable address
             550 5.1.7 sender address not allowed
             550 5.1.0 <editor@letters.example>: Sender address rejected: User unknown in local recipient table
             550 5.1.1 <editor@letters.example>: Sender address rejected: user unknown
             553 5.7.1 <editor@letters.example>: Sender address rejected: not owned by user akira
             550 Sender verify failed
             553 5.1.8 Domain of sender address editor@letters.example does not exist
             550 5.7.60 SMTP; Client does not have permissions to send as this sender
             501 5.1.8 Access denied, bad outbound sender
             550 5.7.27 Sender address has null MX
             550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains
             554 Message rejected: Email address is not verified. The following identities failed the check
             550 The from address does not match a verified Sender Identity
             422 The From address you supplied is not a Sender Signature on your account",
        );
        // By its address alone, where the code says nothing.
        for text in [
            "550 5.1.0 <editor@letters.example> refused",
            "550 <editor@letters.example> no",
        ] {
            assert_eq!(read(text).about(true), About::Sender, "{text}");
        }
        assert_eq!(
            read("550 5.1.0 <x@y.example> refused").about(false),
            About::Recipient
        );
        assert_eq!(
            read("550 5.1.1 <editor@letters.example>").about(true),
            About::Recipient
        );
    }

    #[test]
    fn limits_are_ours_and_those_of_a_day_pass_by_themselves() {
        all_are(
            About::DailyLimit,
            "550 5.1.90 daily limit for message recipients reached
             550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients
             550 5.4.5 Daily user sending limit exceeded.
             550 5.4.5 Daily sending quota exceeded
             550 5.7.1 Daily SMTP relay limit exceeded for customer.
             454 Throttling failure: Daily message quota exceeded
             552 5.7.0 you may send 300 mails per day, quota exceeded
             554 you have exceeded the maximum number of mails in 24 hours
             452 4.5.3 limit of 500 recipients in a 24-hour period exceeded
             550 5.5.3 sender's daily recipient limit",
        );
        all_are(
            About::Limit,
            "550 5.5.3 Too many recipients
             554 Message rejected: Sending paused for this account
             450 4.2.1 Peak SMTP relay limit exceeded for customer
             454 Throttling failure: Maximum sending rate exceeded
             550 5.7.28 unusual rate of unsolicited mail
             451 Authentication failed: Maximum credits exceeded
             550 5.7.508 Access denied, 192.0.2.1 has exceeded permitted limits within IPv6 range
             550 5.7.705 Access denied, tenant has exceeded threshold
             550 You exceeded your hourly limit
             550 Requested action not taken: mailbox unavailable. Mail send limit exceeded.
             550 Domain letters.example has exceeded the max emails per hour (500/500) allowed
             550 5.4.6 Unusual sending activity detected
             554 5.7.1 Your account has been suspended
             550 Connection frequency limited
             554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException
             552 message quota exceeded for your plan",
        );
        for mailbox in [
            "552 5.2.2 daily quota exceeded",
            "550 5.2.1 receives too many mails a day, limit",
            "552 mailbox over its daily limit",
        ] {
            assert_eq!(read(mailbox).about(false), About::Recipient, "{mailbox}");
        }
    }

    #[test]
    fn reputation_and_authentication_are_ours() {
        all_are(
            About::Reputation,
            "554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org
             550 5.7.1 blocked by our policy
             554 5.7.1 <host[192.0.2.1]>: Client host rejected: Access denied
             550 5.7.1 Service unavailable, Helo domain is listed in Spamhaus
             550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Part of their network is on our block list (S3150).
             550 5.7.1 weren't sent (S3140)
             550 5.7.606 Access denied, banned sending IP [192.0.2.1]
             550 5.7.708 Access denied, traffic not accepted from this IP
             550 5.7.511 Access denied, banned sender
             550 5.7.501 Access denied, spam abuse detected
             553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1
             554 5.7.9 Message not accepted for policy reasons
             421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints
             554 5.7.1 [HM08] Message rejected due to local rules
             550 5.7.25 The IP address sending this message does not have a PTR record setup
             550 Your domain has been blacklisted
             554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help)
             550 5.2.0 Mail rejected. ofr_506 [506]
             571 Email is currently blocked by our anti-spam system
             550 5.7.1 [192.0.2.1] this message is likely suspicious due to the very low reputation of the domain
             550 poor reputation",
        );
        all_are(
            About::Authentication,
            "550 5.7.26 This mail has been blocked because the sender is unauthenticated.
             550 5.7.30 DKIM
             550 5.7.29 TLS
             550 5.7.40 DMARC
             550 5.7.20 no passing DKIM signature
             550 5.7.23 SPF validation failed
             550 5.7.1 <x@y.example>: Recipient address rejected: Message rejected due to: SPF fail - not authorized
             550 5.7.515 Access denied, sending domain does not meet the required authentication level
             550 5.7.509 Access denied, sending domain does not pass DMARC verification
             550 5.7.1 Your message was rejected due to letters.example's DMARC policy.
             550 5.7.1 Client was not authenticated
             525 5.7.1 Unauthorized IP address
             554 Access denied: User is not authorized to perform ses:SendRawEmail
             550 Please turn on SMTP Authentication in your mail client
             530 no
             535 no",
        );
    }

    #[test]
    fn the_mail_and_the_relay_are_ours() {
        all_are(
            About::Content,
            "552 5.3.4 Message size exceeds fixed limit
             552 5.2.3 the message exceeds the limit of the mailbox
             552 Message size exceeds fixed maximum message size
             554 5.6.1 media not supported
             554 5.7.1 message refused as spam
             550 5.7.1 [CS01] Message rejected due to local policy.
             550 5.7.1 This message violates y.example email policy. - gcdp
             554 Email rejected due to security policies
             550 Mail content denied
             550 Administrative prohibition
             554 Transaction failed Reject due to policy restrictions
             554 5.7.0 policy
             554 DT:SPM 163 smtp5
             550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant",
        );
        all_are(
            About::Relay,
            "554 5.7.1 <x@y.example>: Relay access denied
             550 relay not permitted
             550 5.7.1 Relaying denied
             550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain
             550 5.7.64 TenantAttribution; Relay Access Denied
             553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
             504 5.5.2 <letters>: Helo command rejected: need fully-qualified hostname
             550 5.7.10 Encryption needed
             452 4.3.1 Insufficient system resources
             503 5.5.1 bad sequence
             521 this host takes no mail",
        );
    }

    #[test]
    fn what_names_nobody_is_unknown() {
        all_are(
            About::Unknown,
            "550 no
             550
             554
             554 transaction failed
             550 5.7.1 not from you
             550 5.7.1 rejected
             554 5.7.0 no
             554 5.7.1 Access denied
             554 5.6.0 refused
             554 5.5.0 SMTP synchronization error
             550 5.0.0 an unlimited corporate accuracy of greylisted things
             553 no
             599 x",
        );
    }

    #[test]
    fn greylisting_is_known_by_its_words_or_its_code() {
        for grey in [
            "450 4.2.0 <x@y.example>: Recipient address rejected: Greylisted",
            "451 4.7.1 Greylisting in action, please come back later",
            "450 4.7.1 graylisted",
            "451 Temporarily rejected. Try again later.",
            "451 4.7.1 Please try again later",
            "450 4.2.0 please retry in 300 seconds",
        ] {
            assert!(read(grey).is_greylisting(Step::Rcpt), "{grey}");
        }
        assert!(read("451 4.7.1 Greylisting in action").is_greylisting(Step::Content));
        for other in [
            "451 4.7.1 not from you today",
            "451 4.3.0 try again later",
            "421 4.7.0 try again later",
            "452 4.2.2 mailbox full, try again later",
            "550 5.7.1 greylisted for ever",
        ] {
            assert!(!read(other).is_greylisting(Step::Rcpt), "{other}");
        }
        // Rspamd greylists after the mail.
        assert!(read("451 4.7.1 Try again later").is_greylisting(Step::Content));
        assert!(!read("451 try again later").is_greylisting(Step::Content));
    }

    #[test]
    fn complaints_about_the_rate_are_told_from_other_delays() {
        for quick in [
            "421 4.7.0 Too many connections from your host",
            "421 4.7.28 Our system has detected an unusual rate of unsolicited mail",
            "450 4.7.1 Error: too many messages, slow down",
            "451 4.3.2 Please try again later",
            "452 4.4.5 congestion",
            "451 Throttling failure: Maximum sending rate exceeded",
            "454 Throttling failure: Maximum sending rate exceeded",
            "450 4.2.1 Peak SMTP relay limit exceeded for customer",
            "421 RP-001 The mail server IP connecting has exceeded the rate limit allowed",
            "421 4.7.0 [TSS04] temporarily deferred due to unexpected volume",
        ] {
            assert!(read(quick).is_rate_complaint(), "{quick}");
        }
        for other in [
            "450 4.7.1 Greylisted, too many unknown senders",
            "450 4.2.1 The user is receiving mail too quickly",
            "451 4.7.1 try again in five minutes",
            "450 4.1.8 sender's domain not found",
            "452 4.2.2 mailbox full",
            "454 Throttling failure: Daily message quota exceeded",
            "550 5.7.1 too many messages",
            "421 closing",
            "450",
        ] {
            assert!(!read(other).is_rate_complaint(), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_reply_is_about_somebody(code in 400_u16..600, text in "\\PC{0,300}") {
            let reply = Reply::new(code, vec![text]);
            let _ = (reply.about(true), reply.about(false), reply.is_greylisting(Step::Rcpt), reply.is_rate_complaint());
        }
    }
}
