//! What reads a server's bytes, opened to those who throw any bytes at it: `tests/foreign_bytes.rs` and the fuzz
//! targets of `tests/fuzz`. Nothing of the program uses it.

use std::io::Cursor;
use std::time::Duration;

use super::wire::Wire;

pub use super::capabilities::Capabilities;
pub use super::reply::{Answer, LINE_MAX, LINES_MAX, Step, judge, remedy};

/// Far more than reading from memory takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Every reply in a server's bytes, up to where nothing more can be had, and why.
pub async fn read_replies(bytes: Vec<u8>) -> (Vec<Answer>, String) {
    let mut wire = Wire::over(
        tokio::io::join(Cursor::new(bytes), tokio::io::sink()),
        LIMIT,
    );
    let mut answers = Vec::new();
    loop {
        match wire.answer(LIMIT).await {
            Ok(answer) => answers.push(answer),
            Err(broken) => return (answers, broken.0),
        }
    }
}
