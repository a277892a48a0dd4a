//! A small send that can be made again and again from the same state: a server, a daemon with a fault under it,
//! and a look at the whole state person by person.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use mail_parser::MessageParser;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::runtime::Runtime;

use crate::newsletter::{Newsletter, until};
use crate::server::{At, Do, Server, say};
use crate::shim::{Fault, Shim, Step, made, steps};

/// Open connections, and so the most that one kill leaves uncertain.
pub(crate) const CONNECTIONS: usize = 2;
/// What the database consists of while nobody has it open, and what stands beside it.
const FILES: [&str; 3] = [
    "letterpress.db",
    "letterpress.db-wal",
    "letterpress.db-state",
];
/// SIGKILL, as an exit status has it.
const KILLED: i32 = 9;

/// How the daemon's run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The fault killed it.
    Killed,
    /// It ended in order when it was asked to.
    InOrder,
    /// It ended at once, since it was asked for the second time.
    AtOnce,
    /// It ended by itself, with an error.
    Refused,
}

/// When the state is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Right after a kill: some are queued, some in flight.
    Between,
    /// After the end.
    AtTheEnd,
}

pub(crate) struct Stage {
    runtime: Runtime,
    pub server: Server,
    pub newsletter: Newsletter,
    pub readers: Vec<String>,
    shim: Shim,
    /// The database, its log and what stands beside it after the issue was queued.
    queued: [Vec<u8>; 3],
}

/// Reader 1 is greylisted once, reader 2 is not known there, the others are taken.
fn script() -> impl FnMut(At, &str, usize) -> Do + Send + 'static {
    let mut greylisted = false;
    move |at, rcpt, _| {
        if at == At::Rcpt
            && rcpt.starts_with("reader1@")
            && !std::mem::replace(&mut greylisted, true)
        {
            return say("450 4.2.0 greylisted");
        }
        if at == At::Rcpt && rcpt.starts_with("reader2@") {
            return say("550 5.1.1 no such person");
        }
        Do::Usual
    }
}

impl Stage {
    /// An issue to so many readers is queued, and nothing of it is sent.
    pub(crate) fn new(readers: usize) -> Stage {
        Stage::with(readers, "standard")
    }

    /// The same, with another use of PIPELINING.
    pub(crate) fn with(readers: usize, pipelining: &str) -> Stage {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.unwrap();
        let server = runtime.block_on(Server::start(script()));
        let newsletter = Newsletter::new(&format!(
            "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nconnections = {CONNECTIONS}\n\
             pipelining = \"{pipelining}\"",
            server.address.port()
        ));
        let shim = Shim::build(&newsletter.path());
        let readers = newsletter.people(readers);
        newsletter.ok(&["send", "issues/001.md", "--yes"]);
        let queued =
            FILES.map(|name| std::fs::read(newsletter.path().join(name)).unwrap_or_default());
        Stage {
            runtime,
            server,
            newsletter,
            readers,
            shim,
            queued,
        }
    }

    /// Makes what is there now the state to which [`Stage::reset`] goes back.
    pub(crate) fn keep(&mut self) {
        self.queued =
            FILES.map(|name| std::fs::read(self.newsletter.path().join(name)).unwrap_or_default());
    }

