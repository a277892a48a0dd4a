//! The colours of a picture as sRGB, which mail clients assume of a picture without a profile.
//!
//! ICC profiles are read and applied by moxcms; JPEGs in four inks are decoded by zune-jpeg, since `image` hands out
//! their inks only when they have become RGB without a profile.

use image::{DynamicImage, RgbImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformExecutor, TransformOptions};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::metadata;

/// The largest profile that is read; those of presses have 2 MB.
const PROFILE_MAX_BYTES: usize = 8 * 1024 * 1024;
/// Colours that differ by no more than this, of 255, look the same.
const SAME_MAX: u8 = 3;

/// A profile by which the numbers of a picture mean other colours than those of sRGB.
pub(super) struct Profile(ColorProfile);

impl Profile {
    /// Reads an ICC profile. `None` where it means sRGB, can't be read, or is of no use for RGB and grey.
    pub(super) fn read(bytes: &[u8]) -> Option<Profile> {
        if bytes.len() > PROFILE_MAX_BYTES {
            return None;
        }
        let profile = Profile(ColorProfile::new_from_slice(bytes).ok()?);
        let steps = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(|step: u8| step.saturating_mul(32));
        let colours: Vec<u8> = steps
            .iter()
            .flat_map(|r| steps.iter().map(move |g| (r, g)))
            .flat_map(|(r, g)| steps.iter().flat_map(move |b| [*r, *g, *b]))
            .collect();
        let is_grey = profile.0.color_space == DataColorSpace::Gray;
        let (before, after) = if is_grey {
            ((0..=255).collect(), profile.greys()?.to_vec())
        } else {
            let mut after = vec![0; colours.len()];
            let transform = profile.transform(Layout::Rgb)?;
            transform.transform(&colours, &mut after).ok()?;
            (colours, after)
        };
        let same = |(before, after): (&u8, &u8)| before.abs_diff(*after) <= SAME_MAX;
        (!before.iter().zip(&after).all(same)).then_some(profile)
    }

    /// The picture in sRGB, with eight bits a colour; as it is where the profile is not for such a picture.
    pub(super) fn to_srgb(&self, image: DynamicImage) -> DynamicImage {
        match image {
            DynamicImage::ImageLuma8(mut grey) => {
                if let Some(greys) = self.greys() {
                    grey.iter_mut().for_each(|v| *v = greys[usize::from(*v)]);
                }
                DynamicImage::ImageLuma8(grey)
            }
            DynamicImage::ImageLumaA8(mut grey) => {
                if let Some(greys) = self.greys() {
                    grey.pixels_mut()
                        .for_each(|pixel| pixel.0[0] = greys[usize::from(pixel.0[0])]);
                }
                DynamicImage::ImageLumaA8(grey)
            }
            DynamicImage::ImageRgb8(mut image) => {
                let row = image.width() as usize * 3;
                self.convert(&mut image, row, Layout::Rgb);
                DynamicImage::ImageRgb8(image)
            }
            DynamicImage::ImageRgba8(mut image) => {
                let row = image.width() as usize * 4;
                self.convert(&mut image, row, Layout::Rgba);
                DynamicImage::ImageRgba8(image)
            }
            other => other,
        }
    }

    /// Converts pixels in place, row by row.
    fn convert(&self, pixels: &mut [u8], row_bytes: usize, layout: Layout) {
        let Some(transform) = self.transform(layout) else {
            return;
        };
        let mut before = vec![0; row_bytes];
        for row in pixels.chunks_exact_mut(row_bytes) {
            before.copy_from_slice(row);
            if transform.transform(&before, row).is_err() {
                row.copy_from_slice(&before);
            }
        }
    }

    /// From the profile's RGB to sRGB.
    fn transform(&self, layout: Layout) -> Option<Transform> {
        let is_rgb = self.0.color_space == DataColorSpace::Rgb;
        is_rgb.then(|| to_srgb(&self.0, layout, layout))?
    }

    /// What each of the 256 greys is in sRGB.
    fn greys(&self) -> Option<[u8; 256]> {
        let (layout, repeated) = match self.0.color_space {
            DataColorSpace::Gray => (Layout::Gray, 1),
            DataColorSpace::Rgb => (Layout::Rgb, 3),
            _ => return None,
        };
        let before: Vec<u8> = (0..=255).flat_map(|v| vec![v; repeated]).collect();
        let mut after = [0; 3 * 256];
        let transform = to_srgb(&self.0, layout, Layout::Rgb)?;
        transform.transform(&before, &mut after).ok()?;
        Some(std::array::from_fn(|v| after[3 * v + 1]))
    }
}

type Transform = std::sync::Arc<dyn TransformExecutor<u8> + Send + Sync>;

fn to_srgb(profile: &ColorProfile, from: Layout, to: Layout) -> Option<Transform> {
    let srgb = ColorProfile::new_srgb();
    profile
        .create_transform_8bit(from, &srgb, to, TransformOptions::default())
        .ok()
}

/// A JPEG in four inks that has a profile for them, in sRGB. `None` where it has none, or is not in four inks; then
/// `image` decodes it.
pub(super) fn inks_to_srgb(bytes: &[u8]) -> Option<RgbImage> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().ok()?;
    let coding = inks(&decoder)?;
    let profile = decoder
        .icc_profile()
        .filter(|profile| profile.len() <= PROFILE_MAX_BYTES)?;
    let profile = ColorProfile::new_from_slice(&profile).ok()?;
    if profile.color_space != DataColorSpace::Cmyk {
        return None;
    }
    let transform = to_srgb(&profile, Layout::Rgba, Layout::Rgb)?;
    let (width, height) = decoder.dimensions()?;
    decoder.set_options(options.jpeg_set_out_colorspace(coding));
    let mut pixels = decoder.decode().ok()?;
    if coding == ColorSpace::YCCK {
        pixels.as_chunks_mut().0.iter_mut().for_each(ycck_to_cmyk);
    }
    if metadata::is_of_adobe(bytes) {
        pixels.iter_mut().for_each(|value| *value = 255 - *value);
    }
    let mut out = RgbImage::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let rows = pixels.chunks_exact(width * 4);
    for (inks, row) in rows.zip(out.chunks_exact_mut(width * 3)) {
        transform.transform(inks, row).ok()?;
    }
    Some(out)
}

/// Whether a JPEG is in four inks.
pub(super) fn is_in_inks(bytes: &[u8]) -> bool {
    let options = DecoderOptions::default().set_strict_mode(false);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().is_ok() && inks(&decoder).is_some()
}

/// How the four inks of a JPEG are coded.
fn inks(decoder: &JpegDecoder<ZCursor<&[u8]>>) -> Option<ColorSpace> {
    decoder
        .input_colorspace()
        .filter(|coding| matches!(coding, ColorSpace::CMYK | ColorSpace::YCCK))
}

/// Adobe's YCCK: the inks but black are stored as the YCbCr of their complements (Adobe Technical Note #5116).
fn ycck_to_cmyk(pixel: &mut [u8; 4]) {
    let [y, cb, cr, _] = pixel.map(f32::from);
    let complement = [
        y + 1.402 * (cr - 128.0),
        y - 0.344_136 * (cb - 128.0) - 0.714_136 * (cr - 128.0),
        y + 1.772 * (cb - 128.0),
    ];
    for (ink, value) in pixel.iter_mut().zip(complement) {
        *ink = 255 - value.round().clamp(0.0, 255.0) as u8;
    }
}
