//! Refusals that are about us and not about the person: they fail nobody, and where they come in a row, the relay or provider that refuses us
//! is left alone for a while.
//!
//! It stands where outcomes are written one after the other, so “in a row” has a meaning, and a pause and the return of
//! the mails that were hit are one transaction. There are two kinds of refusals:
//!
//! - Those that the table of `smtp::about` knows to be about us. They are counted for each relay and provider. Three in a
//!   row close that provider to that relay; refusals of several providers in a row are the relay's own, which backs off
//!   where another relay is up, and pauses the issue where none is.
//! - Those that do not say whom they are about. They fail their person, until [`IN_A_ROW`] in a row, with no mail accepted
//!   in between, say otherwise: at one provider, by one relay, by one relay at one provider, or anywhere. Then those that
//!   were hit return, and so does everybody who meets such a refusal there until a mail is accepted there again.
//!
//! What says that an address is wrong counts for neither, and so does a mail that failed temporarily until it was given
//! up: a provider that is away for days fails its own recipients and pauses no issue. An acceptance ends the rows of its
//! own relay and provider, and no others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::delivery::{Event, MailKey, State};
use crate::model::waiting::{Reason, RelayFault};
use crate::model::{IssueId, SubscriberId};
use crate::smtp::About;
use crate::store::commit_batch::{Batch, Outcome};

/// How many refusals in a row that name nobody are taken to be about us.
const IN_A_ROW: usize = 20;
/// How many refusals in a row that are about us close a provider to a relay.
const CLOSES: u32 = 3;
/// How many providers in a row must refuse us for it to be the relay's own word: where it has accepted no mail yet, and
/// where it has.
const OF_A_RELAY: (usize, usize) = (3, 10);
/// The most rows that are kept apart by provider.
const ROWS_MAX: usize = 2_000;

/// Where an answer came from, and what it says of us.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The relay's place in the settings.
    pub place: usize,
    /// The recipient's provider.
    pub provider: String,
    /// How often counting had restarted when the mail was claimed: [`RefusalStreakBreaker::epoch`].
    pub epoch: u64,
    /// Whom a refusal is about, where that is not the person, with what people read of it.
    pub refusal: Option<(About, RelayFault)>,
}

/// What is to be done about a refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// The relay takes no more mails to the provider.
    Close {
        place: usize,
        provider: String,
        fault: RelayFault,
    },
    /// The relay backs off.
    BackOff { place: usize, fault: RelayFault },
}

/// Somebody who is queued again, and whom the scheduler has passed already.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Return {
    pub issue: IssueId,
    pub who: SubscriberId,
    pub provider: String,
    /// The relay that refused this mail alone, with its words: only others try it again.
    pub refused_at: Option<(usize, RelayFault)>,
}

/// What recording an outcome led to, beside what stands in the batch.
#[derive(Debug, Default)]
pub(super) struct Consequences {
    pub actions: Vec<Action>,
    pub returns: Vec<Return>,
}

/// What is known of the relays when an outcome is recorded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Surroundings {
    /// Another relay than the one that answered is up.
    pub has_another_up: bool,
    /// The relay that answered has accepted a mail since an issue last began or was resumed.
    pub has_accepted: bool,
}

/// Watches the outcomes of every issue.
#[derive(Debug, Default)]
pub(super) struct RefusalStreakBreaker {
    epoch: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Refusals about us in a row, by relay and provider.
    refused: HashMap<(usize, String), u32>,
    relays: HashMap<usize, RelayRow>,
    /// Refusals in a row that name nobody.
    streaks: HashMap<(IssueId, Scope), Streak>,
}

/// What a relay refused since it last accepted a mail.
#[derive(Debug, Default)]
struct RelayRow {
    /// The providers whose people were refused, for faults of ours.
    providers: Vec<String>,
    /// It was taken to be the relay's own word.
    is_refusing: bool,
}

/// Where refusals are counted as one row, the narrowest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Scope {
    Both(usize, String),
    Provider(String),
    Relay(usize),
    Issue,
}

#[derive(Debug, Default)]
struct Streak {
    hits: Vec<Hit>,
    /// The row was long enough: a person who meets such a refusal here is not failed for it.
    is_tripped: bool,
}

#[derive(Clone, Debug)]
struct Hit {
    outcome: Outcome,
    answer: Answer,
    fault: RelayFault,
}

