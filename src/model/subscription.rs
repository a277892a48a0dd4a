//! The state machine of one subscription: the states of a person on a list, what can happen to them, and the table
//! of moves.
//!
//! This is the only place that says which move is allowed and what it leaves in the history of consent;
//! `store::subscriptions` and `store::import` apply it in the transaction that reads the state. Two rules stand
//! behind the table. Nobody becomes active but by their own confirmation or because the author vouches for them. Who
//! has left comes back only by signing up and confirming; neither the author nor an import brings them back.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

/// Whether somebody gets a list. Numbers are what the database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum SubscriptionState {
    /// Signed up; has not confirmed.
    Pending = 0,
    /// Gets the list's issues.
    Active = 1,
    /// Left, by a link in a mail or by the author's command.
    Unsubscribed = 2,
    /// Mail was returned for good (set when bounces are processed).
    Bounced = 3,
    /// Reported as spam.
    Complained = 4,
}

impl SubscriptionState {
    /// Every state, each at the index of its number.
    pub const ALL: [SubscriptionState; 5] = [
        Self::Pending,
        Self::Active,
        Self::Unsubscribed,
        Self::Bounced,
        Self::Complained,
    ];

    /// The word that people and scripts read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Unsubscribed => "unsubscribed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    /// The state of a stored number; `None` for a number that no version wrote.
    pub fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number)
            .ok()
            .and_then(|n| Self::ALL.get(n).copied())
    }

    /// The state of a word that somebody typed.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Whether the person is gone from the list: no import brings them back.
    pub fn is_gone(self) -> bool {
        !matches!(self, Self::Pending | Self::Active)
    }

    /// Whether this state counts where one file names both for the same person: active over pending, and gone over
    /// either. Two states of being gone leave each other as they are.
    pub fn wins_over(self, other: Self) -> bool {
        let import = SubscriptionEvent::Import(self);
        step(Some(other), History::OnlyAsked, import).is_some()
    }
}

/// What can happen to somebody's subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionEvent {
    /// The address was typed into a sign-up form, by whomever.
    SignUp,
    /// The link of a confirmation mail was used in time.
    Confirm,
    /// They left by a link, or the author removed them.
    Unsubscribe,
    /// They took back, in time, that they left.
    Undo,
    /// The author added them by a command.
    Add,
    /// The author's file has them in this state.
    Import(SubscriptionState),
}

impl SubscriptionEvent {
    /// What the history of consent records where this moves somebody.
    pub fn consent(self) -> ConsentEvent {
        use SubscriptionState::*;
        match self {
            Self::SignUp | Self::Import(Pending) => ConsentEvent::Asked,
            Self::Confirm => ConsentEvent::Confirmed,
            Self::Unsubscribe | Self::Import(Unsubscribed | Bounced | Complained) => {
                ConsentEvent::Left
            }
            Self::Undo => ConsentEvent::Undone,
            Self::Add => ConsentEvent::Added,
            Self::Import(Active) => ConsentEvent::Imported,
        }
    }
}

/// What the history of consent holds for a person and a list, as far as a move depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum History {
    /// Nothing, or sign-ups alone.
    #[default]
    OnlyAsked,
    /// They left, and never were active.
    Left,
    /// They were active at some time.
    Agreed,
}

impl History {
    /// Every level, lowest first.
    pub const ALL: [History; 3] = [Self::OnlyAsked, Self::Left, Self::Agreed];

    /// The level that one event of the history amounts to; the whole history is at its highest.
    pub fn of(event: ConsentEvent) -> History {
        match event {
            ConsentEvent::Asked => Self::OnlyAsked,
            ConsentEvent::Left => Self::Left,
            ConsentEvent::Confirmed
            | ConsentEvent::Imported
            | ConsentEvent::Added
            | ConsentEvent::Undone => Self::Agreed,
        }
    }
}

/// The table of moves: the state after an event. `from` is `None` for who never was on the list. `None`: the event
/// can't happen in that state and changes nothing.
///
/// A sign-up that is repeated leads from pending to pending: a confirmation mail goes out again.
pub fn step(
    from: Option<SubscriptionState>,
    history: History,
    event: SubscriptionEvent,
) -> Option<SubscriptionState> {
    use SubscriptionEvent::*;
    use SubscriptionState::*;
    Some(match (from, event) {
        (None, SignUp) => Pending,
        (None, Add) => Active,
        (None, Import(to)) => to,
        (Some(Pending | Unsubscribed | Bounced | Complained), SignUp) => Pending,
        (Some(Pending), Confirm) => Active,
        (Some(Pending | Active | Bounced), Unsubscribe) => Unsubscribed,
        // Whoever left before confirming has nothing to go back to.
        (Some(Unsubscribed), Undo) if history == History::Agreed => Active,
        // Anybody can sign up somebody who left: that must not let the author bring them back.
        (Some(Pending), Add | Import(Active)) if history == History::OnlyAsked => Active,
        (Some(Pending | Active), Import(to)) if to.is_gone() => to,
        _ => return None,
    })
}

