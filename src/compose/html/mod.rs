//! An issue as HTML: every word escaped, every link tagged, every picture with its URL and size.
//!
//! `outline` walks through the issue and lays out what a theme sees; `blocks` and `inlines` write running
//! text with the theme's styles inline; `theme::escape` turns characters into HTML. Nothing here knows MJML.

mod blocks;
mod inlines;
mod outline;
mod pairs;
mod tables;

use super::theme::escape::Html;
pub(super) use outline::outline;

use super::Setting;
use super::theme::{Look, Role, Styles};
use crate::model::issue::Image;
use crate::phrases::Phrases;

/// Writes HTML for one role of one issue, with the styles that its theme gives that role in its language.
#[derive(Clone, Copy)]
struct Writer<'a> {
    setting: &'a Setting<'a>,
    look: &'a Look,
    /// What Letterpress itself says.
    phrases: Phrases,
    /// Whether the script is Chinese, Japanese or Korean: emphasis is upright Kai, and lines that open with a bracket hang.
    cjk: bool,
    role: Role,
    /// Whether this is the text of a link, in which no other can stand.
    linked: bool,
    /// Whether words may break behind a slash, as in a narrow cell.
    breaks_at_slashes: bool,
    /// Whether this is a picture among others.
    in_gallery: bool,
    /// The number of the highest heading that may stand here; ranks are never skipped downwards.
    top_heading: u8,
}

/// A picture that can be shown.
struct Shown {
    src: String,
    /// Pixels; unknown where the picture lies on the web.
    size: Option<(u32, u32)>,
}

/// The size of a picture when it is shown so many pixels wide.
fn scaled((width, height): (u32, u32), wide: u32) -> (u32, u32) {
    let high = (u64::from(height) * u64::from(wide) / u64::from(width.max(1))).max(1);
    (wide, u32::try_from(high).unwrap_or(u32::MAX))
}

impl<'a> Writer<'a> {
    fn new(setting: &'a Setting<'a>, look: &'a Look, phrases: Phrases) -> Self {
        Writer {
            setting,
            look,
            phrases,
            cjk: look.script().is_cjk(),
            role: Role::Text,
            linked: false,
            breaks_at_slashes: false,
            in_gallery: false,
            top_heading: 2,
        }
    }

    /// This writer, for a cell of a table whose words stay whole.
    fn in_cell(self) -> Self {
        Writer {
            breaks_at_slashes: true,
            ..self
        }
    }

    /// This writer, for one of several pictures.
    fn in_gallery(self) -> Self {
        Writer {
            in_gallery: true,
            ..self
        }
    }

    /// This writer, for the text of a link.
    fn within_link(self) -> Self {
        Writer {
            linked: true,
            ..self
        }
    }

    /// This writer, for text of another role.
    fn with(self, role: Role) -> Self {
        Writer { role, ..self }
    }

    /// The role of something that is styled apart everywhere but in the call to subscribe, which has inks of
    /// its own.
    fn in_call_or(&self, usual: Role) -> Role {
        if self.role == Role::Call {
            Role::Call
        } else {
            usual
        }
    }

    /// This writer, for text below a heading of that rank.
    fn below(self, heading: u8) -> Self {
        Writer {
            top_heading: heading + 1,
            ..self
        }
    }

    fn phrases(&self) -> Phrases {
        self.phrases
    }

    fn is_right_to_left(&self) -> bool {
        self.look.script().is_right_to_left()
    }

    fn styles(&self) -> &'a Styles {
        self.look.styles(self.role)
    }

    /// The URL and size of a picture; `None` if it is missing, so that its alt text is shown.
    fn picture(&self, image: &Image) -> Option<Shown> {
        if let Some(picture) = self.setting.pictures.get(&image.src) {
            let src = format!(
                "{}{}.{}",
                self.setting.media_base, picture.hash, picture.ext
            );
            return Some(Shown {
                src,
                size: Some((picture.width_px, picture.height_px)),
            });
        }
        inlines::is_on_the_web(&image.src).then(|| Shown {
            src: image.src.clone(),
            size: None,
        })
    }
}

#[cfg(test)]
mod tests;
