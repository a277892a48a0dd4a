//! Lines of at most so many columns, without harming a word.
//!
//! Lines end at spaces, and between two characters of which one is East Asian, as UAX 14 allows. Everything
//! else stays whole however long it is: no hyphens are added, and an address is one word.

use textwrap::WordSeparator;
use textwrap::core::Fragment;
use textwrap::wrap_algorithms::wrap_first_fit;
use unicode_width::UnicodeWidthStr as _;

use crate::manuscript::is_east_asian;
use crate::model::rendered::{Context, MergeField, Piece};

/// Stands for a token within a run of text: U+FFFC, the character for "an object is here".
const OBJECT: char = '\u{FFFC}';

/// Something in a run of text that is one word whatever it holds.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// The author's own U+FFFC.
    Plain,
    /// An address, or another word that no line may end in.
    Whole(Vec<Piece>),
    /// A number that clings to the word before it.
    Mark(String),
    /// A merge field.
    Field(MergeField),
}

impl Token {
    /// How many columns it takes; for a merge field, an estimate.
    fn columns(&self) -> usize {
        match self {
            Token::Plain => 1,
            Token::Whole(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text.width(),
                    Piece::Field { field, .. } => field_columns(field),
                })
                .sum(),
            Token::Mark(text) => text.width(),
            Token::Field(field) => field_columns(field),
        }
    }

    fn pieces(&self) -> Vec<Piece> {
        match self {
            Token::Plain => vec![Piece::Text(OBJECT.into())],
            Token::Whole(pieces) => pieces.clone(),
            Token::Mark(text) => vec![Piece::Text(text.clone())],
            Token::Field(field) => vec![Piece::Field {
                field: field.clone(),
                context: Context::Text,
            }],
        }
    }
}

/// The columns that the value of a merge field is likely to take.
fn field_columns(field: &MergeField) -> usize {
    match field {
        MergeField::Name { default } => default.width().max(8),
        MergeField::Email => 24,
        MergeField::SubscribedSince => 17,
        MergeField::Link(_) => 90,
    }
}

/// A paragraph before it is wrapped. `\n` in it is a line end that the author asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    text: String,
    tokens: Vec<Token>,
}

impl Run {
    /// Appends text; every white space that may be broken becomes a space.
    pub(super) fn push(&mut self, text: &str) {
        for c in text.chars() {
            if c == OBJECT {
                self.tokens.push(Token::Plain);
            }
            let break_space =
                c != '\u{A0}' && c != '\u{202F}' && c != '\u{3000}' && c.is_whitespace();
            self.text.push(if break_space { ' ' } else { c });
        }
    }

    /// A line end that stays.
    pub(super) fn break_line(&mut self) {
        self.text.push('\n');
    }

    /// Appends a word that is never broken, such as an address.
    pub(super) fn push_whole(&mut self, word: Vec<Piece>) {
        self.push_token(Token::Whole(word));
    }

    /// Appends a mark that stays with the word before it, such as the number of a link.
    pub(super) fn push_mark(&mut self, text: String) {
        self.push_token(Token::Mark(text));
    }

    /// Appends a merge field.
    pub(super) fn push_field(&mut self, field: MergeField) {
        self.push_token(Token::Field(field));
    }

    /// Appends another run.
    pub(super) fn append(&mut self, other: &Run) {
        self.text.push_str(&other.text);
        self.tokens.extend(other.tokens.iter().cloned());
    }

    /// Spaces that stay, to align what follows.
    pub(super) fn pad(&mut self, columns: usize) {
        if columns > 0 {
            self.push_token(Token::Mark(" ".repeat(columns)));
        }
    }

    fn push_token(&mut self, token: Token) {
        self.text.push(OBJECT);
        self.tokens.push(token);
    }

    /// Whether nothing of it would be seen.
    pub(super) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The columns of the whole run on one line.
    pub(super) fn columns(&self) -> usize {
        let objects: usize = self.tokens.iter().map(Token::columns).sum();
        let width: usize = self.text.split(OBJECT).map(|t| t.width()).sum();
        width + objects
    }

    /// The lines of the run.
    pub(super) fn lines(&self, columns: usize) -> Vec<Vec<Piece>> {
        let mut tokens = self.tokens.iter();
        let mut out = Vec::new();
        for line in self.text.split('\n') {
            let words = words(line, &mut tokens);
            for line in wrap_first_fit(&words, &[columns as f64]) {
                let mut pieces = Vec::new();
                for (at, word) in line.iter().enumerate() {
                    word.pieces
                        .iter()
                        .for_each(|p| push(&mut pieces, p.clone()));
                    if word.spaced && at + 1 < line.len() {
                        push(&mut pieces, Piece::Text(" ".into()));
                    }
                }
                out.push(pieces);
            }
        }
        out
    }
}

/// Appends a piece, joining text to text.
pub(super) fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
        (_, piece) => pieces.push(piece),
    }
}