/// A person's place on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The state they are in.
    pub state: SubscriptionState,
    /// Since when they are in it.
    pub since: Timestamp,
    /// When the last confirmation mail was queued; `None` where they confirmed since, or none ever was.
    pub asked_at: Option<Timestamp>,
    /// What they said before.
    pub history: History,
}

impl Membership {
    /// Whether the table lets an event move this person.
    fn allows(&self, event: SubscriptionEvent) -> bool {
        step(Some(self.state), self.history, event).is_some()
    }

    /// Whether a sign-up at `now` sends a confirmation mail: the person is not active and was not asked within
    /// `quiet_for` of now. "Within" counts both ways: a clock that was set back must not let a second mail out.
    pub fn may_be_asked(&self, now: Timestamp, quiet_for: Duration) -> bool {
        let is_recent = |at: Timestamp| now.duration_since(at).unsigned_abs() < quiet_for;
        self.allows(SubscriptionEvent::SignUp) && !self.asked_at.is_some_and(is_recent)
    }
}

/// Whether `now` lies more than `within` after `since`.
fn is_past(since: Timestamp, within: Duration, now: Timestamp) -> bool {
    let passed = now.duration_since(since);
    passed.is_positive() && passed.unsigned_abs() > within
}

/// What a sign-up led to. The visitor sees the same answer for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// A confirmation mail is queued.
    Asked,
    /// None is: already active, asked a short while ago, or suppressed.
    Quiet,
}

/// What the link of a confirmation mail leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The person is active from now on.
    Now,
    /// The person was active before.
    Already,
    /// The mail is too old, or the person left since: they may sign up again.
    Expired,
    /// No such person on this list.
    Unknown,
}

impl Confirmed {
    /// What it leads to at `now`, where a mail counts for `within` after it was queued.
    pub fn of(member: Option<&Membership>, now: Timestamp, within: Duration) -> Confirmed {
        let Some(member) = member else {
            return Self::Unknown;
        };
        let is_in_time = member.asked_at.is_some_and(|at| !is_past(at, within, now));
        if member.state == SubscriptionState::Active {
            Self::Already
        } else if is_in_time && member.allows(SubscriptionEvent::Confirm) {
            Self::Now
        } else {
            Self::Expired
        }
    }
}

/// What unsubscribing, or being removed by the author, leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsubscribed {
    /// The person gets no further issue from now on.
    Now,
    /// The person left before.
    Already,
    /// No such person on this list.
    Unknown,
}

impl Unsubscribed {
    /// What it leads to for this person.
    pub fn of(member: Option<&Membership>) -> Unsubscribed {
        match member {
            None => Self::Unknown,
            Some(member) if member.allows(SubscriptionEvent::Unsubscribe) => Self::Now,
            Some(_) => Self::Already,
        }
    }
}

/// What taking an unsubscription back leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// The person is active again.
    Now,
    /// The person is active and had not left.
    Already,
    /// The person left too long ago.
    TooLate,
    /// Nothing to undo: no such person on this list, or never active on it.
    Unknown,
}

impl Undone {
    /// What it leads to at `now`, where leaving can be undone for `within`.
    pub fn of(member: Option<&Membership>, now: Timestamp, within: Duration) -> Undone {
        match member {
            Some(member) if member.state == SubscriptionState::Active => Self::Already,
            Some(member) if member.allows(SubscriptionEvent::Undo) => {
                if is_past(member.since, within, now) {
                    Self::TooLate
                } else {
                    Self::Now
                }
            }
            _ => Self::Unknown,
        }
    }
}

/// What adding somebody by the author's command leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// The person is active from now on.
    Now,
    /// Active before; the name may be new.
    Already,
    /// The person left, or mail was returned, and has been in that state since then: only they themselves can come
    /// back, by signing up and confirming.
    Gone(SubscriptionState, Timestamp),
}

