//! A picture at another size, for pictures and for each image of an animation.

use fast_image_resize::Resizer;
use image::DynamicImage;

/// A picture at another size; `None` where its kind of pixels can't be resized.
pub(super) fn resized(image: &DynamicImage, width: u32, height: u32) -> Option<DynamicImage> {
    let mut other = DynamicImage::new(width, height, image.color());
    Resizer::new().resize(image, &mut other, None).ok()?;
    Some(other)
}
