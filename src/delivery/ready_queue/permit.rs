//! Everything that one mail takes of what is limited, in one value that gives it back by itself.

use std::ops::Deref;
use std::sync::Arc;

use super::{Job, QueueId, ReadyQueue};
use crate::delivery::relays::RelayPermit;

/// A mail in a connection's hands, with all that it took: its provider's rate and its place among the provider's mails
/// in flight, and once [`Permit::set_relay`] was called the relay's rate, its daily quota, and its share of the mails.
///
/// Dropping it gives everything back and requeues the mail, also when a task panics or is cancelled.
/// [`Permit::spent`] is the only way to keep what was taken.
pub(crate) struct Permit {
    ready: Arc<ReadyQueue>,
    queue: QueueId,
    job: Arc<Job>,
    relay: Option<RelayPermit>,
    on_drop: OnDrop,
}

/// Where the mail goes when its permit is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnDrop {
    /// Back to the front of its queue.
    Requeue,
    /// To the mails that wait for another relay.
    Reroute,
    /// Nowhere. It is read again if it is still due.
    Discard,
    /// Into an [`InFlight`].
    Nothing,
}

impl Permit {
    /// A mail that was just taken from a queue, and with it what its provider's limits require.
    pub(super) fn new(ready: Arc<ReadyQueue>, queue: QueueId, job: Arc<Job>) -> Permit {
        Permit {
            ready,
            queue,
            job,
            relay: None,
            on_drop: OnDrop::Requeue,
        }
    }

    /// Adds what was taken of the relay for this mail.
    pub(crate) fn set_relay(&mut self, relay: RelayPermit) {
        self.relay = Some(relay);
    }

    /// The queue that the mail was taken from.
    pub(crate) fn queue(&self) -> QueueId {
        self.queue
    }

    /// Gives everything back and keeps the mail for a relay that can take it.
    pub(crate) fn reroute(mut self) {
        self.on_drop = OnDrop::Reroute;
    }

    /// Gives everything back and forgets the mail, which must not be sent now.
    pub(crate) fn discard(mut self) {
        self.on_drop = OnDrop::Discard;
    }

    /// Uses up what was taken: the mail was claimed. Its place among the mails in flight is kept until that is over.
    pub(crate) fn spent(mut self) -> InFlight {
        self.on_drop = OnDrop::Nothing;
        if let Some(relay) = self.relay.take() {
            relay.spent();
        }
        if self.job.issue().is_none() {
            self.ready.count(self.job.domain());
        }
        InFlight {
            ready: self.ready.clone(),
            queue: self.queue,
            job: self.job.clone(),
        }
    }
}

impl Deref for Permit {
    type Target = Job;

    fn deref(&self) -> &Job {
        &self.job
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Before the mail is queued: whoever takes it may need what is given back here.
        drop(self.relay.take());
        match self.on_drop {
            OnDrop::Requeue => self.ready.requeue(self.queue, self.job.clone()),
            OnDrop::Reroute => self.ready.reroute(self.queue, self.job.clone()),
            OnDrop::Discard => self.ready.discard(self.queue, &self.job),
            OnDrop::Nothing => {}
        }
    }
}

/// A mail that was claimed, until its outcome is known. Dropping it frees its place among its provider's mails in flight.
pub(crate) struct InFlight {
    ready: Arc<ReadyQueue>,
    queue: QueueId,
    job: Arc<Job>,
}

impl Deref for InFlight {
    type Target = Job;