impl Added {
    /// What it leads to for this person.
    pub fn of(member: Option<&Membership>) -> Added {
        match member {
            None => Self::Now,
            Some(member) if member.state == SubscriptionState::Active => Self::Already,
            Some(member) if member.allows(SubscriptionEvent::Add) => Self::Now,
            Some(member) => Self::Gone(member.state, member.since),
        }
    }
}

/// When, how and from where a person, or the author for them, said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// When it was said.
    pub at: Timestamp,
    /// The way by which it came.
    pub how: ConsentMethod,
    /// The network it came from, no finer than /24 or /48: the caller has cut it already.
    pub network: Option<String>,
}

/// How somebody's consent, or its end, reached us; kept for ever in the table `consent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentMethod {
    /// The form at `/subscribe`.
    Form,
    /// JSON sent to `/subscribe`.
    Json,
    /// The commands `subscribers add` and `subscribers remove`.
    Command,
    /// The command `subscribers import`.
    Import,
    /// The page behind a link in a mail.
    Page,
    /// The one-click POST of RFC 8058.
    OneClick,
}

impl ConsentMethod {
    /// The word that is stored, and that people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Json => "json",
            Self::Command => "command",
            Self::Import => "import",
            Self::Page => "page",
            Self::OneClick => "one-click",
        }
    }
}

/// What happened to somebody's consent to a list; the events of the table `consent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentEvent {
    /// Asked to join; says nothing yet about who asked.
    Asked,
    /// Confirmed by the link in a mail.
    Confirmed,
    /// Brought in by the author's file.
    Imported,
    /// Added by the author's command.
    Added,
    /// Left, by whatever way.
    Left,
    /// Took back that they left.
    Undone,
}

impl ConsentEvent {
    /// Every event.
    pub const ALL: [ConsentEvent; 6] = [
        Self::Asked,
        Self::Confirmed,
        Self::Imported,
        Self::Added,
        Self::Left,
        Self::Undone,
    ];

