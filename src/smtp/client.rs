//! One SMTP connection: opened, given mails one after the other, closed.
//!
//! lettre gives our name in EHLO and the responses of a login; the rest of the conversation is here. PIPELINING
//! (RFC 2920) halves the waiting, and every step has its time limit (RFC 5321, section 4.5.3.2). Bytes are left to
//! `stream`, and the meaning of replies to `reply`.

use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::extension::ClientId;
use rustls::ClientConfig;

use super::ehlo::Capabilities;
use super::endpoint::{Endpoint, Login, Pipelining, Timeouts, Tls};
use super::error::{ConnectError, ConnectFault, ConnectionLost, LostAfterData};
use super::reply::{Reply, Verdict};
use super::stall::Wait;
use super::stream::SmtpStream;
use crate::model::reply::Step;
use crate::model::waiting::WaitingFor;

/// The longest wait for the reply to QUIT.
const QUIT_WAIT: Duration = Duration::from_secs(5);

/// The envelope of one mail to one person (RFC 5321, section 2.3.1), with what MAIL declares of the mail.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'m> {
    /// The reverse-path.
    pub sender: &'m str,
    /// The forward-path.
    pub recipient: &'m str,
    /// Whether an address or a header goes beyond ASCII (RFC 6531).
    pub utf8: bool,
    /// The size of the content in bytes, or slightly more (RFC 1870).
    pub size_bytes: usize,
}

/// What the server says to an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvelopeReply {
    /// 354: the server waits for the content.
    Ready,
    /// A negative reply; the connection can be used again, unless the reply says otherwise.
    Rejected {
        /// The command that was rejected.
        step: Step,
        /// The reply.
        reply: Reply,
        /// Whose matter it is.
        verdict: Verdict,
    },
    /// The envelope needs SMTPUTF8, which this server lacks. Nothing was sent.
    NeedsUtf8,
}

/// An open connection that is ready for the next mail.
pub struct Client {
    stream: SmtpStream,
    limits: Timeouts,
    capabilities: Capabilities,
    /// Whether PIPELINING is used where it is offered.
    pub pipelines: bool,
    /// The number of mails that were accepted or rejected on it.
    pub served: u32,
    /// The server is about to close it, or it can't be used for another reason.
    pub closing: bool,
    /// A transaction was begun and rejected: RSET goes before the next.
    dirty: bool,
}

impl Client {
    /// Connects, secures and logs in. STARTTLS never falls back to clear text. `wait` is kept informed of what is
    /// waited for. `tls` is needed where the endpoint uses TLS.
    ///
    /// # Errors
    /// [`ConnectError`] tells whether to try later or to ask the author.
    pub async fn open(
        endpoint: &Endpoint,
        tls: Option<&Arc<ClientConfig>>,
        wait: &Wait<'_>,
    ) -> Result<Client, ConnectError> {
        Client::connect(endpoint, tls, wait)
            .await
            .map_err(|fault| ConnectError {
                at: endpoint.to_string(),
                fault,
            })
    }

    async fn connect(
        endpoint: &Endpoint,
        tls: Option<&Arc<ClientConfig>>,
        wait: &Wait<'_>,
    ) -> Result<Client, ConnectFault> {
        let limits = endpoint.timeouts;
        let mut stream = SmtpStream::connect(endpoint).await?;
        if let (Tls::Implicit, Some(config)) = (endpoint.tls, tls) {
            stream = stream
                .secure(&endpoint.host, config.clone(), limits.greeting)
                .await?;
        }
        wait.continue_with(WaitingFor::Greeting);
        let greeting = stream.read_reply(limits.greeting).await?;
        positive(Step::Greeting, &greeting)?;
        wait.continue_with(WaitingFor::Reply);
        let mut client = Client {
            stream,
            limits,
            capabilities: Capabilities::default(),
            pipelines: endpoint.pipelining != Pipelining::Off,
            served: 0,
            closing: false,
            dirty: false,
        };
        let needs_extensions = endpoint.tls == Tls::Starttls || endpoint.login.is_some();
        client.hello(needs_extensions).await?;
        if endpoint.tls == Tls::Starttls {
            client = client.starttls(&endpoint.host, tls).await?;
        }
        if let Some(login) = &endpoint.login {
            client.login(login, endpoint.tls).await?;
        }
        Ok(client)
    }

