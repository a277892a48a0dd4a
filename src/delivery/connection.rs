//! One SMTP connection: opened, offered mails one after the other, closed.
//!
//! lettre gives our name and the answers of a login; the conversation itself is ours, because three promises
//! hang on it that lettre's connection can't keep. It must
//! be known whether a mail's last byte was handed over when a connection breaks; a refusal must not cost the
//! connection; and a reply in a server's own alphabet must not be taken for a broken one. Beside that,
//! PIPELINING (RFC 2920) halves the waiting, and every step has its time limit (RFC 5321, 4.5.3.2).

use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::extension::ClientId;
use rustls::ClientConfig;

use super::awaited::{Waiting, Wants};
use super::capabilities::Capabilities;
use super::reply::{Answer, Step, Verdict, judge, remedy};
use super::wire::{Broken, Wire};
use super::{Pipelining, Relay, Timeouts, Tls};

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Whether the author must mend something; else the relay rests and is tried again.
    pub ours: bool,
    /// One sentence that names the relay's host and port, and what to do.
    pub text: String,
}

/// One mail to one person, as it is offered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer<'m> {
    /// The envelope's sender.
    pub sender: &'m str,
    pub recipient: &'m str,
    /// Whether an address or a header goes beyond ASCII (RFC 6531).
    pub utf8: bool,
    /// Of the content (RFC 1870).
    pub size_bytes: usize,
}

/// What became of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    /// 354: the server waits for the content.
    Ready,
    /// A negative reply; the connection can be used again, unless it says otherwise.
    Declined {
        step: Step,
        answer: Answer,
        verdict: Verdict,
    },
    /// The address needs SMTPUTF8, which this server lacks. Nothing was said.
    NeedsUtf8,
}

/// The connection broke while the content was written or after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LostContent {
    /// Whether the dot that ends the mail was handed over: then the server may have taken it (RFC 1047).
    pub after_dot: bool,
    pub why: Broken,
}

/// An open connection that is ready for the next mail.
pub(super) struct Connection {
    wire: Wire,
    limits: Timeouts,
    offers: Capabilities,
    /// Whether PIPELINING is used where it is offered.
    pub pipelines: bool,
    /// Mails that were accepted or refused on it.
    pub served: u32,
    /// The server is about to close it, or it can't be used for another reason.
    pub closing: bool,
    /// A transaction was begun and refused: RSET goes before the next.
    dirty: bool,
}

impl Connection {
    /// Connects, secures and logs in. STARTTLS never falls back to clear text. `waiting` is told what is waited for.
    ///
    /// # Errors
    /// [`Trouble`] tells whether to wait or to ask the author.
    pub(super) async fn open(
        relay: &Relay,
        tls: Option<&Arc<ClientConfig>>,
        limits: &Timeouts,
        waiting: &Waiting<'_>,
    ) -> Result<Connection, Trouble> {
        let at = format!("{}:{}", relay.host, relay.port);
        let reach = |why: Broken| Trouble {
            ours: false,
            text: format!("{at} can't be reached: {}", why.0),
        };
        let mut wire = Wire::connect(relay, limits).await.map_err(reach)?;
        if let (Tls::Implicit, Some(config)) = (relay.tls, tls) {
            wire = wire
                .secure(&relay.host, config.clone(), limits.greeting)
                .await
                .map_err(reach)?;
        }
        waiting.goes_on(Wants::Greeting);
        let greeting = wire.answer(limits.greeting).await.map_err(reach)?;
        good(&at, Step::Greeting, &greeting)?;
        waiting.goes_on(Wants::Answer);
        let mut connection = Connection {
            wire,
            limits: *limits,
            offers: Capabilities::default(),
            pipelines: relay.pipelining != Pipelining::Off,
            served: 0,
            closing: false,
            dirty: false,
        };
        let need = relay.tls == Tls::Starttls || relay.username.is_some();
        connection.hello(&at, need).await?;
        if relay.tls == Tls::Starttls {
            connection = connection.starttls(&at, relay, tls).await?;
        }
        if let (Some(name), Some(password)) = (&relay.username, &relay.password) {
            connection
                .login(&at, relay, Credentials::new(name.clone(), password.clone()))
                .await?;
        }
        Ok(connection)
    }

