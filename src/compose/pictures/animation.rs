//! Makes a moving GIF smaller without stopping it.

use std::io::Cursor;

use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::{AnimationDecoder as _, DynamicImage, Frame};

use super::metadata::{GifFacts, gif_facts};
use super::scale::resized;

/// The widths of a mail: twice, as good screens show it, and once.
const WIDTHS_PX: [u32; 2] = [1200, 600];
/// A larger animation is made narrower.
const MAX_BYTES: usize = 3 * 1024 * 1024;
/// The most pixels of all images together that are written: finding the colours of more takes too long.
const PIXELS_MAX: u64 = 40_000_000;
/// The most pixels of all images together that are read.
const READ_MAX_PX: u64 = 1_000_000_000;
/// From 1, the best colours, to 30, the quickest.
const SPEED: i32 = 20;

/// What becomes of a GIF.
pub(super) enum Shrunk {
    /// It is small enough, or moves so long that it can't be made smaller in reasonable time.
    AsItIs,
    /// It does not move: it can be treated as a picture.
    Still,
    /// The bytes of a narrower one, with its size.
    Narrower(Vec<u8>, u32, u32),
    /// It has to be narrower and can't be made so.
    TooLong,
}

/// Makes a GIF of this size as narrow as mail needs it.
pub(super) fn shrunk(bytes: &[u8], width_px: u32, height_px: u32) -> Shrunk {
    let facts = gif_facts(bytes);
    let is_wide = width_px > WIDTHS_PX[0];
    if !is_wide && bytes.len() <= MAX_BYTES {
        return Shrunk::AsItIs;
    }
    if facts.images <= 1 {
        return if is_wide {
            Shrunk::Still
        } else {
            Shrunk::AsItIs
        };
    }
    let is_readable = u64::from(width_px) * u64::from(height_px) * facts.images <= READ_MAX_PX;
    let mut best = None;
    for width in WIDTHS_PX.into_iter().filter(|width| *width < width_px) {
        let height = u64::from(height_px) * u64::from(width) / u64::from(width_px);
        let height = u32::try_from(height).unwrap_or(u32::MAX).max(1);
        let pixels = u64::from(width) * u64::from(height) * facts.images;
        if pixels > PIXELS_MAX || !is_readable {
            continue;
        }
        let Some(narrower) = narrowed(bytes, &facts, width, height) else {
            break;
        };
        let is_small = narrower.len() <= MAX_BYTES;
        best = Some((narrower, width, height));
        if is_small {
            break;
        }
    }
    match best {
        Some((narrower, width, height)) if is_wide || narrower.len() < bytes.len() => {
            Shrunk::Narrower(narrower, width, height)
        }
        _ if is_wide => Shrunk::TooLong,
        _ => Shrunk::AsItIs,
    }
}

/// Every image of a GIF at another size, for as long as it was shown; `None` where it can't be read.
fn narrowed(bytes: &[u8], facts: &GifFacts, width: u32, height: u32) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    {
        let mut encoder = GifEncoder::new_with_speed(&mut out, SPEED);
        match facts.repeats {
            Some(0) => encoder.set_repeat(Repeat::Infinite).ok()?,
            Some(times) => encoder.set_repeat(Repeat::Finite(times)).ok()?,
            None => {}
        }
        for frame in GifDecoder::new(Cursor::new(bytes)).ok()?.into_frames() {
            let frame = frame.ok()?;
            let delay = frame.delay();
            let image = DynamicImage::ImageRgba8(frame.into_buffer());
            let image = resized(&image, width, height)?.into_rgba8();
            let frame = Frame::from_parts(image, 0, 0, delay);
            encoder.encode_frame(frame).ok()?;
        }
    }
    Some(out)
}
