//! Jobs that are not tried after all: they go back or away, and with them what was taken for them of every measure.

use std::time::Instant;

use super::Worker;
use crate::delivery::desk::Job;
use crate::delivery::ledger::Entry;
use crate::smtp::ConnectError;
use crate::store::commit_batch::Grant;

impl Worker {
    /// Lays back a job that was measured and not tried.
    pub(crate) fn give_back(&self, job: Job) {
        self.relay.refund();
        self.shared.desk.give_back(job);
    }

    /// Puts away a job that was measured and not sent.
    pub(crate) fn unused(&self, job: &Job) {
        self.relay.refund();
        self.shared.desk.unused(job);
    }

    /// There is no connection: the job goes back, and nobody is to blame.
    pub(crate) async fn cannot(&mut self, job: Job, error: ConnectError) {
        let ours = error.fault.is_config_fault();
        let why = error.to_string();
        match job.issue() {
            Some(issue) if ours && !self.another_works() => {
                let pause = Some((issue, why));
                self.shared
                    .ledger
                    .exchange(Entry {
                        pause,
                        ..Entry::default()
                    })
                    .await;
                self.unused(&job);
                self.shared.desk.retain(|other| other != issue);
            }
            _ if !ours => {
                let alone = self.relay.unreachable(&why);
                self.waits = alone.map(|wait| Instant::now() + wait);
                self.give_back(job);
            }
            _ => {
                self.relay.rest(&why);
                self.give_back(job);
            }
        }
    }

    /// A claim that was not granted: no measure and no day is used.
    pub(crate) fn let_go(&self, job: &Job, grant: Grant) {
        self.unused(job);
        if grant == Grant::Refused {
            // Most likely its issue was paused or cancelled, and perhaps resumed since: the planner knows what goes on.
            self.shared.desk.ask();
        }
    }
}
