//! The inbox inside, for the demo and rehearsals: a loopback SMTP server's Maildir and its pages. It knows no
//! store: it sees what a mail server sees.

pub mod pages;
