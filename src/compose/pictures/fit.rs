//! Makes a picture fit for mail: a type that every client shows, no wider than any client shows, upright, in sRGB, and
//! without metadata such as the place where it was taken.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::Refusal;
use super::animation::{self, Shrunk};
use super::colours::{self, Profile};
use super::metadata;
use super::scale::resized;

/// Twice the width of a mail: what the screens of most readers can show.
const WIDTH_MAX_PX: u32 = 1200;
/// More pixels than this are not decoded.
const PIXELS_MAX: u64 = 40_000_000;
/// The longest side that is decoded: one of millions costs gigabytes to shrink, however few its pixels are.
const SIDE_MAX_PX: u32 = 20_000;
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

/// A picture as it was decoded.
struct Decoded {
    image: DynamicImage,
    orientation: Orientation,
    /// What its numbers mean, where that is not sRGB.
    profile: Option<Profile>,
    /// Whether it was in four inks, which many clients show wrongly.
    in_inks: bool,
}

impl Decoded {
    /// Whether mail clients show its pixels rightly as they are stored.
    fn fits(&self) -> bool {
        self.orientation == Orientation::NoTransforms
            && self.image.width() <= WIDTH_MAX_PX
            && self.profile.is_none()
            && !self.in_inks
    }
}

/// Examines a picture by its bytes, whatever its name says, and converts or shrinks it where needed. One that fits
/// keeps its pixels as they are stored, and loses its metadata.
pub(super) fn fit_for_mail(bytes: Vec<u8>) -> Result<Fitted, Refusal> {
    let format = image::guess_format(&bytes).map_err(|_| unknown_kind())?;
    let decoded = decode(&bytes, format)?;
    let kept = match format {
        ImageFormat::Gif => match moving(&bytes, &decoded.image)? {
            Some(fitted) => return Ok(fitted),
            None => None,
        },
        ImageFormat::Png if decoded.fits() => {
            metadata::strip_png(&bytes).map(|bytes| (bytes, "png"))
        }
        ImageFormat::Jpeg if decoded.fits() => {
            metadata::strip_jpeg(&bytes).map(|bytes| (bytes, "jpg"))
        }
        _ => None,
    };
    if let Some((bytes, ext)) = kept {
        return Ok(Fitted {
            bytes,
            ext,
            width_px: decoded.image.width(),
            height_px: decoded.image.height(),
        });
    }
    // Lossless WebP is a drawing, and a drawing stays sharp.
    let sharp = match format {
        ImageFormat::Png | ImageFormat::Gif => true,
        ImageFormat::Jpeg => false,
        _ => decoded.image.color().has_alpha() || bytes.get(12..16) == Some(b"VP8L"),
    };
    let has_profile = decoded.profile.is_some();
    let mut fitted = encode(remade(decoded)?, sharp)?;
    if format == ImageFormat::Png && !has_profile {
        // Gamma and primaries that a PNG gives in numbers go with its pixels.
        fitted.bytes = metadata::with_colours_of(&fitted.bytes, &bytes).unwrap_or(fitted.bytes);
    }
    Ok(fitted)
}

/// A GIF without metadata that goes on moving, made smaller where it is large; `None` where it is a picture like others.
fn moving(bytes: &[u8], first: &DynamicImage) -> Result<Option<Fitted>, Refusal> {
    let Some(bytes) = metadata::strip_gif(bytes) else {
        return Ok(None);
    };
    let (width_px, height_px) = (first.width(), first.height());
    let fitted = |bytes, width_px, height_px| Fitted {
        bytes,
        ext: "gif",
        width_px,
        height_px,
    };
    Ok(match animation::shrunk(&bytes, width_px, height_px) {
        Shrunk::AsItIs => Some(fitted(bytes, width_px, height_px)),
        Shrunk::Narrower(bytes, width_px, height_px) => Some(fitted(bytes, width_px, height_px)),
        Shrunk::Still => None,
        Shrunk::TooLong => {
            return Err(Refusal::new(
                "picture-too-large",
                "this animation is wider than 1200 px and too long to be made narrower",
                "Save it at most 1200 px wide, or with fewer images.",
            ));
        }
    })
}

/// The picture upright, shrunk, and in sRGB.
fn remade(decoded: Decoded) -> Result<DynamicImage, Refusal> {
    let image = shrunk(turned(decoded.image, decoded.orientation))?;
    Ok(match decoded.profile {
        Some(profile) => profile.to_srgb(image),
        None => image,
    })
}

/// A picture with no more than eight bits a colour: more are not seen, and cost twice the room.
fn in_eight_bits(image: DynamicImage) -> DynamicImage {
    match image {
        DynamicImage::ImageLuma16(_) => DynamicImage::ImageLuma8(image.into_luma8()),
        DynamicImage::ImageLumaA16(_) => DynamicImage::ImageLumaA8(image.into_luma_alpha8()),
        DynamicImage::ImageRgb16(_) => DynamicImage::ImageRgb8(image.into_rgb8()),
        DynamicImage::ImageRgba16(_) => DynamicImage::ImageRgba8(image.into_rgba8()),
        other => other,
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
        "this picture has more than 40 million pixels, or a side of more than 20,000",
        "Save it with fewer: mails are at most 1200 px wide.",
    )
}

fn decode(bytes: &[u8], format: ImageFormat) -> Result<Decoded, Refusal> {
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
    if u64::from(width) * u64::from(height) > PIXELS_MAX || width.max(height) > SIDE_MAX_PX {
        return Err(too_many_pixels());
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let mut profile = profile.and_then(|profile| Profile::read(&profile));
    let in_inks = format == ImageFormat::Jpeg && colours::is_in_inks(bytes);
    let from_inks = in_inks.then(|| colours::inks_to_srgb(bytes)).flatten();
    let image = match from_inks {
        Some(image) => {
            profile = None;
            DynamicImage::ImageRgb8(image)
        }
        None => in_eight_bits(DynamicImage::from_decoder(decoder).map_err(|e| damaged(&e))?),
    };
    if image.width() == 0 || image.height() == 0 {
        return Err(Refusal::new(
            "picture-damaged",
            "this picture is empty",
            "Save it again, or remove the line.",
        ));
    }
    Ok(Decoded {
        image,
        orientation,
        profile,
        in_inks,
    })
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
    resized(&image, WIDTH_MAX_PX, high).ok_or_else(unknown_kind)
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
