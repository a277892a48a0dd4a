//! One SMTP connection: opened, given mails one after the other, closed.
//!
//! lettre gives this machine's name; the conversation is here. PIPELINING (RFC 2920) halves the waiting, and every step
//! has its time limit (RFC 5321, section 4.5.3.2). Which address is connected to is left to `connect`, the steps of a
//! login to `auth`, bytes to `stream`, and the meaning of replies to `reply`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::extension::ClientId;
use rustls::ClientConfig;
use tokio::net::TcpStream;

use super::auth::{self, Auth, Next};
use super::connect;
use super::ehlo::Capabilities;
use super::endpoint::{Endpoint, Login, Password, Pipelining, Timeouts, Tls};
use super::error::{ConnectError, ConnectFault, ConnectionLost, LostAfterData};
use super::probe;
use super::reply::{Reply, Verdict};
use super::stall::Wait;
use super::stream::SmtpStream;
use super::tls::TlsFailure;
use crate::format;
use crate::model::reply::Step;
use crate::model::waiting::{Remedy, WaitingFor};

/// The longest wait for the reply to QUIT.
const QUIT_WAIT: Duration = Duration::from_secs(5);
/// How long a greeting may take before it is looked whether the server waits for TLS. Postscreen's pause has six
/// seconds.
const SILENT_AFTER: Duration = Duration::from_millis(6_500);
/// How long an address is waited for that accepts the connection and says nothing, where there are others.
const NEXT_ADDRESS_AFTER: Duration = Duration::from_secs(10);

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
    peer: SocketAddr,
    /// Our name in EHLO.
    name: String,
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
    /// Connects, secures and logs in. STARTTLS never falls back to clear text. `tls` is needed where the endpoint uses
    /// TLS. Of several addresses, `first` is tried first. `wait` is kept informed of what is waited for.
    ///
    /// # Errors
    /// [`ConnectError`] tells whether to try later or to ask the author.
    pub async fn open(
        endpoint: &Endpoint,
        tls: Option<&Arc<ClientConfig>>,
        first: Option<SocketAddr>,
        wait: &Wait<'_>,
    ) -> Result<Client, ConnectError> {
        Client::connect(endpoint, tls, first, wait)
            .await
            .map_err(|fault| ConnectError {
                at: endpoint.to_string(),
                fault,
            })
    }

    async fn connect(
        endpoint: &Endpoint,
        tls: Option<&Arc<ClientConfig>>,
        first: Option<SocketAddr>,
        wait: &Wait<'_>,
    ) -> Result<Client, ConnectFault> {
        let limits = endpoint.timeouts;
        let host = (endpoint.host.as_str(), endpoint.port);
        let addresses = connect::addresses(host, first, limits.connect).await?;
        let (stream, peer) = greeted(endpoint, tls, (addresses, first), wait).await?;
        wait.continue_with(WaitingFor::Reply);
        let name = name(endpoint, stream.local);
        let mut client = Client {
            stream,
            peer,
            name,
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
    /// extension, so not where the settings need one.
    async fn hello(&mut self, needs_extensions: bool) -> Result<(), ConnectFault> {
        let reply = self.exchange(&format!("EHLO {}\r\n", self.name)).await?;
        let rejected = match self.welcome(Step::Ehlo, &reply) {
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
        match self.exchange(&format!("HELO {}\r\n", self.name)).await {
            Ok(reply) => self.welcome(Step::Helo, &reply),
            // By rejecting EHLO it meant to hang up.
            Err(_) => Err(rejected),
        }
    }

    /// Passes a positive reply to EHLO or HELO. Many servers accept no address in place of a name, some only at this
    /// moment and with a reply that says something else.
    fn welcome(&self, step: Step, reply: &Reply) -> Result<(), ConnectFault> {
        let is_about_name = self.name.starts_with('[') || reply.refuses_our_name();
        let knows_no_ehlo = matches!(reply.code, 500 | 502);
        let mut passed = positive(step, reply);
        if !knows_no_ehlo && is_about_name {
            match &mut passed {
                Err(ConnectFault::Unavailable { remedy, .. }) => {
                    *remedy = Some(Remedy::SetEhloName)
                }
                Err(ConnectFault::Rejected { remedy, .. }) => *remedy = Remedy::SetEhloName,
                _ => {}
            }
        }
        passed
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
        let password = password(login)?;
        let (mut auth, mut line) = Auth::begin(self.capabilities, &login.username, &password)
            .ok_or(ConnectFault::NoLogin)?;
        loop {
            let reply = match self.exchange(&line).await {
                Ok(reply) => reply,
                Err(lost) => {
                    // Many servers hang up after a refusal: what they said before counts.
                    let refusal = auth.refusal().map(|reply| positive(Step::Auth, reply));
                    return refusal.unwrap_or(Err(lost.into()));
                }
            };
            match auth.next(&reply) {
                Next::Done => return Ok(()),
                Next::Send(next) => line = next,
                Next::Refused(reply) => return positive(Step::Auth, &reply),
                Next::Unknown => {
                    let _ = self.exchange(auth::CANCEL).await;
                    return Err(ConnectFault::UnknownChallenge);
                }
            }
        }
    }

    /// Its other end.
    pub fn peer(&self) -> SocketAddr {
        self.peer
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

/// A connection to the first of a host's addresses that greets, with that address. One that accepts the connection and
/// then fails is passed over where there are others (RFC 5321, section 5.1). `known`: the address that greeted before.
async fn greeted(
    endpoint: &Endpoint,
    tls: Option<&Arc<ClientConfig>>,
    (mut addresses, known): (Vec<SocketAddr>, Option<SocketAddr>),
    wait: &Wait<'_>,
) -> Result<(SmtpStream, SocketAddr), ConnectFault> {
    let limits = &endpoint.timeouts;
    let mut failed = None;
    loop {
        let (stream, peer) = match connect::race(&addresses, limits.connect).await {
            Ok(connected) => connected,
            // What became of an address that accepted tells more.
            Err(lost) => return Err(failed.unwrap_or(lost.into())),
        };
        addresses.retain(|address| *address != peer);
        let asked = Asked {
            peer,
            is_known: known == Some(peer),
            is_last: addresses.is_empty(),
        };
        match greeting(endpoint, tls, stream, asked, wait).await {
            Ok(stream) => return Ok((stream, peer)),
            // The others are set up alike.
            Err(fault @ (ConnectFault::SpeaksTls | ConnectFault::SpeaksClearText)) => {
                return Err(fault);
            }
            Err(fault) if addresses.is_empty() => return Err(fault),
            Err(fault) => failed = Some(fault),
        }
        wait.continue_with(WaitingFor::Connection);
    }
}

/// An address from which a greeting is expected.
struct Asked {
    peer: SocketAddr,
    /// It has greeted before, so that a silence has other reasons than that it waits for TLS.
    is_known: bool,
    /// There is no other to be tried.
    is_last: bool,
}

/// Reads the greeting on a new connection, under TLS where it begins with that.
async fn greeting(
    endpoint: &Endpoint,
    tls: Option<&Arc<ClientConfig>>,
    stream: TcpStream,
    asked: Asked,
    wait: &Wait<'_>,
) -> Result<SmtpStream, ConnectFault> {
    let Asked {
        peer,
        is_known,
        is_last,
    } = asked;
    let limit = match endpoint.timeouts.greeting {
        whole if is_last => whole,
        whole => whole.min(NEXT_ADDRESS_AFTER),
    };
    let mut stream = SmtpStream::over_tcp(stream, endpoint.timeouts.block)?;
    let is_implicit = endpoint.tls == Tls::Implicit;
    if let (true, Some(config)) = (is_implicit, tls) {
        let secured = stream.secure(&endpoint.host, config.clone(), limit).await;
        stream = secured.map_err(|lost| match lost {
            ConnectionLost::Tls(TlsFailure::NotTls) => ConnectFault::SpeaksClearText,
            lost => lost.into(),
        })?;
    }
    wait.continue_with(WaitingFor::Greeting);
    let mut reply = if is_implicit || is_known {
        stream.read_reply(limit).await
    } else {
        stream.read_reply(limit.min(SILENT_AFTER)).await
    };
    if reply == Err(ConnectionLost::TimedOut(SILENT_AFTER)) && limit > SILENT_AFTER {
        // Some servers serve one connection at a time: this one would keep the probe from being answered.
        drop(stream);
        if probe::speaks_tls(peer, &endpoint.host).await {
            return Err(ConnectFault::SpeaksTls);
        }
        if !is_last {
            return Err(ConnectionLost::NoGreeting(SILENT_AFTER).into());
        }
        let (again, _) = connect::race(&[peer], endpoint.timeouts.connect).await?;
        stream = SmtpStream::over_tcp(again, endpoint.timeouts.block)?;
        reply = stream.read_reply(limit).await;
    }
    let reply = reply.map_err(|lost| match lost {
        ConnectionLost::TimedOut(limit) => ConnectionLost::NoGreeting(limit),
        lost => lost,
    })?;
    positive(Step::Greeting, &reply)?;
    Ok(stream)
}

/// Our name in EHLO: as the settings say, else this machine's if it is a full one, else its address (RFC 5321,
/// section 4.1.4).
fn name(endpoint: &Endpoint, local: SocketAddr) -> String {
    if let Some(name) = &endpoint.ehlo_name {
        return name.clone();
    }
    match ClientId::default() {
        ClientId::Domain(name) if is_full_name(&name) => name,
        _ => match local.ip().to_canonical() {
            IpAddr::V4(ip) => format!("[{ip}]"),
            IpAddr::V6(ip) => format!("[IPv6:{ip}]"),
        },
    }
}

/// Whether a machine's name can be known to others.
fn is_full_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.contains('.')
        && name.split('.').all(is_label)
        && !name.ends_with(".localdomain")
        && name.parse::<IpAddr>().is_err()
}

/// The password of a login.
fn password(login: &Login) -> Result<String, ConnectFault> {
    login
        .password
        .read()
        .map_err(|error| match &login.password {
            Password::File(path) => ConnectFault::PasswordFile {
                path: path.clone(),
                why: format::io(&error),
            },
            Password::Text(_) => ConnectFault::NoLogin,
        })
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
            remedy: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::smtp::StallMonitor;

    /// A server that says these words to each connection and then hangs up.
    async fn saying(ip: [u8; 4], words: &'static str) -> SocketAddr {
        let listener = TcpListener::bind((IpAddr::from(ip), 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(words.as_bytes()).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn an_address_that_accepts_and_fails_is_passed_over() {
        let endpoint = Endpoint {
            host: "relay.test".into(),
            port: 25,
            tls: Tls::None,
            ca_file: None,
            login: None,
            ehlo_name: None,
            pipelining: Pipelining::Standard,
            messages_per_connection: 0,
            timeouts: Timeouts::default(),
        };
        let monitor = StallMonitor::default();
        let wait = monitor.begin(WaitingFor::Connection);
        let good = saying([127, 0, 0, 3], "220 good\r\n").await;
        let busy = saying([127, 0, 0, 4], "421 busy\r\n").await;
        for first in [
            saying([127, 0, 0, 2], "").await,
            saying([127, 0, 0, 2], "554 not here\r\n").await,
            saying([127, 0, 0, 2], "what is this\r\n").await,
            busy,
        ] {
            let (_, peer) = greeted(&endpoint, None, (vec![first, good], None), &wait)
                .await
                .unwrap();
            assert_eq!(peer, good);
        }
        // One that says nothing at all, without the wait for a slow one.
        let silent = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let silent_at = silent.local_addr().unwrap();
        let impatient = Endpoint {
            timeouts: Timeouts {
                greeting: Duration::from_secs(1),
                ..Timeouts::default()
            },
            ..endpoint.clone()
        };
        let passed_over = greeted(&impatient, None, (vec![silent_at, good], None), &wait).await;
        assert_eq!(passed_over.unwrap().1, good);
        // A port at which nobody listens says less than a server that was busy.
        let closed = {
            let listener = TcpListener::bind("127.0.0.5:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        let fault = greeted(&endpoint, None, (vec![busy, closed], None), &wait).await;
        assert!(
            matches!(fault, Err(ConnectFault::Unavailable { .. })),
            "the busy one is told"
        );
    }

    #[test]
    fn a_machines_name_is_given_where_others_can_know_it() {
        for full in ["mail.example.org", "a-1.b2.example"] {
            assert!(is_full_name(full), "{full}");
        }
        for other in [
            "laptop",
            "localhost.localdomain",
            "my_host.example.org",
            "mail.example.org.",
            "192.0.2.1",
            "büro.example",
        ] {
            assert!(!is_full_name(other), "{other}");
        }
    }
}
