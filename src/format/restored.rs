//! What is said about a database that turned out to be a copy.

use std::fmt::{self, Display};

use crate::model::restored::{Origin, Restoration};

impl Display for Restoration {
    /// Whole sentences: why it is taken for a copy, what is held, and whom the author should think of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.origin {
            Origin::Backup => "the database is a backup that was put in place",
            Origin::Older => {
                "the database knows less than it did before: it is an older copy, or its log (-wal) was deleted"
            }
            Origin::Another => "another database was here before",
            Origin::Copied => "the file of the database was copied",
            Origin::Alone => "the database was moved or copied without the file that stands beside it",
        })?;
        if let Some(at) = self.as_of {
            write!(f, "; the last thing it knows of is of {at:.0}")?;
        }
        if !self.held.is_empty() {
            write!(
                f,
                ". Held, since they may have been sent since: {}",
                self.held.join(", ")
            )?;
        }
        if !self.schedules.is_empty() {
            write!(
                f,
                ". The next scheduled issue of {} will be held as well",
                self.schedules.join(", ")
            )?;
        }
        f.write_str(
            ". `letterpress resume` and `letterpress cancel` decide. People who unsubscribed since then are subscribed again: remove them before you resume",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_what_is_held_and_those_who_may_have_left() {
        let said = Restoration {
            origin: Origin::Backup,
            as_of: Some("2026-11-28T10:00:00.5Z".parse().unwrap()),
            held: vec!["021".into(), "022".into()],
            schedules: vec!["weekly".into()],
        }
        .to_string();
        for part in [
            "a backup",
            "2026-11-28T10:00:0",
            "021, 022",
            "scheduled issue of weekly",
            "unsubscribed since",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