impl RefusalStreakBreaker {
    /// Adds an outcome to the batch that is about to be written, as what it counts for. Where that is a pause, or the
    /// return of others, those are added as well. `answer` is missing for a mail that is of no issue.
    pub(super) fn record(
        &self,
        mut outcome: Outcome,
        answer: Option<Answer>,
        batch: &mut Batch,
        around: &Surroundings,
    ) -> Consequences {
        let mut then = Consequences::default();
        let (MailKey::Issue(issue, who), Some(answer)) = (outcome.key, answer) else {
            batch.outcomes.push(outcome);
            return then;
        };
        let mut inner = self.inner();
        match (outcome.event, answer.refusal.clone()) {
            (Event::Accepted, _) => inner.accepted(issue, &answer),
            // It was on its way when the author resumed: what is so now, its next try shows.
            (Event::PermFail | Event::Requeued, Some((about, _)))
                if about != About::Recipient && answer.epoch != self.epoch() =>
            {
                outcome.event = Event::Requeued;
                then.returns.push(Return {
                    issue,
                    who,
                    provider: answer.provider,
                    refused_at: None,
                });
            }
            (Event::PermFail, Some((About::Unknown, fault))) => {
                let hit = Hit {
                    outcome,
                    answer,
                    fault,
                };
                inner.named_nobody(issue, hit, batch, around, &mut then);
                return then;
            }
            (Event::Requeued, refusal) => {
                let known = refusal.filter(|(about, _)| *about != About::DailyLimit);
                let refused_at = known.and_then(|(_, fault)| {
                    inner.refused_us(issue, &answer, fault, batch, around, &mut then)
                });
                then.returns.push(Return {
                    issue,
                    who,
                    provider: answer.provider,
                    refused_at,
                });
            }
            _ => {}
        }
        batch.outcomes.push(outcome);
        then
    }

    /// Restarts counting: an issue begins, or its author wants to see whether the cause is gone.
    pub(super) fn forget(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
        *self.inner() = Inner::default();
    }

    /// How often counting has restarted.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// A mail was accepted: the rows of its relay and provider end.
    fn accepted(&mut self, issue: IssueId, answer: &Answer) {
        if !self.relays.is_empty() {
            self.relays.remove(&answer.place);
        }
        if !self.refused.is_empty() {
            self.refused
                .remove(&(answer.place, answer.provider.clone()));
        }
        if !self.streaks.is_empty() {
            for scope in scopes(answer) {
                self.streaks.remove(&(issue, scope));
            }
        }
    }

    /// A refusal that is about us. Returns the relay where it is this mail's alone, so that another relay may try it.
    fn refused_us(
        &mut self,
        issue: IssueId,
        answer: &Answer,
        fault: RelayFault,
        batch: &mut Batch,
        around: &Surroundings,
        then: &mut Consequences,
    ) -> Option<(usize, RelayFault)> {
        let (place, provider) = (answer.place, answer.provider.clone());
        let enough = if around.has_accepted {
            OF_A_RELAY.1
        } else {
            OF_A_RELAY.0
        };
        let row = self.relays.entry(place).or_default();
        if row.providers.len() < enough && !row.providers.contains(&provider) {
            row.providers.push(provider.clone());
        }
        row.is_refusing |= row.providers.len() >= enough;
        if row.is_refusing {
            let reason = Reason::RelayFault {
                fault: fault.clone(),
            };
            relay_refuses(place, fault, (issue, reason), batch, around, then);
            return None;
        }
        let count = self.refused.entry((place, provider.clone())).or_default();
        *count += 1;
        if *count < CLOSES {
            return Some((place, fault));
        }
        then.actions.push(Action::Close {
            place,
            provider,
            fault,
        });
        None
    }

    /// A refusal that does not say whom it is about.
    fn named_nobody(
        &mut self,
        issue: IssueId,
        mut hit: Hit,
        batch: &mut Batch,
        around: &Surroundings,
        then: &mut Consequences,
    ) {
        let scopes = scopes(&hit.answer);
        let has_tripped = |scope: &Scope| {
            let streak = self.streaks.get(&(issue, scope.clone()));
            streak.is_some_and(|streak| streak.is_tripped)
        };
        if let Some(scope) = scopes.iter().find(|scope| has_tripped(scope)).cloned() {
            hit.outcome.event = Event::Requeued;
            batch.outcomes.push(hit.outcome.clone());
            then.returns.extend(hit.returned());
            act(&scope, issue, &[hit], batch, around, then);
            return;
        }
        batch.outcomes.push(hit.outcome.clone());
        let has_room = self.streaks.len() < ROWS_MAX;
        let mut full = None;
        for scope in scopes {
            if !has_room && matches!(scope, Scope::Both(..) | Scope::Provider(_)) {
                continue;
            }
            let streak = self.streaks.entry((issue, scope.clone())).or_default();
            streak.hits.push(hit.clone());
            if streak.hits.len() >= IN_A_ROW {
                full.get_or_insert(scope);
            }
        }
        if let Some(scope) = full {
            self.trip(issue, &scope, batch, around, then);
        }
    }

