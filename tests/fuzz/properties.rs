//! What must hold whatever bytes come from outside: each function reads them as the program does, and panics where
//! a property does not hold. Fuzz targets and `tests/foreign_bytes.rs` share it.

use std::io::{self, Cursor};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use letterpress::inbox::{Mailbox, Received, serve_smtp};
use letterpress::manuscript;
use letterpress::model::Address;
use letterpress::model::subscriber::NAME_MAX_CHARS;
use letterpress::people::foreign::{exported, read_rows};
use letterpress::smtp::{Capabilities, LINE_MAX, LINES_MAX, Reply, SmtpStream, Step};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    })
}

/// Far longer than reading from memory takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Every reply in a server's bytes, up to where nothing more can be had, and why.
async fn read_replies(bytes: Vec<u8>) -> (Vec<Reply>, String) {
    let server = tokio::io::join(Cursor::new(bytes), tokio::io::sink());
    let mut stream = SmtpStream::over(server, LIMIT);
    let mut replies = Vec::new();
    loop {
        match stream.read_reply(LIMIT).await {
            Ok(reply) => replies.push(reply),
            Err(lost) => return (replies, lost.to_string()),
        }
    }
}

/// A server's replies: bounded, of one line each where people read them, each with a verdict.
pub(crate) fn replies(bytes: &[u8]) {
    let (replies, end) = runtime().block_on(read_replies(bytes.to_vec()));
    assert!(
        !end.is_empty() && !end.contains(['\r', '\n', '\0']),
        "{end:?}"
    );
    for reply in &replies {
        assert!((200..600).contains(&reply.code), "{reply:?}");
        assert!(
            (1..=LINES_MAX).contains(&reply.lines.len()),
            "{} lines",
            reply.lines.len()
        );
        assert!(
            reply
                .lines
                .iter()
                .all(|line| line.chars().count() <= LINE_MAX)
        );
        let text = reply.text();
        assert!(
            !text.chars().any(char::is_control) && text.chars().count() <= 1001,
            "{text:?}"
        );
        assert!(text.starts_with(&reply.code.to_string()));
        if let Some(enhanced) = reply.enhanced {
            assert_eq!(enhanced.0, reply.code / 100);
        }
        for step in [
            Step::Greeting,
            Step::Ehlo,
            Step::Auth,
            Step::Mail,
            Step::Rcpt,
            Step::Data,
            Step::Content,
        ] {
            reply.verdict(step);
            assert!(!reply.remedy(step).to_string().is_empty());
        }
        reply.is_rate_complaint();
        Capabilities::read(reply);
    }
    // One that is written down as it was read is read as the same.
    if let Some(reply) = replies.first() {
        let (last, lines) = reply.lines.split_last().unwrap();
        let mut again: String = lines
            .iter()
            .map(|line| format!("{}-{line}\r\n", reply.code))
            .collect();
        again.push_str(&format!("{} {last}\r\n", reply.code));
        if reply.lines.iter().all(|line| line.len() + 6 <= LINE_MAX) {
            assert_eq!(
                runtime().block_on(read_replies(again.into_bytes())).0,
                std::slice::from_ref(reply)
            );
        }
    }
}

/// The extensions of a server: whatever their order and case, and none for its name.
pub(crate) fn ehlo(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let read = |lines: Vec<String>| Capabilities::read(&Reply::new(250, lines));
    let offers = read(lines.clone());
    let (name, rest) = lines.split_first().unwrap();
    assert_eq!(read(vec![name.clone()]), Capabilities::default());
    let mut reversed = vec!["another.example".to_owned()];
    reversed.extend(rest.iter().rev().map(|line| line.to_ascii_lowercase()));
    assert_eq!(read(reversed), offers);
}

