//! The languages that Letterpress speaks, a file each. Another one is another file, named here.

mod ar;
mod de;
mod en;
mod es;
mod fr;
mod ja;
mod ko;
mod zh_hans;
mod zh_hant;

use super::words::Words;

/// English, and the fallback for every language that is not here.
pub(super) static ENGLISH: &Words = &en::WORDS;

/// Every language.
pub(super) static ALL: [&Words; 9] = [
    &en::WORDS,
    &de::WORDS,
    &fr::WORDS,
    &es::WORDS,
    &zh_hans::WORDS,
    &zh_hant::WORDS,
    &ja::WORDS,
    &ko::WORDS,
    &ar::WORDS,
];
