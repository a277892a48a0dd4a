//! A scripted SMTP server: it keeps what it accepts, and does at each step what a script says.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
    ReadBuf,
};
use tokio::net::{TcpListener, TcpStream};

#[path = "script.rs"]
mod script;

use script::Script;
pub(crate) use script::{At, Do, Gate, refuse, say};

/// A mail that was kept.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub sender: String,
    pub rcpt: String,
    pub bytes: Vec<u8>,
    pub at: Instant,
}

#[derive(Default)]
struct Seen {
    mails: Vec<Mail>,
    rcpts: Vec<(String, Instant)>,
    commands: Vec<String>,
    /// Every byte of each connection, as it came.
    wires: Vec<Vec<u8>>,
}

/// The server; dropping it closes its port.
pub(crate) struct Server {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    script: Mutex<Script>,
    /// The lines of the EHLO reply after the first.
    offers: Vec<&'static str>,
    seen: Mutex<Seen>,
    asked: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    most_mails: AtomicUsize,
    connections: AtomicUsize,
    followed: AtomicUsize,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) const OFFERS: &[&str] = &[
    "PIPELINING",
    "SIZE 50000000",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
];

impl Server {
    pub(crate) async fn start(
        script: impl FnMut(At, &str, usize) -> Do + Send + 'static,
    ) -> Server {
        Server::with(OFFERS, "127.0.0.1:0", script).await
    }

    /// One that does what servers do.
    pub(crate) async fn usual() -> Server {
        Server::start(|_, _, _| Do::Usual).await
    }