    /// Back to where it was after the issue was queued.
    pub(crate) fn reset(&mut self) {
        let folder = self.newsletter.path();
        let left = [
            "letterpress.db-shm",
            "letterpress.db-wal.removed",
            "steps",
            "made",
            "clock",
            "daemon.log",
        ];
        for name in left {
            let _ = std::fs::remove_file(folder.join(name));
        }
        for (name, bytes) in FILES.iter().zip(&self.queued) {
            // In place: another file would be taken for a copy.
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        self.nobody_is_connected();
        self.server.begin_anew(script());
    }

    /// Starts the daemon, perhaps with a fault under it.
    pub(crate) fn start(&mut self, fault: Option<(Fault, &Step)>) {
        let environment =
            self.shim
                .environment(&self.newsletter.path(), self.server.address.port(), fault);
        self.newsletter.start(&environment);
    }

    /// Lets the daemon run with a fault under it until that killed it, or until the issue is done.
    pub(crate) fn run(&mut self, fault: Option<(Fault, &Step)>) -> Ended {
        self.start(fault);
        let mut status = None;
        until("the daemon to be killed or the issue to be done", || {
            status = self.newsletter.ended();
            status.is_some() || self.newsletter.log().contains("is done")
        });
        let status = status.unwrap_or_else(|| self.ask_to_stop());
        self.nobody_is_connected();
        match (status.signal(), status.code()) {
            (Some(KILLED), _) => Ended::Killed,
            (_, Some(0)) => Ended::InOrder,
            (_, Some(130)) => Ended::AtOnce,
            (_, Some(2)) => Ended::Refused,
            _ => panic!("the daemon ended with {status}:\n{}", self.newsletter.log()),
        }
    }

    /// Runs a command with a fault under it; gives its exit status, -1 where that killed it.
    pub(crate) fn command(&self, args: &[&str], fault: Option<(Fault, &Step)>) -> i32 {
        for name in ["steps", "made"] {
            let _ = std::fs::remove_file(self.newsletter.path().join(name));
        }
        let environment =
            self.shim
                .environment(&self.newsletter.path(), self.server.address.port(), fault);
        self.newsletter.run_with(args, &environment).code
    }

    /// Asks the daemon to stop, and waits until it has.
    pub(crate) fn ask_to_stop(&mut self) -> ExitStatus {
        self.newsletter.ask_to_stop();
        let mut status = None;
        until("the daemon to end", || {
            status = self.newsletter.ended();
            status.is_some()
        });
        status.unwrap()
    }

    /// What a dead daemon has written is read to its end by the server.
    pub(crate) fn nobody_is_connected(&self) {
        std::thread::sleep(Duration::from_millis(20));
        until("the server to be left", || self.server.open() == 0);
    }

    /// Sends what is left without a fault, to the end.
    pub(crate) fn complete(&mut self) {
        let _ = std::fs::remove_file(self.newsletter.path().join("daemon.log"));
        self.newsletter.serve();
        until("the issue to be done", || {
            self.newsletter.totals()["state"] == "done"
        });
        assert_eq!(self.newsletter.stop(), 0);
        self.nobody_is_connected();
    }

    /// The names of the steps of the last run.
    pub(crate) fn steps(&self) -> Vec<String> {
        steps(&self.newsletter.path())
    }

    /// The names of the steps of the last run at which a fault was made.
    pub(crate) fn made(&self) -> Vec<String> {
        made(&self.newsletter.path())
    }

    /// Compares server and ledger about every reader, totals and rows, and looks whether the database is sound;
    /// gives how many are in each state.
    ///
    /// `kills`: how many there were; each leaves at most as many uncertain as there are connections.
    pub(crate) fn compare(
        &self,
        when: When,
        kills: usize,
        context: &str,
    ) -> BTreeMap<String, usize> {
        let totals = self.newsletter.totals();
        let rows = self.newsletter.deliveries();
        let (planned, mut counts) = (totals["planned"].as_u64().unwrap(), BTreeMap::new());
        assert_eq!(planned, rows.len() as u64, "{context}: {totals}");
        let whole = planned == self.readers.len() as u64;
        assert!(
            whole || (when == When::Between && planned == 0),
            "{context}: {planned} are planned"
        );
        let mails = self.server.mails();
        for reader in &self.readers {
            let got = mails.iter().filter(|mail| mail.rcpt == *reader).count();
            let row = rows.iter().find(|row| row["email"] == reader.as_str());
            let state = row.map_or("not planned", |row| row["state"].as_str().unwrap());
            let may = match (state, when) {
                ("sent", _) => got == 1,
                ("uncertain", _) | ("sending", When::Between) => got <= 1,
                ("failed", _) => got == 0 && reader.starts_with("reader2@"),
                ("queued" | "deferred" | "not planned", When::Between) => got == 0,
                _ => false,
            };
            assert!(
                may,
                "{context}: {reader} is {state} and came {got} times; {row:?}"
            );
            *counts.entry(state.to_owned()).or_default() += 1;
        }
        for (state, n) in &counts {
            if state != "not planned" {
                assert_eq!(
                    totals[state.as_str()].as_u64(),
                    Some(*n as u64),
                    "{context}: {state} in {totals}"
                );
            }
        }
        let open = |state: &str| counts.get(state).copied().unwrap_or(0);
        let unknown = open("uncertain") + open("sending");
        assert!(
            unknown <= kills * CONNECTIONS,
            "{context}: {unknown} uncertain after {kills} kills"
        );
        for mail in &mails {
            assert!(
                self.readers.contains(&mail.rcpt),
                "{context}: {} is a stranger",
                mail.rcpt
            );
        }
        self.database_is_sound(context);
        counts
    }

    fn database_is_sound(&self, context: &str) {
        let said: String = self.ask("PRAGMA integrity_check");
        assert_eq!(said, "ok", "{context}");
    }

    /// How many consents stand there that an import brought.
    pub(crate) fn consents_by_import(&self) -> usize {
        let count: i64 = self.ask("SELECT count(*) FROM consent WHERE how = 'import'");
        usize::try_from(count).unwrap()
    }

    /// What the database itself says.
    fn ask<T>(&self, sql: &'static str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        let file = self.newsletter.path().join("letterpress.db");
        self.runtime.block_on(async {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
            let mut connection = options.connect().await.unwrap();
            let said = sqlx::query_scalar(sql)
                .fetch_one(&mut connection)
                .await
                .unwrap();
            // To its end, or it would fold the log in while the next run is being prepared.
            connection.close().await.unwrap();
            said
        })
    }

    /// Sends once more to the uncertain, as an author may ask: then everybody has it, only the uncertain can have
    /// it twice, and both times it is the same mail by its Message-ID.
    pub(crate) fn retry_uncertain(&mut self, context: &str) {
        let before = self.newsletter.deliveries();
        let uncertain = |reader: &str| {
            before
                .iter()
                .any(|row| row["email"] == reader && row["state"] == "uncertain")
        };
        if !before.iter().any(|row| row["state"] == "uncertain") {
            return;
        }
        self.newsletter
            .ok(&["retry", "1", "--state", "uncertain", "--yes"]);
        self.complete();
        let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for mail in self.server.mails() {
            let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
            ids.entry(mail.rcpt)
                .or_default()
                .push(parsed.message_id().unwrap().to_owned());
        }
        for reader in self
            .readers
            .iter()
            .filter(|reader| !reader.starts_with("reader2@"))
        {
            let ids = ids
                .get(reader)
                .unwrap_or_else(|| panic!("{context}: {reader} never got it"));
            let most = if uncertain(reader) { 2 } else { 1 };
            assert!(
                ids.len() <= most,
                "{context}: {reader} got it {} times",
                ids.len()
            );
            assert!(
                ids.iter().all(|id| *id == ids[0]),
                "{context}: {reader} got different mails: {ids:?}"
            );
        }
    }
}
