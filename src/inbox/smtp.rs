//! An SMTP server for loopback (RFC 5321), with PIPELINING, 8BITMIME, SMTPUTF8 and SIZE. It stores mails and
//! forwards none.
//!
//! Only CRLF ends a line, and a mail with a bare CR or LF is refused, so that nothing can be smuggled past the end
//! of a mail.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use smtp_proto::Request;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
    BufReader, BufWriter,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Mailbox, Received};

/// The largest mail that is taken, in bytes.
const SIZE_MAX: usize = 50 * 1024 * 1024;
/// The longest line of a command; RFC 5321 (4.5.3.1.4) asks for 512 bytes, parameters may make it longer.
const COMMAND_MAX: u64 = 4096;
/// How long a client may say nothing (RFC 5321, 4.5.3.2.7).
const IDLE: Duration = Duration::from_secs(300);

/// Takes mail on a listener until `shutdown`; a mail that is under way is taken to its end.
///
/// # Errors
/// The listener can no longer be used.
pub async fn serve_smtp(
    listener: TcpListener,
    mailbox: Arc<dyn Mailbox>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let talks = TaskTracker::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let (stream, _) = accepted?;
        let (mailbox, shutdown) = (mailbox.clone(), shutdown.clone());
        talks.spawn(async move {
            // A client that hangs up is its own affair.
            let _ = Talk::new(stream, mailbox, shutdown).run().await;
        });
    }
    talks.close();
    talks.wait().await;
    Ok(())
}

/// One connection.
struct Talk {
    input: BufReader<tokio::net::tcp::OwnedReadHalf>,
    output: BufWriter<tokio::net::tcp::OwnedWriteHalf>,
    mailbox: Arc<dyn Mailbox>,
    shutdown: CancellationToken,
    sender: Option<String>,
    recipients: Vec<String>,
}

impl Talk {
    fn new(stream: TcpStream, mailbox: Arc<dyn Mailbox>, shutdown: CancellationToken) -> Self {
        let _ = stream.set_nodelay(true);
        let (input, output) = stream.into_split();
        Self {
            input: BufReader::new(input),
            output: BufWriter::new(output),
            mailbox,
            shutdown,
            sender: None,
            recipients: Vec::new(),
        }
    }

