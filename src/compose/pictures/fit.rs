//! Makes a picture fit for mail: a type that every client shows, and no wider than any client shows.

use std::io::Cursor;

use fast_image_resize::Resizer;
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::Refusal;

/// Twice the width of a mail: what the screens of most readers can show.
const WIDTH_MAX_PX: u32 = 1200;
/// More pixels than this are not decoded.
const PIXELS_MAX: u64 = 40_000_000;
/// Memory that decoding may take, beside the pixels.
const DECODE_MAX_BYTES: u64 = 512 * 1024 * 1024;
const JPEG_QUALITY: u8 = 86;

/// A picture as it goes into the mail.
#[derive(Debug)]
pub(super) struct Fitted {
    /// The encoded picture.
    pub bytes: Vec<u8>,
    /// The ending of its file name, without the dot: `png`, `jpg` or `gif`.
    pub ext: &'static str,
    /// Its width in pixels.
    pub width_px: u32,
    /// Its height in pixels.
    pub height_px: u32,
}

/// Examines a picture by its bytes, whatever its name says, and converts or shrinks it where needed.
pub(super) fn fit_for_mail(bytes: Vec<u8>) -> Result<Fitted, Refusal> {
    let format = image::guess_format(&bytes).map_err(|_| unknown_kind())?;
    let (image, orientation) = decode(&bytes, format)?;
    let upright = orientation == Orientation::NoTransforms;
    let fits = upright && image.width() <= WIDTH_MAX_PX;
    let (width_px, height_px) = (image.width(), image.height());
    match format {
        ImageFormat::Png if fits => Ok(Fitted {
            bytes,
            ext: "png",
            width_px,
            height_px,
        }),
        ImageFormat::Jpeg if fits => Ok(Fitted {
            bytes,
            ext: "jpg",
            width_px,
            height_px,
        }),
        // It may move, and shrinking would stop it.
        ImageFormat::Gif => Ok(Fitted {
            bytes,
            ext: "gif",
            width_px,
            height_px,
        }),
        ImageFormat::Png => encode(shrunk(turned(image, orientation))?, true),
        ImageFormat::Jpeg => encode(shrunk(turned(image, orientation))?, false),
        _ => {
            // Lossless WebP is a drawing, and a drawing stays sharp.
            let sharp = image.color().has_alpha() || bytes.get(12..16) == Some(b"VP8L");
            encode(shrunk(turned(image, orientation))?, sharp)
        }
    }
}

fn unknown_kind() -> Refusal {
    Refusal::new(
        "picture-kind",
        "mail clients can't show this kind of picture",
        "Save it as PNG, JPEG, GIF or WebP.",
    )
}

fn damaged(error: &image::ImageError) -> Refusal {
    if matches!(error, image::ImageError::Unsupported(_)) {
        return unknown_kind();
    }
    if matches!(error, image::ImageError::Limits(_)) {
        return too_many_pixels();
    }
    Refusal::new(
        "picture-damaged",
        "this picture is damaged",
        "Save it again, or remove the line.",
    )
}

fn too_many_pixels() -> Refusal {
    Refusal::new(
        "picture-too-large",
        "this picture has more than 40 million pixels",
        "Save it with fewer: mails are at most 1200 px wide.",
    )
}

fn decode(bytes: &[u8], format: ImageFormat) -> Result<(DynamicImage, Orientation), Refusal> {
    if !matches!(
        format,
        ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::WebP
    ) {
        return Err(unknown_kind());
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|e| damaged(&e))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(too_many_pixels());
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(|e| damaged(&e))?;
    if image.width() == 0 || image.height() == 0 {
        return Err(Refusal::new(
            "picture-damaged",
            "this picture is empty",
            "Save it again, or remove the line.",
        ));
    }
    Ok((image, orientation))
}

/// The picture as its camera held it.
fn turned(mut image: DynamicImage, orientation: Orientation) -> DynamicImage {
    image.apply_orientation(orientation);
    image
}

fn shrunk(image: DynamicImage) -> Result<DynamicImage, Refusal> {
    if image.width() <= WIDTH_MAX_PX {
        return Ok(image);
    }
    let high = u64::from(image.height()) * u64::from(WIDTH_MAX_PX) / u64::from(image.width());
    let high = u32::try_from(high).unwrap_or(u32::MAX).max(1);
    let mut small = DynamicImage::new(WIDTH_MAX_PX, high, image.color());
    Resizer::new()
        .resize(&image, &mut small, None)
        .map_err(|_| unknown_kind())?;
    Ok(small)
}

/// Writes a picture as PNG where it must stay sharp or see-through, else as JPEG.
fn encode(image: DynamicImage, sharp: bool) -> Result<Fitted, Refusal> {
    let mut bytes = Cursor::new(Vec::new());
    let (written, ext) = if sharp {
        (image.write_to(&mut bytes, ImageFormat::Png), "png")
    } else {
        let flat = DynamicImage::ImageRgb8(image.to_rgb8());
        (
            flat.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)),
            "jpg",
        )
    };
    written.map_err(|e| damaged(&e))?;
    Ok(Fitted {
        bytes: bytes.into_inner(),
        ext,
        width_px: image.width(),
        height_px: image.height(),
    })
}
