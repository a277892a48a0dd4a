//! What a script says to a scripted server: where it is asked, and what is to be done there.

use std::time::Duration;

use tokio::sync::watch;

/// Where in a conversation the script is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum At {
    Connect,
    Ehlo,
    /// The old form, which is not known unless a script answers it.
    Helo,
    /// AUTH, or a line that answers a 334; the script gets the line.
    Auth,
    Mail,
    Rcpt,
    Data,
    /// In the midst of the content.
    Content,
    /// After the dot, before the mail is kept.
    Dot,
    /// After the mail was kept, before the answer.
    Kept,
}

/// What the server does.
#[derive(Clone, Debug)]
pub(crate) enum Do {
    /// As servers do.
    Usual,
    /// This instead of the usual answer, with CRLF after it; a 421 hangs up as well.
    Say(String),
    /// The same in the bytes of any alphabet.
    SayBytes(&'static [u8]),
    /// Hangs up at once.
    Drop,
    /// Waits, then goes on as usual.
    Wait(Duration),
    /// Waits until a gate is open, then goes on as usual.
    Hold(Gate),
    /// Hangs up if more has come already, else goes on as usual.
    DropIfMore,
    /// Throws away what has come already, then goes on as usual.
    Forget,
}

pub(crate) fn say(text: &str) -> Do {
    Do::Say(text.into())
}

/// A script that refuses everybody at a step.
pub(crate) fn refuse(step: At, reply: &str) -> impl FnMut(At, &str, usize) -> Do + Send + 'static {
    let refusal = say(reply);
    move |at, _, _| {
        if at == step {
            refusal.clone()
        } else {
            Do::Usual
        }
    }
}

/// The script: the step, the recipient where one is known (at MAIL the sender), and how many steps were asked before.
pub(super) type Script = Box<dyn FnMut(At, &str, usize) -> Do + Send>;

/// A gate that is closed until it is opened, for good; clones are the same gate.
#[derive(Clone, Debug)]
pub(crate) struct Gate(watch::Sender<bool>);

impl Gate {
    pub(crate) fn new() -> Gate {
        Gate(watch::Sender::new(false))
    }

    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }

    pub(crate) async fn opened(&self) {
        let mut side = self.0.subscribe();
        side.wait_for(|is_open| *is_open)
            .await
            .expect("this gate still stands");
    }
}