    /// EHLO, or HELO where a server does not know EHLO (RFC 5321, sections 3.2 and 4.1.1.1): then it offers no
    /// extension, so not where the settings need one. A machine without a full name gives its address (section 4.1.4).
    async fn hello(&mut self, needs_extensions: bool) -> Result<(), ConnectFault> {
        let name = match ClientId::default() {
            ClientId::Domain(name) if name.contains('.') && name.is_ascii() => {
                ClientId::Domain(name)
            }
            _ => match self.stream.local.ip() {
                std::net::IpAddr::V4(ip) => ClientId::Ipv4(ip),
                std::net::IpAddr::V6(ip) => ClientId::Ipv6(ip),
            },
        };
        let reply = self.exchange(&format!("EHLO {name}\r\n")).await?;
        let rejected = match positive(Step::Ehlo, &reply) {
            Ok(()) => {
                self.capabilities = Capabilities::read(&reply);
                return Ok(());
            }
            Err(rejected) if needs_extensions || !matches!(reply.code, 500 | 502 | 504 | 550) => {
                return Err(rejected);
            }
            Err(rejected) => rejected,
        };
        self.capabilities = Capabilities::default();
        match self.exchange(&format!("HELO {name}\r\n")).await {
            Ok(reply) => positive(Step::Helo, &reply),
            // By rejecting EHLO it meant to hang up.
            Err(_) => Err(rejected),
        }
    }

    /// Sends one command and reads its reply, while the connection is being prepared.
    async fn exchange(&mut self, command: &str) -> Result<Reply, ConnectionLost> {
        self.stream.command(command).await?;
        self.stream.read_reply(self.limits.command).await
    }

    /// Sends one command to which only a positive reply will do.
    async fn require(&mut self, step: Step, command: &str) -> Result<Reply, ConnectFault> {
        let reply = self.exchange(command).await?;
        positive(step, &reply)?;
        Ok(reply)
    }