    async fn run(mut self) -> io::Result<()> {
        self.say("220 inbox.letterpress.localhost ESMTP").await?;
        let mut line = Vec::new();
        loop {
            // Pipelined commands (RFC 2920) are answered together.
            if self.input.buffer().is_empty() {
                self.output.flush().await?;
            }
            line.clear();
            let shutdown = self.shutdown.clone();
            let read = read_line(&mut self.input, COMMAND_MAX, &mut line);
            let Some(read) = shutdown.run_until_cancelled(read).await else {
                return self.bye("421 4.3.2 shutting down").await;
            };
            match read {
                Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                    return self.bye("421 4.4.2 no command for five minutes").await;
                }
                Err(e) => return Err(e),
                Ok(0) => return Ok(()),
                Ok(_) if !line.ends_with(b"\r\n") => {
                    return self.bye("500 5.5.2 lines must end with CRLF").await;
                }
                Ok(_) => {}
            }
            if !self.command(&line).await? {
                return self.output.flush().await;
            }
        }
    }

    /// Answers one command; `false` ends the conversation.
    async fn command(&mut self, line: &[u8]) -> io::Result<bool> {
        match Request::parse(&mut line.iter()) {
            Ok(Request::Ehlo { .. }) => {
                self.reset();
                let size = format!("250-SIZE {SIZE_MAX}");
                for word in [
                    "250-inbox.letterpress.localhost",
                    "250-PIPELINING",
                    &size,
                    "250-8BITMIME",
                ] {
                    self.say(word).await?;
                }
                self.say("250-ENHANCEDSTATUSCODES").await?;
                self.say("250 SMTPUTF8").await?;
            }
            Ok(Request::Helo { .. }) => {
                self.reset();
                self.say("250 inbox.letterpress.localhost").await?;
            }
            Ok(Request::Mail { from }) if from.size > SIZE_MAX => {
                self.say("552 5.3.4 the mail is too large").await?;
            }
            Ok(Request::Mail { from }) => {
                self.reset();
                self.sender = Some(from.address.into_owned());
                self.say("250 2.1.0 sender accepted").await?;
            }
            Ok(Request::Rcpt { .. }) if self.sender.is_none() => {
                self.say("503 5.5.1 MAIL comes first").await?
            }
            Ok(Request::Rcpt { to }) => {
                self.recipients.push(to.address.into_owned());
                self.say("250 2.1.5 recipient accepted").await?;
            }
            Ok(Request::Data) if self.recipients.is_empty() => {
                self.say("503 5.5.1 RCPT comes first").await?
            }
            Ok(Request::Data) => {
                self.say("354 end the mail with a line that holds only a dot")
                    .await?;
                self.output.flush().await?;
                let answer = self.content().await?;
                self.reset();
                self.say(answer).await?;
            }
            Ok(Request::Rset) => {
                self.reset();
                self.say("250 2.0.0 reset").await?;
            }
            Ok(Request::Noop { .. }) => self.say("250 2.0.0 ok").await?,
            Ok(Request::Vrfy { .. }) => {
                self.say("252 2.1.5 not verified; send the mail to find out")
                    .await?
            }
            Ok(Request::Quit) => {
                self.say("221 2.0.0 bye").await?;
                return Ok(false);
            }
            Ok(_) => self.say("502 5.5.1 command not implemented").await?,
            Err(smtp_proto::Error::InvalidSenderAddress) => {
                self.say("501 5.1.7 bad sender address").await?
            }
            Err(smtp_proto::Error::InvalidRecipientAddress) => {
                self.say("501 5.1.3 bad recipient address").await?
            }
            Err(_) => self.say("500 5.5.2 syntax error").await?,
        }
        Ok(true)
    }

    /// Reads a mail up to its dot, keeps it, and gives the answer.
    async fn content(&mut self) -> io::Result<&'static str> {
        let (mut bytes, mut line) = (Vec::new(), Vec::new());
        let mut fault = None;
        // A dot ends the mail only where the line before it ended with CRLF.
        let mut after_crlf = true;
        loop {
            line.clear();
            let room = (SIZE_MAX - bytes.len().min(SIZE_MAX)) as u64 + 3;
            let read = read_line(&mut self.input, room, &mut line).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if after_crlf && line == b".\r\n" {
                break;
            }
            let text = line.strip_suffix(b"\r\n");
            after_crlf = text.is_some();
            if text.is_none_or(|text| text.contains(&b'\r')) {
                fault.get_or_insert("550 5.6.0 the mail contains a bare CR or LF");
            }
            if bytes.len() + line.len() > SIZE_MAX {
                fault.get_or_insert("552 5.3.4 the mail is too large");
                bytes.clear();
            }
            if fault.is_none() {
                // Dots at the beginning of a line were doubled for the way (RFC 5321, 4.5.2).
                bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
        }
        if let Some(answer) = fault {
            return Ok(answer);
        }
        let mail = Received {
            sender: self.sender.take().unwrap_or_default(),
            recipients: std::mem::take(&mut self.recipients),
            bytes,
        };
        let mailbox = self.mailbox.clone();
        match tokio::task::spawn_blocking(move || mailbox.keep(mail)).await {
            Ok(Ok(())) => Ok("250 2.0.0 stored"),
            Ok(Err(error)) => {
                tracing::error!(
                    "the inbox can't store a mail: {}",
                    crate::format::io(&error)
                );
                Ok("451 4.3.0 the mail can't be stored now")
            }
            Err(_) => Ok("451 4.3.0 the mail can't be stored now"),
        }
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        say(&mut self.output, line).await
    }

    async fn bye(mut self, line: &str) -> io::Result<()> {
        self.say(line).await?;
        self.output.flush().await
    }
}