    fn deref(&self) -> &Job {
        &self.job
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.ready.finish(self.queue, &self.job);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::delivery::ready_queue::{Job, Wanted};
    use crate::delivery::relay::Hold;
    use crate::delivery::relays::Relays;
    use crate::delivery::testing::job;
    use crate::pace::warmup::DailyQuota;

    /// Two relays of different weights, of which the first is limited in every way, and one provider that gets one mail
    /// at a time, and one a minute.
    struct Stage {
        queue: Arc<ReadyQueue>,
        relays: Arc<Relays>,
    }

    fn stage() -> Stage {
        let settings = crate::config::of_text(
            "[relay.main]\nhost = \"h\"\nmessages_per_minute = 1\nwarm_up_per_day = 50\nconnections = 1\n\
             [relay.other]\nhost = \"h\"\nweight = 3\nconnections = 1\n\
             [domain.\"gmail.com\"]\nmessages_per_minute = 1\nconnections = 1\n\
             [list.w]\nname = \"W\"\nfrom = \"a@b.example\"\n",
        )
        .sending;
        let changed = Arc::default();
        let relays = Arc::new(Relays::new(&settings, &changed));
        let mut quota = DailyQuota::new(7, Some(50), 0);
        quota.reserve(50);
        relays.get(0).set_quota(quota);
        let limits = Arc::new(settings.pacing.domains);
        Stage {
            queue: Arc::new(ReadyQueue::new(4, limits, changed)),
            relays,
        }
    }

    const ALL: Wanted = Wanted {
        relay: 0,
        system: true,
        rerouted: true,
        beyond_ascii: true,
        refused_elsewhere: true,
        queued: true,
    };

    impl Stage {
        fn enqueue(&self, job: Job) {
            assert_eq!(self.queue.enqueue(vec![job]).count, 1);
        }

        fn try_take(&self) -> Option<Permit> {
            let now = Instant::now();
            let mut permit = self.queue.try_take(ALL, now).ok()?;
            permit.set_relay(self.relays.try_take(0, false, now)?);
            Some(permit)
        }

        fn take(&self) -> Permit {
            self.try_take().expect("every limit permits one mail")
        }

        /// How many mails were counted on the relay's day, and whether the relay permits another one.
        fn of_relay(&self) -> (u64, bool) {
            let relay = self.relays.get(0);
            let used = relay.quota().map_or(0, |quota| quota.used());
            (used, relay.hold(Instant::now()).is_none())
        }
    }

    #[test]
    fn a_permit_that_is_dropped_gives_all_back_and_requeues_its_mail() {
        let stage = stage();
        stage.enqueue(job(1, "gmail.com"));
        for _ in 0..3 {
            let permit = stage.take();
            assert_eq!(stage.of_relay(), (1, false));
            assert!(stage.try_take().is_none());
            drop(permit);
            assert_eq!(stage.of_relay(), (0, true));
        }
        assert_eq!(stage.queue.held(crate::model::IssueId(1)), 1);
    }

    #[test]
    fn what_is_rerouted_or_discarded_uses_nothing_up() {
        let stage = stage();
        stage.enqueue(job(1, "gmail.com"));
        stage.take().reroute();
        assert_eq!(stage.of_relay(), (0, true));
        let untouched = Wanted {
            rerouted: false,
            ..ALL
        };
        assert!(stage.queue.try_take(untouched, Instant::now()).is_err());
        stage.take().discard();
        assert_eq!(stage.of_relay(), (0, true));
        assert_eq!(stage.queue.held(crate::model::IssueId(1)), 0);
        stage.enqueue(job(2, "gmail.com"));
        drop(stage.take());
    }

    #[test]
    fn what_is_spent_stays_so_and_frees_its_place_when_it_is_over() {
        let stage = stage();
        (1..3).for_each(|who| stage.enqueue(job(who, "gmail.com")));
        let in_flight = stage.take().spent();
        let gmail = stage.queue.inner().providers.of("gmail.com");
        let is_full = || stage.queue.inner().providers.is_full(gmail);
        assert_eq!(stage.of_relay(), (1, false));
        assert!(is_full());
        drop(in_flight);
        assert!(!is_full());
        assert_eq!(stage.queue.held(crate::model::IssueId(1)), 1);
        assert!(
            stage.queue.try_take(ALL, Instant::now()).is_err(),
            "one a minute"
        );
        assert!(matches!(
            stage.relays.get(0).hold(Instant::now()),
            Some(Hold::Rate(_))
        ));
    }

    #[test]
    fn a_mail_that_is_given_back_on_another_day_is_not_taken_from_that_day() {
        let stage = stage();
        stage.enqueue(job(1, "gmail.com"));
        let permit = stage.take();
        stage
            .relays
            .get(0)
            .set_quota(DailyQuota::new(8, Some(75), 4));
        drop(permit);
        assert_eq!(stage.of_relay().0, 4);
    }

    #[tokio::test]
    async fn a_task_that_panics_or_is_cancelled_gives_its_permit_back() {
        let stage = stage();
        stage.enqueue(job(1, "gmail.com"));
        let permit = stage.take();
        let panics = tokio::spawn(async move {
            let _permit = permit;
            assert_eq!(1, 2, "this task is meant to panic");
        });
        assert!(panics.await.is_err());
        assert_eq!(stage.of_relay(), (0, true));
        let permit = stage.take();
        let hangs = tokio::spawn(async move {
            let _permit = permit;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        hangs.abort();
        assert!(hangs.await.is_err());
        assert_eq!(stage.of_relay(), (0, true));
        drop(stage.take());
    }
}