/// What no line may end in.
#[derive(Debug)]
struct Word {
    pieces: Vec<Piece>,
    columns: usize,
    /// Whether a space follows it on the same line.
    spaced: bool,
}

impl Fragment for Word {
    fn width(&self) -> f64 {
        self.columns as f64
    }

    fn whitespace_width(&self) -> f64 {
        f64::from(u8::from(self.spaced))
    }

    fn penalty_width(&self) -> f64 {
        0.0
    }
}

/// Cuts a line into words.
fn words<'t>(line: &str, tokens: &mut impl Iterator<Item = &'t Token>) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::new();
    let mut last = ' ';
    for found in WordSeparator::UnicodeBreakProperties.find_words(line) {
        let Some(first) = found.word.chars().next() else {
            continue;
        };
        let (pieces, columns, clings) = resolve(found.word, tokens);
        let apart = last == ' ' || (!clings && (is_east_asian(last) || is_east_asian(first)));
        match out.last_mut() {
            Some(word) if !apart => {
                pieces.into_iter().for_each(|p| push(&mut word.pieces, p));
                word.columns += columns;
                word.spaced = !found.whitespace.is_empty();
            }
            _ => out.push(Word {
                pieces,
                columns,
                spaced: !found.whitespace.is_empty(),
            }),
        }
        last = if found.whitespace.is_empty() {
            found.word.chars().next_back().unwrap_or(' ')
        } else {
            ' '
        };
    }
    out
}

/// Puts the tokens of a word in their places; says whether it begins with one that clings to what is before.
fn resolve<'t>(
    word: &str,
    tokens: &mut impl Iterator<Item = &'t Token>,
) -> (Vec<Piece>, usize, bool) {
    let (mut pieces, mut columns, mut clings) = (Vec::new(), 0, false);
    for (at, text) in word.split(OBJECT).enumerate() {
        if at > 0
            && let Some(token) = tokens.next()
        {
            clings |= pieces.is_empty() && matches!(token, Token::Mark(_));
            columns += token.columns();
            for piece in token.pieces() {
                push(&mut pieces, piece);
            }
        }
        if !text.is_empty() {
            columns += text.width();
            push(&mut pieces, Piece::Text(text.to_owned()));
        }
    }
    (pieces, columns, clings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, columns: usize) -> Vec<String> {
        let mut run = Run::default();
        run.push(text);
        let flat = |line: Vec<Piece>| {
            line.into_iter()
                .map(|p| {
                    if let Piece::Text(t) = p {
                        t
                    } else {
                        "<field>".into()
                    }
                })
                .collect()
        };
        run.lines(columns).into_iter().map(flat).collect()
    }

    #[test]
    fn lines_end_at_spaces_and_between_east_asian_characters() {
        assert_eq!(
            wrapped("state-of-the-art and/or more", 12),
            ["state-of-the-art", "and/or more"]
        );
        assert_eq!(
            wrapped("现实世界中的机器学习", 8),
            ["现实世界", "中的机器", "学习"]
        );
        assert_eq!(
            wrapped("提出了CVPR方法。然后", 8),
            ["提出了", "CVPR方", "法。然后"]
        );
        assert_eq!(wrapped("one  two ", 20), ["one two"]);
        assert_eq!(wrapped("", 20), [""]);
    }

    #[test]
    fn tokens_stay_whole_and_in_their_places() {
        let mut run = Run::default();
        run.push("见");
        run.push_whole(vec![Piece::Text("<https://例子.测试/路?a=b>".into())]);
        run.push("\u{FFFC} 扩展");
        run.push_mark("[1]".into());
        run.push("。Dear ");
        run.push_field(MergeField::Email);
        let lines = run.lines(9);
        let text: String = lines
            .iter()
            .flatten()
            .map(|p| {
                if let Piece::Text(t) = p {
                    t.as_str()
                } else {
                    "@"
                }
            })
            .collect::<Vec<_>>()
            .join("|");
        assert_eq!(
            text,
            "见|<https://例子.测试/路?a=b>\u{FFFC}|扩展[1]。|Dear|@"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_word_is_harmed(text in "(\\PC{0,8}|[a-z]{1,90}|[ \u{A0}]|中文|。|-|/){0,30}", columns in 1usize..80) {
            let squeezed = |t: &str| t.split_whitespace().collect::<String>();
            let lines = wrapped(&text, columns);
            proptest::prop_assert_eq!(squeezed(&lines.concat()), squeezed(&text));
            for pair in lines.windows(2) {
                let (before, after) = (pair[0].chars().next_back(), pair[1].chars().next());
                let east = before.is_some_and(is_east_asian) || after.is_some_and(is_east_asian);
                // A line ends at a space of the text, or beside an East Asian character.
                let at_space = text.split(|c: char| c != '\u{A0}' && c.is_whitespace()).count() > 1;
                proptest::prop_assert!(east || at_space);
                proptest::prop_assert!(!pair[0].ends_with(' '));
            }
        }
    }
}
