//! Where a connection leads and how it is made: what the protocol has to know of a relay, its password included.
//!
//! How much a relay is given, and when, is the sender's matter (`delivery::Relay`).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files;

/// How a connection is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS (RFC 3207), never falling back to clear text.
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// Clear text: for relays on this machine.
    None,
}

/// How far commands run ahead of their replies (RFC 2920), where the server offers PIPELINING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipelining {
    /// Each reply is awaited before the next command.
    Off,
    /// MAIL, RCPT and DATA in one write: a mail costs two round trips.
    Standard,
    /// The next mail's commands follow the content as well: one round trip a mail, where the server takes it.
    Ahead,
}

/// The credentials of AUTH (RFC 4954).
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The authentication identity.
    pub username: String,
    /// The password, which is never shown or logged.
    pub password: Password,
}

/// A password, or the file that holds it.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// The password itself.
    Text(String),
    /// A file, which is read at each login: a password that was corrected in it is used without a restart.
    File(PathBuf),
}

impl Password {
    /// The password; of a file its content, without a byte order mark and the line break at its end.
    ///
    /// # Errors
    /// The file can't be read, is empty, or holds more than one line; the message goes on after “can't be read:”.
    pub fn read(&self) -> io::Result<String> {
        match self {
            Password::Text(password) => Ok(password.clone()),
            Password::File(path) => password_in(path),
        }
    }

    /// The password where it is in the settings themselves.
    pub fn in_settings(&self) -> Option<&str> {
        match self {
            Password::Text(password) => Some(password),
            Password::File(_) => None,
        }
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Password {
        Password::Text(text.to_owned())
    }
}

impl fmt::Debug for Password {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Password::Text(_) => f.write_str("Password(hidden)"),
            Password::File(path) => write!(f, "Password(in {})", path.display()),
        }
    }
}

/// The password that a file holds.
fn password_in(path: &Path) -> io::Result<String> {
    let bad = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why);
    let text = decoded(files::read_of_operator(path, files::PASSWORD_MAX_BYTES)?)?;
    let password = text.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(bad("it is empty"));
    }
    if password.contains(['\n', '\r', '\0']) {
        return Err(bad("it holds more than one line, and a password is one"));
    }
    Ok(password.to_owned())
}

/// The text of a file that an editor may have written with a byte order mark, in UTF-8 or UTF-16.
fn decoded(bytes: Vec<u8>) -> io::Result<String> {
    let read: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some([0xff, 0xfe]) => u16::from_le_bytes,
        Some([0xfe, 0xff]) => u16::from_be_bytes,
        _ => {
            let text = files::text(bytes)?;
            return Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned());
        }
    };
    let units = bytes[2..].chunks(2).map(|pair| match pair {
        [a, b] => read([*a, *b]),
        _ => 0xd800,
    });
    char::decode_utf16(units)
        .collect::<Result<String, _>>()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not valid UTF-16"))
}

impl fmt::Debug for Login {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.username)
    }
}

/// An SMTP server, and how to talk to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A domain name or an IP address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// How the connection is kept private.
    pub tls: Tls,
    /// Certificates in PEM form that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The login, where the server needs one.
    pub login: Option<Login>,
    /// The name given in EHLO; `None`: this machine's name if it is a full one, else its address.
    pub ehlo_name: Option<String>,
    /// How far commands run ahead of their replies.
    pub pipelining: Pipelining,
    /// The most mails on one connection; 0: no limit.
    pub messages_per_connection: u32,
    /// How long each step may take.
    pub timeouts: Timeouts,
}

impl fmt::Display for Endpoint {
    /// As `host:port`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// How long each step of a conversation may take (RFC 5321, section 4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Making the TCP connection.
    pub connect: Duration,
    /// The greeting, and a TLS handshake.
    pub greeting: Duration,
    /// The reply to MAIL, RCPT and other commands.
    pub command: Duration,
    /// The reply to DATA.
    pub data: Duration,
    /// Each block of a mail that the server must accept.
    pub block: Duration,
    /// The reply after the final dot. A short one makes duplicates: the server may be slow, and have the mail.
    pub dot: Duration,
}

impl Default for Timeouts {
    /// The values of RFC 5321, section 4.5.3.2, and 30 s to connect.
    fn default() -> Timeouts {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Timeouts {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            command: minutes(5),
            data: minutes(2),
            block: minutes(3),
            dot: minutes(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_file_holds_one_line_and_a_mark_is_no_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("smtp-password");
        let read = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            Password::File(file.clone())
                .read()
                .map_err(|error| error.to_string())
        };
        let sesame = || Ok("open sesame ".to_owned());
        assert_eq!(read(b"open sesame "), sesame());
        assert_eq!(read(b"open sesame \r\n"), sesame());
        assert_eq!(read(b"\xef\xbb\xbfopen sesame \n"), sesame());
        let utf16 = |text: &str, write: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(write).collect()
        };
        assert_eq!(
            read(&utf16("\u{feff}open sesame \r\n", u16::to_le_bytes)),
            sesame()
        );
        assert_eq!(
            read(&utf16("\u{feff}open sesame ", u16::to_be_bytes)),
            sesame()
        );
        assert_eq!(read(b"\xef\xbb\xbf\n"), Err("it is empty".into()));
        assert!(read(b"open\nsesame\n").unwrap_err().contains("one line"));
        assert!(read(b"\xff\xfeo").is_err() && read(b"\xffo").is_err());
        assert!(!format!("{:?}", Password::from("sesame")).contains("sesame"));
    }
}