/// A CSV of people: whoever is taken has one line of each and comes back by an export; whoever is not is told in one
/// line with a place.
pub(crate) fn csv(bytes: &[u8]) {
    let Ok(rows) = read_rows(bytes.to_vec()) else {
        return;
    };
    // Lines end with CR alone where there is no LF.
    let count = |wanted: u8| bytes.iter().filter(|byte| **byte == wanted).count() as u64;
    let last = count(b'\n').max(count(b'\r')) + 1;
    let mut before = 0;
    // With a column of states, as an export has it, a tag is no more than a tag.
    let mut again = String::from("email,name,state,tags\n");
    let mut taken = Vec::new();
    for (line, row) in rows {
        assert!(
            line >= before && line <= last,
            "line {line} after {before} of {last}"
        );
        before = line;
        match row {
            Err(why) => assert!(
                !why.is_empty() && !why.contains(['\r', '\n', '\0']),
                "{why:?}"
            ),
            Ok(row) => {
                assert_eq!(Address::parse(&row.email).unwrap().as_str(), row.email);
                assert!(!row.name.chars().any(char::is_control), "{:?}", row.name);
                assert!(
                    row.name.chars().count() <= NAME_MAX_CHARS && row.tags.chars().count() <= 1000
                );
                let quoted = |text: &str| format!("\"{}\"", exported(text).replace('"', "\"\""));
                let [email, name, tags] =
                    [&row.email, &row.name, &row.tags].map(|text| quoted(text));
                again.push_str(&format!("{email},{name},active,{tags}\n"));
                taken.push(row);
            }
        }
    }
    let back = read_rows(again.into_bytes()).unwrap();
    let back: Vec<_> = back.into_iter().map(|(_, row)| row.unwrap()).collect();
    assert_eq!(back, taken);
}

/// An author's file: it is read, the same each time, and what is wrong with it is told by its line.
pub(crate) fn issue(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = manuscript::read(&text, "x.md", "x");
    assert_eq!(read, manuscript::read(&text, "x.md", "x"));
    let lines = text.split(['\n', '\r']).count();
    let findings = match &read {
        Ok(parsed) => &parsed.findings,
        Err(findings) => findings,
    };
    assert!(
        read.is_ok() || !findings.is_empty(),
        "refused without a word"
    );
    for finding in findings {
        assert!(
            finding
                .line
                .is_none_or(|line| (1..=lines + 1).contains(&line)),
            "{finding:?} of {lines}"
        );
        assert_eq!(finding.file, "x.md");
        assert!(!finding.message.is_empty());
    }
}

#[derive(Default)]
struct Kept(Mutex<Vec<Received>>);

impl Mailbox for Kept {
    fn keep(&self, mail: Received) -> io::Result<()> {
        self.0.lock().unwrap().push(mail);
        Ok(())
    }
}

/// Everything that a client says to the inbox: each answer is one, and each mail that is kept was said so, from DATA to
/// a dot between two CRLF, without any bare CR or LF.
pub(crate) fn inbox(said: &[u8]) {
    let (answers, kept) = runtime().block_on(talk(said));
    for line in answers.split_inclusive("\r\n") {
        let line = line
            .strip_suffix("\r\n")
            .unwrap_or_else(|| panic!("{line:?} has no end"));
        let code: u16 = line[..3].parse().unwrap();
        assert!(
            (200..600).contains(&code) && matches!(line.as_bytes().get(3), Some(b' ' | b'-')),
            "{line}"
        );
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
    }
    let ends = said
        .windows(5)
        .filter(|window| window == b"\r\n.\r\n")
        .count();
    assert!(kept.len() <= ends, "{} mails by {ends} ends", kept.len());
    // Where each line has lost one dot at its beginning, a mail stands as it was kept.
    let undotted: Vec<u8> = said
        .split_inclusive(|byte| *byte == b'\n')
        .flat_map(|line| line.strip_prefix(b".").unwrap_or(line))
        .copied()
        .collect();
    for mail in &kept {
        assert!(!mail.recipients.is_empty());
        for line in mail.bytes.split_inclusive(|byte| *byte == b'\n') {
            let bare = line
                .strip_suffix(b"\r\n")
                .expect("a line that ends with CRLF");
            assert!(!bare.contains(&b'\r'), "a bare CR");
        }
        // After it stands the line with the dot, which has lost it as well.
        let whole = [mail.bytes.as_slice(), b"\r\n"].concat();
        assert!(
            undotted.windows(whole.len()).any(|window| window == whole),
            "{mail:?} was never said"
        );
    }
}

/// Says everything at once, and hangs up.
async fn talk(said: &[u8]) -> (String, Vec<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (kept, shutdown) = (Arc::new(Kept::default()), CancellationToken::new());
    let server = tokio::spawn(serve_smtp(listener, kept.clone(), shutdown.clone()));
    let (mut input, mut output) = TcpStream::connect(address).await.unwrap().into_split();
    let said = said.to_vec();
    let saying = tokio::spawn(async move {
        // Who is hung up upon has no more to say.
        let _ = output.write_all(&said).await;
        let _ = output.shutdown().await;
    });
    let mut answers = Vec::new();
    let _ = input.read_to_end(&mut answers).await;
    saying.await.unwrap();
    shutdown.cancel();
    server.await.unwrap().unwrap();
    let kept = std::mem::take(&mut *kept.0.lock().unwrap());
    (String::from_utf8(answers).unwrap(), kept)
}