    /// A row is long enough: the people it hit return.
    fn trip(
        &mut self,
        issue: IssueId,
        scope: &Scope,
        batch: &mut Batch,
        around: &Surroundings,
        then: &mut Consequences,
    ) {
        let Some(streak) = self.streaks.get_mut(&(issue, scope.clone())) else {
            return;
        };
        streak.is_tripped = true;
        let hits = std::mem::take(&mut streak.hits);
        let keys: Vec<MailKey> = hits.iter().map(|hit| hit.outcome.key).collect();
        for streak in self.streaks.values_mut() {
            streak.hits.retain(|hit| !keys.contains(&hit.outcome.key));
        }
        for hit in &hits {
            let hit_outcome = &hit.outcome;
            let same =
                |o: &&mut Outcome| o.key == hit_outcome.key && o.attempt == hit_outcome.attempt;
            // A mail of this same batch has not failed yet, and never will.
            match batch.outcomes.iter_mut().find(same) {
                Some(same) => same.event = Event::Requeued,
                None => batch.outcomes.push(Outcome {
                    from: State::Failed,
                    event: Event::Requeued,
                    ..hit_outcome.clone()
                }),
            }
            then.returns.extend(hit.returned());
        }
        act(scope, issue, &hits, batch, around, then);
    }
}

impl Hit {
    fn returned(&self) -> Option<Return> {
        let MailKey::Issue(issue, who) = self.outcome.key else {
            return None;
        };
        Some(Return {
            issue,
            who,
            provider: self.answer.provider.clone(),
            refused_at: None,
        })
    }
}

/// Where an answer counts.
fn scopes(answer: &Answer) -> [Scope; 4] {
    [
        Scope::Both(answer.place, answer.provider.clone()),
        Scope::Provider(answer.provider.clone()),
        Scope::Relay(answer.place),
        Scope::Issue,
    ]
}

/// What a row leads to. One that only met one provider closes it to the relays that met it; one that only met one relay
/// is the relay's own word; another pauses the issue.
fn act(
    scope: &Scope,
    issue: IssueId,
    hits: &[Hit],
    batch: &mut Batch,
    around: &Surroundings,
    then: &mut Consequences,
) {
    let Some(last) = hits.last() else { return };
    let one_provider = matches!(scope, Scope::Both(..) | Scope::Provider(_))
        || hits.len() > 1
            && hits
                .iter()
                .all(|hit| hit.answer.provider == last.answer.provider);
    let one_relay = matches!(scope, Scope::Relay(_))
        || hits.len() > 1 && hits.iter().all(|hit| hit.answer.place == last.answer.place);
    if one_provider {
        let mut places: Vec<usize> = hits.iter().map(|hit| hit.answer.place).collect();
        places.sort_unstable();
        places.dedup();
        then.actions
            .extend(places.into_iter().map(|place| Action::Close {
                place,
                provider: last.answer.provider.clone(),
                fault: last.fault.clone(),
            }));
        return;
    }
    let reason = Reason::RefusedInARow {
        people: IN_A_ROW as u64,
        reply: last.outcome.reply.text.clone(),
    };
    if one_relay {
        let (place, fault) = (last.answer.place, last.fault.clone());
        relay_refuses(place, fault, (issue, reason), batch, around, then);
    } else {
        batch.pauses.push((issue, reason));
    }
}

/// A relay refuses us: others take over, or the issue pauses.
fn relay_refuses(
    place: usize,
    fault: RelayFault,
    pause: (IssueId, Reason),
    batch: &mut Batch,
    around: &Surroundings,
    then: &mut Consequences,
) {
    if around.has_another_up {
        then.actions.push(Action::BackOff { place, fault });
    } else {
        batch.pauses.push(pause);
    }
}

#[cfg(test)]
mod tests;