    /// The word that is stored, and that people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Confirmed => "confirmed",
            Self::Imported => "imported",
            Self::Added => "added",
            Self::Left => "left",
            Self::Undone => "undone",
        }
    }

    /// The event of a stored word; `None` for a word that no version wrote.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every move, as it was agreed upon: state and history downwards, events across, `-` where nothing happens. The
    /// last five are imports of that state. `any` is every history.
    const TABLE: &str = "
                                signup  confirm unsubscribe  undo   add    pending active unsubscribed bounced complained
        none         any        pending -       -            -      active pending active unsubscribed bounced complained
        pending      onlyasked  pending active  unsubscribed -      active -       active unsubscribed bounced complained
        pending      left       pending active  unsubscribed -      -      -       -      unsubscribed bounced complained
        pending      agreed     pending active  unsubscribed -      -      -       -      unsubscribed bounced complained
        active       any        -       -       unsubscribed -      -      -       -      unsubscribed bounced complained
        unsubscribed onlyasked  pending -       -            -      -      -       -      -            -       -
        unsubscribed left       pending -       -            -      -      -       -      -            -       -
        unsubscribed agreed     pending -       -            active -      -       -      -            -       -
        bounced      any        pending -       unsubscribed -      -      -       -      -            -       -
        complained   any        pending -       -            -      -      -       -      -            -       -";

    /// In the order of the table's head.
    const EVENTS: [SubscriptionEvent; 10] = [
        SubscriptionEvent::SignUp,
        SubscriptionEvent::Confirm,
        SubscriptionEvent::Unsubscribe,
        SubscriptionEvent::Undo,
        SubscriptionEvent::Add,
        SubscriptionEvent::Import(SubscriptionState::Pending),
        SubscriptionEvent::Import(SubscriptionState::Active),
        SubscriptionEvent::Import(SubscriptionState::Unsubscribed),
        SubscriptionEvent::Import(SubscriptionState::Bounced),
        SubscriptionEvent::Import(SubscriptionState::Complained),
    ];

    #[test]
    fn every_subscription_meets_every_event_as_the_table_says() {
        let mut lines = TABLE.trim().lines();
        let heads: Vec<String> = EVENTS
            .iter()
            .map(|event| match event {
                SubscriptionEvent::Import(state) => state.word().to_owned(),
                event => format!("{event:?}").to_lowercase(),
            })
            .collect();
        assert_eq!(
            lines.next().unwrap().split_whitespace().collect::<Vec<_>>(),
            heads
        );
        let mut seen = Vec::new();
        for line in lines {
            let mut words = line.split_whitespace();
            let from = match words.next().unwrap() {
                "none" => None,
                word => Some(SubscriptionState::from_word(word).unwrap()),
            };
            let history = words.next().unwrap();
            let histories = History::ALL
                .into_iter()
                .filter(|h| history == "any" || format!("{h:?}").to_lowercase() == history);
            let row: Vec<&str> = words.collect();
            assert_eq!(row.len(), EVENTS.len(), "{line}");
            for history in histories {
                seen.push((from, history));
                for (event, word) in EVENTS.into_iter().zip(&row) {
                    let to = SubscriptionState::from_word(word);
                    let what = format!("{from:?}, {history:?} on {event:?}");
                    assert_eq!(step(from, history, event), to, "{what}");
                }
            }
        }
        let states = std::iter::once(None).chain(SubscriptionState::ALL.map(Some));
        let all = states.flat_map(|from| History::ALL.map(|history| (from, history)));
        assert_eq!(seen, all.collect::<Vec<_>>(), "a row is missing");
    }

    #[test]
    fn words_and_numbers_go_both_ways() {
        for state in SubscriptionState::ALL {
            assert_eq!(SubscriptionState::from_number(state as i64), Some(state));
            assert_eq!(SubscriptionState::from_word(state.word()), Some(state));
        }
        assert_eq!(SubscriptionState::from_number(5), None);
        assert_eq!(SubscriptionState::from_number(-1), None);
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn members() -> impl Iterator<Item = Membership> {
        let place = |state, history| Membership {
            state,
            since: at(0),
            asked_at: Some(at(0)),
            history,
        };
        SubscriptionState::ALL
            .into_iter()
            .flat_map(move |state| History::ALL.map(|history| place(state, history)))
    }

    #[test]
    fn what_an_event_leads_to_is_what_the_table_says() {
        let day = Duration::from_secs(86_400);
        for member in members() {
            let (m, now) = (Some(&member), at(1));
            for (is_now, event) in [
                (
                    member.may_be_asked(now, Duration::ZERO),
                    SubscriptionEvent::SignUp,
                ),
                (
                    Confirmed::of(m, now, day) == Confirmed::Now,
                    SubscriptionEvent::Confirm,
                ),
                (
                    Unsubscribed::of(m) == Unsubscribed::Now,
                    SubscriptionEvent::Unsubscribe,
                ),
                (
                    Undone::of(m, now, day) == Undone::Now,
                    SubscriptionEvent::Undo,
                ),
                (Added::of(m) == Added::Now, SubscriptionEvent::Add),
            ] {
                assert_eq!(is_now, member.allows(event), "{member:?} on {event:?}");
            }
        }
        assert_eq!(Confirmed::of(None, at(0), day), Confirmed::Unknown);
        assert_eq!(Unsubscribed::of(None), Unsubscribed::Unknown);
        assert_eq!(Undone::of(None, at(0), day), Undone::Unknown);
        assert_eq!(Added::of(None), Added::Now);
    }

    #[test]
    fn links_expire_and_sign_ups_are_answered_once_in_a_while() {
        let hour = Duration::from_secs(3600);
        for member in members() {
            let m = Some(&member);
            assert_ne!(Confirmed::of(m, at(3601), hour), Confirmed::Now);
            assert_ne!(Undone::of(m, at(3601), hour), Undone::Now);
            // The last moment still counts, and so does any before it, whatever the clock says.
            for now in [at(3600), at(-90_000)] {
                let is_allowed = member.allows(SubscriptionEvent::Confirm);
                assert_eq!(Confirmed::of(m, now, hour) == Confirmed::Now, is_allowed);
                let is_allowed = member.allows(SubscriptionEvent::Undo);
                assert_eq!(Undone::of(m, now, hour) == Undone::Now, is_allowed);
            }
            for near in [at(3599), at(-3599)] {
                assert!(!member.may_be_asked(near, hour));
            }
            for far in [at(3600), at(-3600)] {
                let is_allowed = member.allows(SubscriptionEvent::SignUp);
                assert_eq!(member.may_be_asked(far, hour), is_allowed);
            }
        }
    }

    #[test]
    fn of_two_states_in_a_file_the_later_one_in_life_counts() {
        use SubscriptionState::*;
        assert!(Active.wins_over(Pending) && !Pending.wins_over(Active));
        for gone in [Unsubscribed, Bounced, Complained] {
            assert!(gone.wins_over(Pending) && gone.wins_over(Active));
            assert!(!Active.wins_over(gone) && !gone.wins_over(Unsubscribed));
        }
    }
}