    /// EHLO, or HELO where a server knows nothing better (RFC 5321, 3.2 and 4.1.1.1): then it offers no extension, so not
    /// where the settings `need` one. A machine without a full name gives its address (4.1.4).
    async fn hello(&mut self, at: &str, need: bool) -> Result<(), Trouble> {
        let name = match ClientId::default() {
            ClientId::Domain(name) if name.contains('.') && name.is_ascii() => {
                ClientId::Domain(name)
            }
            _ => match self.wire.local.ip() {
                std::net::IpAddr::V4(ip) => ClientId::Ipv4(ip),
                std::net::IpAddr::V6(ip) => ClientId::Ipv6(ip),
            },
        };
        let answer = self.say(at, &format!("EHLO {name}\r\n")).await?;
        let refused = match good(at, Step::Ehlo, &answer) {
            Ok(()) => {
                self.offers = Capabilities::read(&answer);
                return Ok(());
            }
            Err(refused) if need || !matches!(answer.code, 500 | 502 | 504 | 550) => {
                return Err(refused);
            }
            Err(refused) => refused,
        };
        self.offers = Capabilities::default();
        match self.say(at, &format!("HELO {name}\r\n")).await {
            Ok(answer) => good(at, Step::Helo, &answer),
            // What it meant by its refusal was to hang up.
            Err(_) => Err(refused),
        }
    }

    /// Says one thing while the connection is made ready.
    async fn say(&mut self, at: &str, command: &str) -> Result<Answer, Trouble> {
        let reach = |why: Broken| Trouble {
            ours: false,
            text: format!("{at} can't be reached: {}", why.0),
        };
        self.wire
            .write(command.as_bytes())
            .await
            .map_err(|cut| reach(cut.why))?;
        self.wire.answer(self.limits.command).await.map_err(reach)
    }

    /// The same, where only a good answer will do.
    async fn ask(&mut self, at: &str, step: Step, command: &str) -> Result<Answer, Trouble> {
        let answer = self.say(at, command).await?;
        good(at, step, &answer)?;
        Ok(answer)
    }