    pub(crate) async fn with(
        offers: &[&'static str],
        at: &str,
        script: impl FnMut(At, &str, usize) -> Do + Send + 'static,
    ) -> Server {
        let listener = TcpListener::bind(at).await.unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            offers: offers.to_vec(),
            seen: Mutex::default(),
            asked: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            most_mails: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            followed: AtomicUsize::new(0),
        });
        let address = listener.local_addr().unwrap();
        let accepting = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = accepting.clone();
                tokio::spawn(async move {
                    shared.connections.fetch_add(1, Ordering::SeqCst);
                    let open = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
                    shared.most_open.fetch_max(open, Ordering::SeqCst);
                    let mut talk = Talk {
                        shared,
                        gone: false,
                        mails: 0,
                        in_auth: false,
                    };
                    talk.run(stream).await;
                    talk.leave();
                });
            }
        });
        Server {
            address,
            shared,
            task,
        }
    }

    pub(crate) fn script(&self, script: impl FnMut(At, &str, usize) -> Do + Send + 'static) {
        *self.shared.script.lock().unwrap() = Box::new(script);
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.shared.seen.lock().unwrap().mails.clone()
    }

    /// How many mails of each recipient were kept.
    pub(crate) fn count(&self, rcpt: &str) -> usize {
        self.shared
            .seen
            .lock()
            .unwrap()
            .mails
            .iter()
            .filter(|mail| mail.rcpt == rcpt)
            .count()
    }

    /// When RCPT was said for each recipient.
    pub(crate) fn rcpts(&self) -> Vec<(String, Instant)> {
        self.shared.seen.lock().unwrap().rcpts.clone()
    }

    pub(crate) fn commands(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().commands.clone()
    }

    /// Every byte of each connection, as it came.
    pub(crate) fn wires(&self) -> Vec<Vec<u8>> {
        self.shared.seen.lock().unwrap().wires.clone()
    }

    /// Forgets what it has seen, and goes on by another script. Nobody must be connected.
    pub(crate) fn begin_anew(&self, script: impl FnMut(At, &str, usize) -> Do + Send + 'static) {
        assert_eq!(self.open(), 0, "somebody is connected");
        *self.shared.seen.lock().unwrap() = Seen::default();
        self.shared.asked.store(0, Ordering::SeqCst);
        self.script(script);
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    pub(crate) fn most_open(&self) -> usize {
        self.shared.most_open.load(Ordering::SeqCst)
    }

    pub(crate) fn most_mails(&self) -> usize {
        self.shared.most_mails.load(Ordering::SeqCst)
    }

    /// Behind how many mails the next one's commands had come already.
    pub(crate) fn followed(&self) -> usize {
        self.shared.followed.load(Ordering::SeqCst)
    }

    /// How many connections there were in all.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

/// A stream of which every byte that comes is kept.
struct Tap {
    stream: TcpStream,
    shared: Arc<Shared>,
    number: usize,
}

impl Tap {
    fn new(stream: TcpStream, shared: Arc<Shared>) -> Tap {
        let mut seen = shared.seen.lock().unwrap();
        let number = seen.wires.len();
        seen.wires.push(Vec::new());
        drop(seen);
        Tap {
            stream,
            shared,
            number,
        }
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        c: &mut Context,
        out: &mut ReadBuf,
    ) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(c, out);
        // A script that began anew has forgotten this connection.
        if let Some(wire) = self.shared.seen.lock().unwrap().wires.get_mut(self.number) {
            wire.extend_from_slice(&out.filled()[before..]);
        }
        polled
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        c: &mut Context,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(c, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, c: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(c)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, c: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(c)
    }
}

struct Talk {
    shared: Arc<Shared>,
    gone: bool,
    mails: usize,
    /// The line before was answered with 334.
    in_auth: bool,
}

/// What ends a conversation.
struct Hangup;

impl<T: std::error::Error> From<T> for Hangup {
    fn from(_: T) -> Hangup {
        Hangup
    }
}

impl Talk {
    async fn run(&mut self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let tap = Tap::new(stream, self.shared.clone());
        let _ = self.talk(BufReader::new(tap)).await;
    }

    fn leave(&mut self) {
        if !std::mem::replace(&mut self.gone, true) {
            self.shared.open.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// `true`: the step goes on as usual.
    async fn ask(&self, wire: &mut BufReader<Tap>, at: At, rcpt: &str) -> Result<bool, Hangup> {
        let n = self.shared.asked.fetch_add(1, Ordering::SeqCst);
        let what = (self.shared.script.lock().unwrap())(at, rcpt, n);
        match what {
            Do::Usual => Ok(true),
            Do::Drop => Err(Hangup),
            Do::DropIfMore if !wire.buffer().is_empty() => Err(Hangup),
            Do::DropIfMore => Ok(true),
            Do::Wait(time) => {
                tokio::time::sleep(time).await;
                Ok(true)
            }
            Do::Hold(gate) => {
                gate.opened().await;
                Ok(true)
            }
            Do::Forget => {
                let length = wire.buffer().len();
                wire.consume(length);
                Ok(true)
            }
            Do::SayBytes(bytes) => {
                wire.write_all(&[bytes, b"\r\n"].concat()).await?;
                Ok(false)
            }
            Do::Say(text) => {
                wire.write_all(format!("{text}\r\n").as_bytes()).await?;
                if text.starts_with("421") {
                    Err(Hangup)
                } else {
                    Ok(false)
                }
            }
        }
    }

    async fn talk(&mut self, mut wire: BufReader<Tap>) -> Result<(), Hangup> {
        let (mut sender, mut rcpt): (Option<String>, Option<String>) = (None, None);
        if self.ask(&mut wire, At::Connect, "").await? {
            wire.write_all(b"220 sink.example ESMTP\r\n").await?;
        }
        loop {
            let mut line = Vec::new();
            if wire.read_until(b'\n', &mut line).await? == 0 {
                return Ok(());
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.shared.seen.lock().unwrap().commands.push(line.clone());
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                _ if self.in_auth || verb == "AUTH" => self.auth(&mut wire, &line).await?,
                "EHLO" => {
                    if self.ask(&mut wire, At::Ehlo, "").await? {
                        wire.write_all(self.ehlo().as_bytes()).await?;
                    }
                }
                "HELO" => {
                    if self.ask(&mut wire, At::Helo, "").await? {
                        wire.write_all(b"502 5.5.2 not known\r\n").await?;
                    }
                }
                "MAIL" => {
                    (sender, rcpt) = (None, None);
                    if self.ask(&mut wire, At::Mail, &address(&line)).await? {
                        sender = Some(address(&line));
                        wire.write_all(b"250 2.1.0 ok\r\n").await?;
                    }
                }
                "RCPT" if sender.is_none() => wire.write_all(b"503 5.5.1 MAIL first\r\n").await?,
                "RCPT" => {
                    let who = address(&line);
                    self.shared
                        .seen
                        .lock()
                        .unwrap()
                        .rcpts
                        .push((who.clone(), Instant::now()));
                    if self.ask(&mut wire, At::Rcpt, &who).await? {
                        rcpt = Some(who);
                        wire.write_all(b"250 2.1.5 ok\r\n").await?;
                    }
                }
                "DATA" => match (&sender, rcpt.take()) {
                    (Some(from), Some(who)) => {
                        let from = from.clone();
                        self.data(&mut wire, &from, &who).await?;
                    }
                    _ => wire.write_all(b"503 5.5.1 RCPT first\r\n").await?,
                },
                "RSET" => {
                    (sender, rcpt) = (None, None);
                    wire.write_all(b"250 2.0.0 ok\r\n").await?;
                }
                "QUIT" => {
                    self.leave();
                    wire.write_all(b"221 2.0.0 bye\r\n").await?;
                    return Ok(());
                }
                _ => wire.write_all(b"502 5.5.2 not known\r\n").await?,
            }
        }
    }

    async fn auth(&mut self, wire: &mut BufReader<Tap>, line: &str) -> Result<(), Hangup> {
        let n = self.shared.asked.fetch_add(1, Ordering::SeqCst);
        let what = (self.shared.script.lock().unwrap())(At::Auth, line, n);
        let answer = match what {
            Do::Say(text) => text,
            Do::Drop => return Err(Hangup),
            _ => "235 2.7.0 welcome".to_owned(),
        };
        self.in_auth = answer.starts_with("334");
        wire.write_all(format!("{answer}\r\n").as_bytes()).await?;
        Ok(())
    }

    fn ehlo(&self) -> String {
        let mut lines = vec!["sink.example"];
        lines.extend(&self.shared.offers);
        let last = lines.pop().unwrap();
        lines
            .iter()
            .map(|line| format!("250-{line}\r\n"))
            .collect::<String>()
            + &format!("250 {last}\r\n")
    }

    async fn data(
        &mut self,
        wire: &mut BufReader<Tap>,
        sender: &str,
        rcpt: &str,
    ) -> Result<(), Hangup> {
        if !self.ask(wire, At::Data, rcpt).await? {
            return Ok(());
        }
        wire.write_all(b"354 go on\r\n").await?;
        let mut first = [0; 100];
        wire.read_exact(&mut first).await?;
        self.ask(wire, At::Content, rcpt).await?;
        let mut bytes = first.to_vec();
        while !bytes.ends_with(b"\r\n.\r\n") {
            if wire.read_until(b'\n', &mut bytes).await? == 0 {
                return Err(Hangup);
            }
        }
        bytes.truncate(bytes.len() - 3);
        assert!(
            !bytes.windows(3).any(|w| w == b"\n.\n"),
            "a line that is only a dot"
        );
        self.mails += 1;
        self.shared
            .followed
            .fetch_add(usize::from(!wire.buffer().is_empty()), Ordering::SeqCst);
        self.shared
            .most_mails
            .fetch_max(self.mails, Ordering::SeqCst);
        if self.ask(wire, At::Dot, rcpt).await? {
            let mail = Mail {
                sender: sender.into(),
                rcpt: rcpt.into(),
                bytes,
                at: Instant::now(),
            };
            self.shared.seen.lock().unwrap().mails.push(mail);
            if self.ask(wire, At::Kept, rcpt).await? {
                wire.write_all(b"250 2.0.0 kept\r\n").await?;
            }
        }
        Ok(())
    }
}

fn address(line: &str) -> String {
    let start = line.find('<').map_or(0, |i| i + 1);
    let end = line.find('>').unwrap_or(line.len());
    line[start..end].to_owned()
}
