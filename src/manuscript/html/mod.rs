//! An author's raw HTML, read into our own parts; nothing of it is written out as markup.
//!
//! `elements` says which elements are known, `tree` reads tags into a tree, `blocks` and `inlines` turn what was read
//! into blocks and inlines of an issue. What is not in `elements` can't reach a mail, so nothing needs cleaning.

mod blocks;
mod elements;
mod inlines;
mod tree;

pub(super) use elements::{Element, is_void};
pub(super) use inlines::{Nest, enclose};
pub(super) use tree::{Markup, known_tag, markup};
