//! What an issue is known by, for operations and their refusals.

use crate::store::issues::IssueRow;

/// What an issue is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IssueName {
    /// The number of its front matter, if it has one.
    pub number: Option<u32>,
    /// The name of its file, without extension.
    pub slug: String,
}

impl From<&IssueRow> for IssueName {
    fn from(row: &IssueRow) -> Self {
        Self {
            number: row.number,
            slug: row.slug.clone(),
        }
    }
}