    async fn starttls(
        mut self,
        at: &str,
        relay: &Relay,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Connection, Trouble> {
        let Some(config) = tls.filter(|_| self.offers.starttls) else {
            let text = format!(
                "{at} offers no STARTTLS, and nothing is sent in clear text: set port and tls of the relay as it wants them"
            );
            return Err(Trouble { ours: true, text });
        };
        self.ask(at, Step::Starttls, "STARTTLS\r\n").await?;
        let limit = self.limits.greeting;
        self.wire = self
            .wire
            .secure(&relay.host, config.clone(), limit)
            .await
            .map_err(|why| Trouble {
                ours: false,
                text: format!("{at} can't be reached: {}", why.0),
            })?;
        // RFC 3207, 4.2: what was known of the server before TLS is forgotten.
        self.hello(at, true).await?;
        Ok(self)
    }

    async fn login(
        &mut self,
        at: &str,
        relay: &Relay,
        credentials: Credentials,
    ) -> Result<(), Trouble> {
        let ours = |why: &str| Trouble {
            ours: true,
            text: format!("{at}: {why}"),
        };
        if relay.tls == Tls::None && !self.wire.local.ip().is_loopback() {
            return Err(ours(
                "the password would go out in clear text; set tls of the relay to starttls or implicit",
            ));
        }
        let encode = |text: String| data_encoding::BASE64.encode(text.as_bytes());
        let odd =
            |_| ours("the relay asks in a way that is not known; ask its keeper how to log in");
        if self.offers.auth_plain {
            let secret = Mechanism::Plain.response(&credentials, None).map_err(odd)?;
            self.ask(
                at,
                Step::Auth,
                &format!("AUTH PLAIN {}\r\n", encode(secret)),
            )
            .await?;
        } else if self.offers.auth_login {
            let mut answer = self.ask(at, Step::Auth, "AUTH LOGIN\r\n").await?;
            for _ in 0..2 {
                let asked = data_encoding::BASE64
                    .decode(answer.lines[0].as_bytes())
                    .unwrap_or_default();
                let asked = String::from_utf8_lossy(&asked).into_owned();
                let reply = Mechanism::Login
                    .response(&credentials, Some(&asked))
                    .map_err(odd)?;
                answer = self
                    .ask(at, Step::Auth, &format!("{}\r\n", encode(reply)))
                    .await?;
            }
        } else {
            return Err(ours(
                "it offers no login by PLAIN or LOGIN; unset username, or set tls and port as it wants them",
            ));
        }
        Ok(())
    }

    /// Whether the server has kept it open. Most close a connection after a while, or after so many mails: that is
    /// best seen before a mail is claimed.
    pub(super) async fn is_open(&mut self) -> bool {
        !self.closing && self.wire.is_quiet().await
    }

    /// Offers a mail to one person, up to the point where its content may follow.
    ///
    /// # Errors
    /// [`Broken`]: the connection is of no more use; no content was sent.
    pub(super) async fn offer(&mut self, offer: &Offer<'_>) -> Result<Offered, Broken> {
        if offer.utf8 && !self.offers.smtputf8 {
            return Ok(Offered::NeedsUtf8);
        }
        let mut commands = Vec::from(self.commands(offer));
        if std::mem::take(&mut self.dirty) {
            commands.insert(0, (Step::Other, "RSET\r\n".into()));
        }
        let groups = self.groups();
        if groups {
            let group: String = commands
                .iter()
                .map(|(_, command)| command.as_str())
                .collect();
            self.wire.write(group.as_bytes()).await?;
        }
        self.converse(&commands, groups).await
    }

    /// Whether it takes addresses beyond ASCII (RFC 6531).
    pub(super) fn takes_utf8(&self) -> bool {
        self.offers.smtputf8
    }

    /// Whether an offer's commands go out together.
    pub(super) fn groups(&self) -> bool {
        self.pipelines && self.offers.pipelining
    }

    /// Whether a mail, beyond ASCII or not, may be offered right behind the one before it ([`Connection::content`]).
    pub(super) fn can_follow(&self, utf8: bool) -> bool {
        self.groups() && !self.dirty && !self.closing && (!utf8 || self.offers.smtputf8)
    }

    /// The commands of an offer, as they stand behind a content.
    pub(super) fn group(&self, offer: &Offer<'_>) -> String {
        self.commands(offer)
            .into_iter()
            .map(|(_, command)| command)
            .collect()
    }

    /// What became of an offer whose commands went out with the content before it.
    ///
    /// # Errors
    /// As [`Connection::offer`].
    pub(super) async fn hear(&mut self) -> Result<Offered, Broken> {
        let answered = [Step::Mail, Step::Rcpt, Step::Data].map(|step| (step, String::new()));
        self.converse(&answered, true).await
    }

    fn commands(&self, offer: &Offer<'_>) -> [(Step, String); 3] {
        let size = if self.offers.size {
            format!(" SIZE={}", offer.size_bytes)
        } else {
            String::new()
        };
        let utf8 = if offer.utf8 {
            " BODY=8BITMIME SMTPUTF8"
        } else {
            ""
        };
        [
            (
                Step::Mail,
                format!("MAIL FROM:<{}>{size}{utf8}\r\n", offer.sender),
            ),
            (Step::Rcpt, format!("RCPT TO:<{}>\r\n", offer.recipient)),
            (Step::Data, "DATA\r\n".into()),
        ]
    }

    /// Hears the answers to an offer's commands, which are `written` already or are said one by one.
    async fn converse(
        &mut self,
        commands: &[(Step, String)],
        written: bool,
    ) -> Result<Offered, Broken> {
        let mut declined: Option<Offered> = None;
        for (step, command) in commands {
            if !written {
                if declined.is_some() {
                    break;
                }
                self.wire.write(command.as_bytes()).await?;
            }
            let answer = match self.wire.answer(self.limit(*step)).await {
                Ok(answer) => answer,
                // The first refusal counts; what a closing server does not say any more is not missed.
                Err(_) if declined.is_some() => {
                    self.closing = true;
                    break;
                }
                Err(why) => return Err(why),
            };
            match (&declined, judge(*step, &answer)) {
                // RFC 2920, 3.1: DATA was let through although nobody is to get it: an empty mail ends it.
                (Some(_), Verdict::Good) if *step == Step::Data => self.withdraw().await,
                (Some(_), _) | (None, Verdict::Good) => {}
                (None, Verdict::Nonsense) => {
                    return Err(Broken(format!(
                        "“{}” is no answer to {}",
                        answer.text(),
                        step.word()
                    )));
                }
                (None, verdict) => {
                    self.closing |= answer.code == 421;
                    self.dirty = *step != Step::Mail;
                    declined = Some(Offered::Declined {
                        step: *step,
                        answer,
                        verdict,
                    });
                }
            }
        }
        Ok(declined.unwrap_or(Offered::Ready))
    }

    /// Ends a DATA for which nobody was accepted.
    async fn withdraw(&mut self) {
        let ended = self.wire.write(b".\r\n").await.is_ok()
            && self.wire.answer(self.limits.dot).await.is_ok();
        self.closing |= !ended;
    }

    /// Sends a content and reads its answer. `bytes` holds the mail with the line of the dot that ends it, `mail_end`
    /// bytes long, and behind it what may follow at once: the next offer's commands ([`Connection::group`]).
    ///
    /// # Errors
    /// [`LostContent`] tells whether the server may have taken it.
    pub(super) async fn content(
        &mut self,
        bytes: &[u8],
        mail_end: usize,
    ) -> Result<(Answer, Verdict), LostContent> {
        debug_assert!(bytes[..mail_end].ends_with(b"\r\n.\r\n"));
        self.wire.write(bytes).await.map_err(|cut| LostContent {
            after_dot: cut.written >= mail_end,
            why: cut.why,
        })?;
        let lost = |why| LostContent {
            after_dot: true,
            why,
        };
        let answer = self.wire.answer(self.limits.dot).await.map_err(lost)?;
        self.closing |= answer.code == 421;
        match judge(Step::Content, &answer) {
            Verdict::Nonsense => Err(lost(Broken(format!(
                "“{}” is no answer to a mail",
                answer.text()
            )))),
            verdict => Ok((answer, verdict)),
        }
    }

    /// Says good-bye and waits for the answer, so that the server counts one connection less.
    pub(super) async fn quit(&mut self) {
        let brief = self.limits.command.min(Duration::from_secs(5));
        if self.wire.write(b"QUIT\r\n").await.is_ok() {
            let _ = self.wire.answer(brief).await;
        }
    }

    fn limit(&self, step: Step) -> Duration {
        match step {
            Step::Data => self.limits.data,
            _ => self.limits.command,
        }
    }
}

/// Goes on after a good answer; another is a trouble that tells whose matter it is.
fn good(at: &str, step: Step, answer: &Answer) -> Result<(), Trouble> {
    let said = || format!("{at} answers {} with “{}”", step.word(), answer.text());
    match judge(step, answer) {
        Verdict::Good => Ok(()),
        Verdict::Ours | Verdict::Refused => Err(Trouble {
            ours: true,
            text: format!("{}: {}", said(), remedy(step, answer)),
        }),
        _ => Err(Trouble {
            ours: false,
            text: said(),
        }),
    }
}
