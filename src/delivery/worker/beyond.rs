//! Addresses beyond ASCII (RFC 6531) where one relay takes them and another does not.
//!
//! Who is found by a relay without SMTPUTF8 is laid aside for one that has it, or may have it: what a relay takes is
//! known from its last connection. Only where none is left has the person failed.

use std::sync::Arc;

use super::Worker;
use super::fate::Fate;
use crate::delivery::desk::{Aside, Job};
use crate::delivery::relay::RelayState;
use crate::model::delivery::Event;

impl Worker {
    /// Whether this relay can't take a job, and another may.
    pub(crate) fn is_for_another(&self, job: &Job) -> bool {
        job.candidate.email.needs_smtputf8()
            && self.relay.utf8() == Some(false)
            && self.another_may()
    }

    /// Lays a job that was measured aside.
    pub(crate) fn pass_on(&self, job: Job) {
        self.relay.refund();
        self.shared.desk.set_aside(job);
    }

    /// Whether what others laid aside is this worker's matter: its relay takes it, or nobody can.
    pub(crate) fn aside(&self) -> Aside {
        let left = self.relay.utf8() == Some(false) && self.another_may();
        if left { Aside::Left } else { Aside::Wanted }
    }

    /// A job that others laid aside, for a relay that only waits for its share of the mails.
    pub(crate) fn out_of_turn(&self) -> Option<Job> {
        let free = self.own_rest().is_none() && self.relay.wait().is_none();
        if free && self.aside() == Aside::Wanted {
            self.shared.desk.try_take_aside()
        } else {
            None
        }
    }

    /// The relay lacks SMTPUTF8. Where the person's own address needs it, only another relay helps: one that rests is
    /// waited for, as after a refusal for now. Else it is our sender that needs it, and nobody fails for that.
    pub(crate) fn needs_utf8(&self, job: &Job) -> Fate {
        let relay = &self.relay.relay.name;
        let text = format!("the relay {relay} takes no address beyond ASCII (SMTPUTF8)");
        if job.candidate.email.needs_smtputf8() {
            return match self.others().find(|other| other.utf8() == Some(true)) {
                Some(other) => {
                    let text = format!("{text}, and {}, which does, rests", other.relay.name);
                    Fate::new(Event::TempFail, text)
                }
                None => Fate::new(Event::PermFail, text),
            };
        }
        Fate::released(&text).pausing(format!(
            "{text}, and the sender's is one: set another `from` or `bounce_address`"
        ))
    }

    fn another_may(&self) -> bool {
        self.others()
            .any(|other| other.utf8() != Some(false) && other.resting().is_none())
    }

    /// All relays but this worker's own.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Arc<RelayState>> {
        self.shared
            .relays
            .iter()
            .filter(|other| !Arc::ptr_eq(other, &self.relay))
    }
}