/// Reads up to a LF, at most `most` bytes; 0 when the client has closed the connection.
async fn read_line(
    input: &mut (impl AsyncBufRead + Unpin),
    most: u64,
    line: &mut Vec<u8>,
) -> io::Result<usize> {
    let mut input = input.take(most);
    tokio::time::timeout(IDLE, input.read_until(b'\n', line))
        .await
        .map_err(|_| io::ErrorKind::TimedOut)?
}

async fn say(output: &mut (impl AsyncWrite + Unpin), line: &str) -> io::Result<()> {
    output.write_all(line.as_bytes()).await?;
    output.write_all(b"\r\n").await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Kept(Mutex<Vec<Received>>);

    impl Mailbox for Kept {
        fn keep(&self, mail: Received) -> io::Result<()> {
            self.0.lock().unwrap().push(mail);
            Ok(())
        }
    }

    /// Says everything at once, and gives the answers and what was kept.
    async fn talk(said: &[u8]) -> (String, Vec<Received>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (kept, shutdown) = (Arc::new(Kept::default()), CancellationToken::new());
        let server = tokio::spawn(serve_smtp(listener, kept.clone(), shutdown.clone()));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(said).await.unwrap();
        let mut answers = String::new();
        client.read_to_string(&mut answers).await.unwrap();
        shutdown.cancel();
        server.await.unwrap().unwrap();
        let kept = std::mem::take(&mut *kept.0.lock().unwrap());
        (answers, kept)
    }

    fn codes(answers: &str) -> Vec<&str> {
        answers
            .lines()
            .filter(|l| l.as_bytes().get(3) == Some(&b' '))
            .map(|l| &l[..3])
            .collect()
    }

    const ENVELOPE: &str =
        "EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n";

    #[tokio::test]
    async fn a_pipelined_mail_is_kept_as_it_came() {
        let said = format!("{ENVELOPE}A: b\r\n\r\n..dot\r\nend\r\n.\r\nQUIT\r\n");
        let (answers, kept) = talk(said.as_bytes()).await;
        assert_eq!(
            codes(&answers),
            ["220", "250", "250", "250", "354", "250", "221"]
        );
        assert_eq!(kept.len(), 1);
        assert_eq!(
            (kept[0].sender.as_str(), &kept[0].recipients[..]),
            ("a@x.example", &["b@y.example".to_owned()][..])
        );
        assert_eq!(kept[0].bytes, b"A: b\r\n\r\n.dot\r\nend\r\n");
    }

    #[tokio::test]
    async fn an_address_beyond_ascii_is_taken() {
        let said = ENVELOPE.replace("b@y.example", "用户@xn--fsqu00a.xn--4rr70v")
            + "A: b\r\n\r\nx\r\n.\r\nQUIT\r\n";
        let (_, kept) = talk(said.as_bytes()).await;
        assert_eq!(kept[0].recipients, ["用户@xn--fsqu00a.xn--4rr70v"]);
    }

    #[tokio::test]
    async fn nothing_can_be_smuggled_past_the_end_of_a_mail() {
        for end in ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r.\r\n"] {
            let said = format!(
                "{ENVELOPE}A: b\r\n\r\nx{end}MAIL FROM:<evil@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\nB: c\r\n\r\n.\r\nQUIT\r\n"
            );
            let (answers, kept) = talk(said.as_bytes()).await;
            assert!(kept.is_empty(), "{end:?} ended a mail: {kept:?}");
            assert!(answers.contains("550 5.6.0"), "{end:?}: {answers}");
        }
    }

    #[tokio::test]
    async fn commands_out_of_order_and_unknown_ones_are_refused() {
        let said = b"DATA\r\nRCPT TO:<b@y.example>\r\nMAIL FROM:<a@x.example>\r\nDATA\r\nSTARTTLS\r\nnonsense\r\nNOOP\r\nRSET\r\nQUIT\r\n";
        let (answers, kept) = talk(said).await;
        assert_eq!(
            codes(&answers),
            [
                "220", "503", "503", "250", "503", "502", "500", "250", "250", "221"
            ]
        );
        assert!(kept.is_empty());
        let (answers, _) = talk(b"EHLO me\n").await;
        assert_eq!(codes(&answers), ["220", "500"]);
    }
}
