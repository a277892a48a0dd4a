//! A client for HTTP on loopback, one request a connection.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

pub(crate) struct Answer {
    pub status: u16,
    pub body: String,
}

/// A GET; `None` where nobody answers.
pub(crate) fn get(port: u16, path: &str) -> Option<Answer> {
    ask(
        port,
        &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"),
    )
}

/// A POST of a form.
pub(crate) fn post(port: u16, path: &str, form: &str) -> Option<Answer> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        form.len()
    );
    ask(port, &(head + form))
}

fn ask(port: u16, request: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        body: body.to_owned(),
    })
}

/// The path of an address of ours.
pub(crate) fn path_of(url: &str, port: u16) -> &str {
    let host = format!("http://127.0.0.1:{port}");
    url.strip_prefix(&host)
        .unwrap_or_else(|| panic!("{url} does not begin with {host}"))
}
