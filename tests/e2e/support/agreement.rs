//! Server and ledger, compared person by person.

use std::collections::{BTreeMap, HashMap};

use letterpress::model::IssueId;
use letterpress::model::delivery::State;
use letterpress::store::issues::IssueRow;

use crate::fixture::{Newsletter, subject};
use crate::server::{Mail, Server};

/// Where mails arrive: a server, or several that share the work.
pub(crate) trait Sink {
    fn kept(&self) -> Vec<Mail>;
}

impl Sink for Server {
    fn kept(&self) -> Vec<Mail> {
        self.mails()
    }
}

impl<const N: usize> Sink for [&Server; N] {
    fn kept(&self) -> Vec<Mail> {
        self.iter().flat_map(|server| server.mails()).collect()
    }
}

/// How many mails of an issue each person has.
pub(crate) type Had = HashMap<String, usize>;

impl Newsletter {
    /// Waits for the end, at which server and ledger agree.
    pub(crate) async fn settle(&self, issue: IssueId, sink: &impl Sink) -> IssueRow {
        let row = self
            .until(issue, "the end", |row| {
                row.state.is_over() && row.totals.open() == 0
            })
            .await;
        self.agree(issue, sink).await;
        row
    }

    /// Sends to a server that has [`mixed_faults`](crate::scripts::mixed_faults): each kind came, and all is counted.
    pub(crate) async fn survives_mixed_faults(&self, server: &Server) {
        let sender = self.serve();
        let issue = self.send(1).await;
        let totals = self.settle(issue, server).await.totals;
        assert!(
            totals.sent > 60 && totals.failed > 0 && totals.uncertain > 0,
            "{totals:?}"
        );
        sender.stop().await;
    }

    /// Server and ledger agree about every single reader; gives the number of each state. Where an issue is not at its
    /// end, nothing may move meanwhile.
    pub(crate) async fn agree(&self, issue: IssueId, sink: &impl Sink) -> BTreeMap<State, usize> {
        self.agree_after(issue, sink, &Had::new()).await
    }

    /// The same where some had the mail before they were mailed once more.
    pub(crate) async fn agree_after(
        &self,
        issue: IssueId,
        sink: &impl Sink,
        before: &Had,
    ) -> BTreeMap<State, usize> {
        let has = self.had(issue, sink).await;
        let rows = self.rows(issue).await;
        assert_eq!(rows.len(), self.readers.len(), "a reader without a row");
        let mut counts = BTreeMap::new();
        for row in rows {
            let of = |had: &Had| had.get(&row.email).copied().unwrap_or(0);
            let got = of(&has) - of(before);
            match row.state {
                State::Sent => assert_eq!(
                    got, 1,
                    "{} is sent, and got it {got} times: {row:?}",
                    row.email
                ),
                State::Uncertain | State::Sending => {
                    assert!(got <= 1, "{} got it {got} times", row.email)
                }
                _ => assert_eq!(got, 0, "{} is {}, and got it", row.email, row.state.word()),
            }
            assert!(row.state != State::Sent || row.code == Some(250), "{row:?}");
            *counts.entry(row.state).or_default() += 1;
        }
        let totals = self.row(issue).await.totals;
        assert_eq!(
            totals,
            self.store.audit(issue).await.unwrap(),
            "totals and rows differ"
        );
        counts
    }

    /// What each has of an issue, all of them readers.
    pub(crate) async fn had(&self, issue: IssueId, sink: &impl Sink) -> Had {
        let mark = format!("Subject: {}\r\n", subject(&self.row(issue).await.slug));
        let mut had = Had::new();
        for mail in sink.kept() {
            if String::from_utf8_lossy(&mail.bytes).contains(&mark) {
                assert!(
                    self.readers.contains(&mail.rcpt),
                    "{} is a stranger",
                    mail.rcpt
                );
                *had.entry(mail.rcpt).or_default() += 1;
            }
        }
        had
    }
}