    async fn starttls(
        mut self,
        host: &str,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Client, ConnectFault> {
        let Some(config) = tls.filter(|_| self.capabilities.starttls) else {
            return Err(ConnectFault::NoStarttls);
        };
        self.require(Step::Starttls, "STARTTLS\r\n").await?;
        let limit = self.limits.greeting;
        self.stream = self.stream.secure(host, config.clone(), limit).await?;
        // RFC 3207, section 4.2: what was known of the server before TLS is discarded.
        self.hello(true).await?;
        Ok(self)
    }

    async fn login(&mut self, login: &Login, tls: Tls) -> Result<(), ConnectFault> {
        if tls == Tls::None && !self.stream.local.ip().is_loopback() {
            return Err(ConnectFault::ClearTextLogin);
        }
        let credentials = Credentials::new(login.username.clone(), login.password.clone());
        let encode = |text: String| data_encoding::BASE64.encode(text.as_bytes());
        let unknown = |_| ConnectFault::UnknownChallenge;
        if self.capabilities.auth_plain {
            let secret = Mechanism::Plain
                .response(&credentials, None)
                .map_err(unknown)?;
            self.require(Step::Auth, &format!("AUTH PLAIN {}\r\n", encode(secret)))
                .await?;
        } else if self.capabilities.auth_login {
            let mut reply = self.require(Step::Auth, "AUTH LOGIN\r\n").await?;
            for _ in 0..2 {
                let challenge = data_encoding::BASE64
                    .decode(reply.lines[0].as_bytes())
                    .unwrap_or_default();
                let challenge = String::from_utf8_lossy(&challenge).into_owned();
                let response = Mechanism::Login
                    .response(&credentials, Some(&challenge))
                    .map_err(unknown)?;
                reply = self
                    .require(Step::Auth, &format!("{}\r\n", encode(response)))
                    .await?;
            }
        } else {
            return Err(ConnectFault::NoLogin);
        }
        Ok(())
    }

    /// Whether the server has kept it open. Most close a connection after a while, or after a number of mails: that is
    /// best seen before a mail is claimed.
    pub async fn is_open(&mut self) -> bool {
        !self.closing && self.stream.is_quiet().await
    }

    /// Sends the envelope of a mail to one person, up to the point where its content may follow.
    ///
    /// # Errors
    /// [`ConnectionLost`]: the connection is not usable any more; no content was sent.
    pub async fn send_envelope(
        &mut self,
        envelope: &Envelope<'_>,
    ) -> Result<EnvelopeReply, ConnectionLost> {
        if envelope.utf8 && !self.capabilities.smtputf8 {
            return Ok(EnvelopeReply::NeedsUtf8);
        }
        let mut commands = Vec::from(self.commands(envelope));
        if std::mem::take(&mut self.dirty) {
            commands.insert(0, (Step::Other, "RSET\r\n".into()));
        }
        let groups = self.groups();
        if groups {
            let group: String = commands
                .iter()
                .map(|(_, command)| command.as_str())
                .collect();
            self.stream.write(group.as_bytes()).await?;
        }
        self.converse(&commands, groups).await
    }

    /// Whether it takes addresses beyond ASCII (RFC 6531).
    pub fn takes_utf8(&self) -> bool {
        self.capabilities.smtputf8
    }

    /// Whether an envelope's commands go out in one write.
    pub fn groups(&self) -> bool {
        self.pipelines && self.capabilities.pipelining
    }

    /// Whether the commands of a mail, beyond ASCII or not, may follow the content before it ([`Client::send_content`]).
    pub fn can_follow(&self, utf8: bool) -> bool {
        self.groups() && !self.dirty && !self.closing && (!utf8 || self.capabilities.smtputf8)
    }

    /// The commands of an envelope, as they follow a content.
    pub fn envelope_commands(&self, envelope: &Envelope<'_>) -> String {
        self.commands(envelope)
            .into_iter()
            .map(|(_, command)| command)
            .collect()
    }

    /// What the server says to an envelope whose commands followed the content before it.
    ///
    /// # Errors
    /// [`ConnectionLost`]: the connection is not usable any more; no content was sent.
    pub async fn read_envelope_reply(&mut self) -> Result<EnvelopeReply, ConnectionLost> {
        let answered = [Step::Mail, Step::Rcpt, Step::Data].map(|step| (step, String::new()));
        self.converse(&answered, true).await
    }

    fn commands(&self, envelope: &Envelope<'_>) -> [(Step, String); 3] {
        let size = if self.capabilities.size {
            format!(" SIZE={}", envelope.size_bytes)
        } else {
            String::new()
        };
        let utf8 = if envelope.utf8 {
            " BODY=8BITMIME SMTPUTF8"
        } else {
            ""
        };
        [
            (
                Step::Mail,
                format!("MAIL FROM:<{}>{size}{utf8}\r\n", envelope.sender),
            ),
            (Step::Rcpt, format!("RCPT TO:<{}>\r\n", envelope.recipient)),
            (Step::Data, "DATA\r\n".into()),
        ]
    }

    /// Reads the replies to an envelope's commands, which are `written` already or are sent one by one.
    async fn converse(
        &mut self,
        commands: &[(Step, String)],
        written: bool,
    ) -> Result<EnvelopeReply, ConnectionLost> {
        let mut rejected: Option<EnvelopeReply> = None;
        for (step, command) in commands {
            let step = *step;
            if !written {
                if rejected.is_some() {
                    break;
                }
                self.stream.command(command).await?;
            }
            let reply = match self.stream.read_reply(self.limit(step)).await {
                Ok(reply) => reply,
                // The first rejection counts; what a closing server leaves unsaid is not missed.
                Err(_) if rejected.is_some() => {
                    self.closing = true;
                    break;
                }
                Err(why) => return Err(why),
            };
            match (&rejected, reply.verdict(step)) {
                // RFC 2920, section 3.1: DATA was let through although nobody is to get it: an empty mail ends it.
                (Some(_), Verdict::Positive) if step == Step::Data => self.withdraw().await,
                (Some(_), _) | (None, Verdict::Positive) => {}
                (None, Verdict::ProtocolError) => {
                    return Err(ConnectionLost::Unexpected { step, reply });
                }
                (None, verdict) => {
                    self.closing |= reply.code == 421;
                    self.dirty = step != Step::Mail;
                    rejected = Some(EnvelopeReply::Rejected {
                        step,
                        reply,
                        verdict,
                    });
                }
            }
        }
        if let Some(rejected) = rejected {
            // A reply more than there were commands: which of them was the rejection is not known. Where the content
            // may follow, the next write notices it.
            self.closing |= !self.closing && !self.stream.no_more_came().await?;
            return Ok(rejected);
        }
        Ok(EnvelopeReply::Ready)
    }

    /// Ends a DATA for which nobody was accepted.
    async fn withdraw(&mut self) {
        let ended = self.stream.command(".\r\n").await.is_ok()
            && self.stream.read_reply(self.limits.dot).await.is_ok();
        self.closing |= !ended;
    }

    /// Sends a content and reads its reply. `bytes` holds the mail with the line of the dot that ends it, `mail_end`
    /// bytes long, and behind it what may follow at once: the next mail's commands ([`Client::envelope_commands`]).
    ///
    /// # Errors
    /// [`LostAfterData`] tells whether the server may have taken it.
    pub async fn send_content(
        &mut self,
        bytes: &[u8],
        mail_end: usize,
    ) -> Result<(Reply, Verdict), LostAfterData> {
        debug_assert!(bytes[..mail_end].ends_with(b"\r\n.\r\n"));
        self.stream
            .write(bytes)
            .await
            .map_err(|partial| LostAfterData {
                after_dot: partial.written >= mail_end,
                why: partial.why,
            })?;
        let lost = |why| LostAfterData {
            after_dot: true,
            why,
        };
        let reply = self
            .stream
            .read_reply(self.limits.dot)
            .await
            .map_err(lost)?;
        self.closing |= reply.code == 421;
        let step = Step::Content;
        match reply.verdict(step) {
            Verdict::ProtocolError => Err(lost(ConnectionLost::Unexpected { step, reply })),
            verdict => Ok((reply, verdict)),
        }
    }

    /// Says goodbye and waits for the reply, so that the server counts one connection less.
    pub async fn quit(&mut self) {
        let brief = self.limits.command.min(QUIT_WAIT);
        if self.stream.command("QUIT\r\n").await.is_ok() {
            let _ = self.stream.read_reply(brief).await;
        }
    }

    fn limit(&self, step: Step) -> Duration {
        match step {
            Step::Data => self.limits.data,
            _ => self.limits.command,
        }
    }
}

/// Passes a positive reply; another is a fault that tells whose matter it is.
fn positive(step: Step, reply: &Reply) -> Result<(), ConnectFault> {
    match reply.verdict(step) {
        Verdict::Positive => Ok(()),
        Verdict::ConfigFault | Verdict::PermFail => Err(ConnectFault::Rejected {
            step,
            reply: reply.clone(),
            remedy: reply.remedy(step),
        }),
        _ => Err(ConnectFault::Unavailable {
            step,
            reply: reply.clone(),
        }),
    }
}
