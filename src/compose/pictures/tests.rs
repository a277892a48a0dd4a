use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{AnimationDecoder as _, DynamicImage, ImageEncoder as _, ImageFormat, Rgb, RgbImage};

use super::*;
use crate::model::issue::{Block, Meta, Part};

fn drawing(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x % 251) as u8, (y % 241) as u8, 90])
    }))
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn issue(names: &[&str]) -> Issue {
    let figure = |(i, src): (usize, &&str)| Block::Figure {
        image: Image {
            src: (*src).to_owned(),
            line: i + 1,
            ..Image::default()
        },
        link: None,
        caption: Vec::new(),
    };
    let blocks = names.iter().enumerate().map(figure).collect();
    Issue {
        meta: Meta::default(),
        parts: vec![Part::Text(blocks)],
        slug: "1".into(),
    }
}

fn codes(findings: &[Finding]) -> Vec<(&'static str, Option<usize>)> {
    findings.iter().map(|f| (f.code, f.line)).collect()
}

#[test]
fn pictures_are_found_measured_and_named_by_content() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("img")).unwrap();
    let png = encoded(&drawing(60, 40), ImageFormat::Png);
    std::fs::write(dir.path().join("img/a.png"), &png).unwrap();
    // The name lies, and has a space.
    std::fs::write(
        dir.path().join("b c.png"),
        encoded(&drawing(30, 20), ImageFormat::Jpeg),
    )
    .unwrap();
    let (pictures, findings) = load(
        &issue(&["img/a.png", "./b%20c.png", "https://x.example/y.png"]),
        dir.path(),
    );
    assert_eq!(codes(&findings), []);
    let a = pictures.get("img/a.png").unwrap();
    assert_eq!(
        (a.ext, a.width_px, a.height_px, a.hash.len()),
        ("png", 60, 40, 32)
    );
    assert_eq!(a.bytes, png);
    assert_eq!(pictures.get("./b%20c.png").unwrap().ext, "jpg");
    assert_eq!(pictures.iter().count(), 2);
}

#[test]
fn what_can_not_be_used_is_a_finding_at_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("issues");
    std::fs::create_dir(&folder).unwrap();
    let png = encoded(&drawing(60, 40), ImageFormat::Png);
    std::fs::write(dir.path().join("above.png"), &png).unwrap();
    std::fs::write(folder.join("cut.png"), &png[..png.len() / 2]).unwrap();
    std::fs::write(folder.join("draw.svg"), "<svg/>").unwrap();
    std::fs::write(folder.join("empty.png"), "").unwrap();
    std::os::unix::fs::symlink("../above.png", folder.join("link.png")).unwrap();
    let names = [
        "none.png",
        "../above.png",
        "/etc/hostname",
        "cut.png",
        "draw.svg",
        "empty.png",
        "link.png",
        ".",
        "",
        "none.png",
        "data:image/png;base64,AAAA",
        "..%2Fabove.png",
    ];
    let (pictures, findings) = load(&issue(&names), &folder);
    assert_eq!(pictures.iter().count(), 0);
    let want = [
        ("picture-missing", 1),
        ("picture-outside", 2),
        ("picture-outside", 3),
        ("picture-damaged", 4),
        ("picture-kind", 5),
        ("picture-kind", 6),
        ("picture-outside", 7),
        ("picture-missing", 8),
        ("picture-missing", 9),
        ("picture-outside", 11),
        ("picture-outside", 12),
    ];
    assert_eq!(
        codes(&findings),
        want.map(|(code, line)| (code, Some(line)))
    );
    assert!(findings[0].message.contains("none.png"));
}

#[test]
fn a_wide_picture_is_shrunk_and_keeps_its_shape() {
    let fitted = fit::fit_for_mail(encoded(&drawing(2400, 1000), ImageFormat::Png)).unwrap();
    assert_eq!(
        (fitted.ext, fitted.width_px, fitted.height_px),
        ("png", 1200, 500)
    );
    let fitted = fit::fit_for_mail(encoded(&drawing(1500, 30), ImageFormat::Jpeg)).unwrap();
    assert_eq!(
        (fitted.ext, fitted.width_px, fitted.height_px),
        ("jpg", 1200, 24)
    );
    assert_eq!(
        image::guess_format(&fitted.bytes).unwrap(),
        ImageFormat::Jpeg
    );
}

#[test]
fn webp_becomes_what_outlook_can_show() {
    let fitted = fit::fit_for_mail(encoded(&drawing(50, 40), ImageFormat::WebP)).unwrap();
    assert_eq!(
        image::guess_format(&fitted.bytes).unwrap(),
        ImageFormat::Png
    );
    assert_eq!((fitted.ext, fitted.width_px), ("png", 50));
}

#[test]
fn too_many_pixels_are_refused_before_they_are_decoded() {
    // A sound PNG whose head (bytes 12 to 29, then their checksum) claims more pixels than there are behind it.
    let claim = |width: u32, height: u32| {
        let mut png = encoded(&drawing(60, 40), ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let sum = crc_32(&png[12..29]);
        png[29..33].copy_from_slice(&sum.to_be_bytes());
        fit::fit_for_mail(png)
            .map(|fitted| fitted.width_px)
            .map_err(|refusal| refusal.code)
    };
    assert_eq!(claim(60, 40), Ok(60), "the checksum is right");
    assert_eq!(claim(8000, 5001), Err("picture-too-large"));
    assert_eq!(claim(30_000, 30_000), Err("picture-too-large"));
    assert_eq!(claim(60, 41), Err("picture-damaged"), "a row is missing");
}

/// The checksum of PNG's chunks.
fn crc_32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 * (sum & 1))
        })
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_make_it_panic(cut in 0usize..2000, flips in proptest::collection::vec((0usize..2000, 0u8..255), 0..6), which in 0usize..4) {
        let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP][which];
        let mut bytes = encoded(&drawing(24, 16), format);
        for (at, byte) in flips {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut % 40));
        let _ = fit::fit_for_mail(bytes);
    }
}

/// The bytes of a picture, with a profile where one is given.
fn with_profile(image: &RgbImage, format: ImageFormat, profile: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (width, height) = image.dimensions();
    let colour = image::ExtendedColorType::Rgb8;
    if format == ImageFormat::Png {
        let mut encoder = PngEncoder::new(&mut bytes);
        if let Some(profile) = profile {
            encoder.set_icc_profile(profile).unwrap();
        }
        encoder.write_image(image, width, height, colour).unwrap();
    } else {
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
        if let Some(profile) = profile {
            encoder.set_icc_profile(profile).unwrap();
        }
        encoder.write_image(image, width, height, colour).unwrap();
    }
    bytes
}

/// sRGB with red and green exchanged, so that a picture that loses it shows.
fn exchanged() -> Vec<u8> {
    let mut profile = moxcms::ColorProfile::new_srgb();
    std::mem::swap(&mut profile.red_colorant, &mut profile.green_colorant);
    profile.cicp = None;
    profile.encode().unwrap()
}

/// A segment of a JPEG behind its first two bytes.
fn jpeg_with(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

/// A chunk of a PNG behind its head.
fn png_with(png: &[u8], kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let body = [kind, content].concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let sum = crc_32(&body).to_be_bytes();
    [&png[..33], &length, &body, &sum, &png[33..]].concat()
}

/// Exif (big-endian) with an orientation, and the name of a place where a camera would put it.
fn exif(orientation: u8) -> Vec<u8> {
    let entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
    [&b"MM\0*\0\0\0\x08\0\x01"[..], &entry, &[0; 4], PLACE].concat()
}

const PLACE: &[u8] = b"52.5163 N 13.3777 E";

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn pixels(bytes: &[u8]) -> RgbImage {
    image::load_from_memory(bytes).unwrap().to_rgb8()
}

#[test]
fn metadata_is_left_out_and_the_pixels_stay() {
    let jpeg = encoded(&drawing(60, 40), ImageFormat::Jpeg);
    let png = encoded(&drawing(60, 40), ImageFormat::Png);
    let gif = encoded(&drawing(60, 40), ImageFormat::Gif);
    let app1 = [&b"Exif\0\0"[..], &exif(1)].concat();
    let xmp = [&b"http://ns.adobe.com/xap/1.0/\0"[..], PLACE].concat();
    let comment = [&[0x21, 0xfe, PLACE.len() as u8], PLACE, &[0]].concat();
    let in_xmp = [&b"\x21\xff\x0bXMP DataXMP\x13"[..], PLACE, &[0]].concat();
    let at = gif.len() - 1;
    for (kind, plain, private) in [
        ("Exif", &jpeg, jpeg_with(&jpeg, 0xe1, &app1)),
        ("XMP", &jpeg, jpeg_with(&jpeg, 0xe1, &xmp)),
        ("IPTC", &jpeg, jpeg_with(&jpeg, 0xed, PLACE)),
        ("comment", &jpeg, jpeg_with(&jpeg, 0xfe, PLACE)),
        ("second picture", &jpeg, [&jpeg[..], PLACE].concat()),
        ("eXIf", &png, png_with(&png, b"eXIf", &exif(1))),
        ("tEXt", &png, png_with(&png, b"tEXt", PLACE)),
        ("iTXt", &png, png_with(&png, b"iTXt", PLACE)),
        ("unknown chunk", &png, png_with(&png, b"prVt", PLACE)),
        ("behind the end", &png, [&png[..], PLACE].concat()),
        ("comment", &gif, [&gif[..at], &comment, &gif[at..]].concat()),
        ("XMP", &gif, [&gif[..at], &in_xmp, &gif[at..]].concat()),
        ("behind the end", &gif, [&gif[..], PLACE].concat()),
    ] {
        assert!(holds(&private, PLACE), "{kind}");
        let fitted = fit::fit_for_mail(private).unwrap();
        assert!(!holds(&fitted.bytes, PLACE), "{kind}: {}", fitted.ext);
        assert_eq!(&fitted.bytes, plain, "{kind}: {}", fitted.ext);
    }
}

#[test]
fn a_picture_that_is_turned_or_shrunk_loses_its_metadata_too() {
    for width in [60, 1500] {
        let app1 = [&b"Exif\0\0"[..], &exif(6)].concat();
        let jpeg = encoded(&drawing(width, 40), ImageFormat::Jpeg);
        let fitted = fit::fit_for_mail(jpeg_with(&jpeg, 0xe1, &app1)).unwrap();
        assert_eq!((fitted.width_px, fitted.height_px), (40, width));
        assert!(!holds(&fitted.bytes, PLACE));
    }
}

#[test]
fn a_gif_goes_on_moving() {
    let mut gif = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut gif);
        encoder
            .set_repeat(image::codecs::gif::Repeat::Infinite)
            .unwrap();
        let frames = [10, 20, 30].map(|x| image::Frame::new(drawing(x, 30).to_rgba8()));
        encoder.encode_frames(frames).unwrap();
    }
    let frames = |bytes: &[u8]| {
        let decoder = image::codecs::gif::GifDecoder::new(Cursor::new(bytes)).unwrap();
        decoder.into_frames().collect_frames().unwrap().len()
    };
    let fitted = fit::fit_for_mail(gif.clone()).unwrap();
    assert_eq!(
        (frames(&fitted.bytes), holds(&fitted.bytes, b"NETSCAPE2.0")),
        (3, true)
    );
    // Cut off within its last image: what is whole still moves.
    let cut = fit::fit_for_mail(gif[..gif.len() - 20].to_vec()).unwrap();
    assert_eq!(frames(&cut.bytes), 2);
}

/// A GIF of so many images, whose squares wander, each shown for a tenth of a second, for ever.
fn wandering(width: u32, height: u32, images: u32) -> Vec<u8> {
    let mut gif = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new_with_speed(&mut gif, 30);
        encoder
            .set_repeat(image::codecs::gif::Repeat::Infinite)
            .unwrap();
        for n in 0..images {
            let mut frame = image::RgbaImage::from_pixel(width, height, image::Rgba([255; 4]));
            for (x, y) in (0..20).flat_map(|x| (0..20).map(move |y| (x, y))) {
                frame.put_pixel(x + n * 20, y, image::Rgba([200, 30, 20, 255]));
            }
            let tenth = image::Delay::from_numer_denom_ms(100, 1);
            encoder
                .encode_frame(image::Frame::from_parts(frame, 0, 0, tenth))
                .unwrap();
        }
    }
    gif
}

#[test]
fn a_wide_gif_is_made_narrower_and_goes_on_moving() {
    let fitted = fit::fit_for_mail(wandering(1600, 80, 3)).unwrap();
    assert_eq!(
        (fitted.ext, fitted.width_px, fitted.height_px),
        ("gif", 1200, 60)
    );
    assert!(holds(&fitted.bytes, b"NETSCAPE2.0"));
    let decoder = image::codecs::gif::GifDecoder::new(Cursor::new(&fitted.bytes)).unwrap();
    let frames = decoder.into_frames().collect_frames().unwrap();
    assert_eq!(frames.len(), 3);
    for (frame, x) in frames.iter().zip([7, 22, 37]) {
        assert_eq!(frame.delay().numer_denom_ms(), (100, 1));
        assert_eq!(frame.buffer().dimensions(), (1200, 60));
        let [red, green, ..] = frame.buffer().get_pixel(x, 7).0;
        assert!(
            red > 150 && green < 90,
            "the square is not where it should be"
        );
    }
}

#[test]
fn a_wide_gif_that_stands_still_becomes_a_picture() {
    let fitted = fit::fit_for_mail(wandering(1600, 80, 1)).unwrap();
    assert_eq!((fitted.ext, fitted.width_px), ("png", 1200));
}

#[test]
fn a_gif_too_long_to_be_made_narrower_is_refused() {
    // An image that repeats costs a few bytes, and its pixels cost as much as any others.
    let one = wandering(4000, 2000, 1);
    let image = &one[one.iter().position(|b| *b == 0x2c).unwrap()..one.len() - 1];
    let mut long = one[..one.len() - 1].to_vec();
    (0..400).for_each(|_| long.extend(image));
    long.push(0x3b);
    let refusal = fit::fit_for_mail(long).unwrap_err();
    assert_eq!(refusal.code, "picture-too-large");
}

#[test]
fn colours_become_srgb() {
    let red = Rgb([230, 30, 20]);
    for (width, format) in [
        (60, ImageFormat::Jpeg),
        (60, ImageFormat::Png),
        (1500, ImageFormat::Jpeg),
        (1500, ImageFormat::Png),
    ] {
        let image = RgbImage::from_pixel(width, 40, red);
        let fitted = fit::fit_for_mail(with_profile(&image, format, Some(exchanged()))).unwrap();
        let got = pixels(&fitted.bytes).get_pixel(20, 20).0;
        let near = got
            .iter()
            .zip([30u8, 230, 20])
            .all(|(a, b)| a.abs_diff(b) < 6);
        assert!(near, "{width} {format:?}: {got:?}");
        assert!(!holds(&fitted.bytes, b"acsp"), "the profile went");
    }
}

#[test]
fn a_profile_that_means_srgb_costs_no_quality() {
    let srgb = moxcms::ColorProfile::new_srgb().encode().unwrap();
    let image = drawing(60, 40).to_rgb8();
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let tagged = with_profile(&image, format, Some(srgb.clone()));
        let fitted = fit::fit_for_mail(tagged.clone()).unwrap();
        assert_eq!(pixels(&fitted.bytes), pixels(&tagged));
        assert_eq!(fitted.bytes, with_profile(&image, format, None));
    }
    // One that is damaged changes nothing.
    let broken = with_profile(&image, ImageFormat::Png, Some(b"no profile".to_vec()));
    let fitted = fit::fit_for_mail(broken).unwrap();
    assert_eq!(fitted.bytes, with_profile(&image, ImageFormat::Png, None));
}

/// A JPEG of eight by eight pixels of one colour in four inks, as it is stored; Adobe's segment says that it is
/// inverted.
fn jpeg_in_inks(stored: [u8; 4], profile: &[u8]) -> Vec<u8> {
    let mut jpeg = vec![0xff, 0xd8];
    let mut segment = |marker: u8, content: &[u8]| {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        jpeg.extend([&[0xff, marker], &length[..], content].concat());
    };
    segment(0xee, b"Adobe\0\x64\0\0\0\0\0");
    if !profile.is_empty() {
        segment(0xe2, &[b"ICC_PROFILE\0\x01\x01", profile].concat());
    }
    segment(0xdb, &[&[0][..], &[8; 64]].concat());
    let component = |id: u8| [id, 0x11, 0];
    segment(
        0xc0,
        &[
            &[8, 0, 8, 0, 8, 4][..],
            &[1, 2, 3, 4].map(component).concat(),
        ]
        .concat(),
    );
    // DC: nine categories of four bits each; AC: the end of a block alone, in one bit.
    let dc = [&[0, 0, 0, 0, 9][..], &[0; 12], &[0, 1, 2, 3, 4, 5, 6, 7, 8]].concat();
    segment(0xc4, &dc);
    segment(0xc4, &[&[0x10, 1][..], &[0; 15], &[0]].concat());
    segment(0xda, &[4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]);
    let mut bits = String::new();
    for value in stored {
        let level = i32::from(value) - 128;
        let size = 32 - level.unsigned_abs().leading_zeros();
        let code = if level < 0 {
            level + (1 << size) - 1
        } else {
            level
        };
        bits += &format!("{size:04b}");
        if size > 0 {
            bits += &format!("{code:0width$b}", width = size as usize);
        }
        bits += "0";
    }
    bits += &"1".repeat((8 - bits.len() % 8) % 8);
    for byte in bits.as_bytes().chunks(8) {
        let byte = u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap();
        jpeg.push(byte);
        if byte == 0xff {
            jpeg.push(0);
        }
    }
    jpeg.extend([0xff, 0xd9]);
    jpeg
}

/// A profile by which cyan is red, paper is white, and every other mixture black.
fn odd_inks() -> Vec<u8> {
    let identity: Vec<u8> = (0..=255).collect();
    let corners = (0..16).flat_map(|corner| match corner {
        0 => [255, 128, 128],
        0b1000 => [136, 208, 195],
        _ => [0, 128, 128],
    });
    let mut lut = b"mft1\0\0\0\0\x04\x03\x02\0".to_vec();
    for cell in [1_i32, 0, 0, 0, 1, 0, 0, 0, 1] {
        lut.extend((cell << 16).to_be_bytes());
    }
    lut.extend(identity.repeat(4));
    lut.extend(corners);
    lut.extend(identity.repeat(3));
    let mut profile = vec![0; 128];
    let size = 128 + 4 + 12 + lut.len();
    profile[..4].copy_from_slice(&u32::try_from(size).unwrap().to_be_bytes());
    profile[8..12].copy_from_slice(&[2, 0x40, 0, 0]);
    profile[12..24].copy_from_slice(b"prtrCMYKLab ");
    profile[36..40].copy_from_slice(b"acsp");
    profile[68..80].copy_from_slice(&[0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d]);
    profile.extend([0, 0, 0, 1]);
    profile.extend(b"A2B0\0\0\0\x90");
    profile.extend(u32::try_from(lut.len()).unwrap().to_be_bytes());
    profile.extend(lut);
    profile
}

#[test]
fn inks_become_rgb() {
    let shown = |stored, profile: &[u8]| {
        let fitted = fit::fit_for_mail(jpeg_in_inks(stored, profile)).unwrap();
        let decoded = image::load_from_memory(&fitted.bytes).unwrap();
        let is_rgb = !super::colours::is_in_inks(&fitted.bytes);
        assert!(is_rgb && fitted.ext == "jpg" && !holds(&fitted.bytes, b"acsp"));
        decoded.to_rgb8().get_pixel(4, 4).0
    };
    let near = |got: [u8; 3], want: [u8; 3]| got.iter().zip(want).all(|(a, b)| a.abs_diff(b) < 12);
    // Stored inverted: no ink is 255.
    let cyan = [0, 255, 255, 255];
    for (stored, without, with) in [
        ([255; 4], [255, 255, 255], [255, 255, 255]),
        (cyan, [0, 255, 255], [255, 0, 0]),
        ([255, 255, 255, 0], [0, 0, 0], [0, 0, 0]),
    ] {
        let got = [shown(stored, &[]), shown(stored, &odd_inks())];
        assert!(
            near(got[0], without) && near(got[1], with),
            "{stored:?}: {got:?}"
        );
    }
}

#[test]
fn one_side_of_millions_is_refused_before_it_is_decoded() {
    let claim = |width: u32, height: u32| {
        let mut png = encoded(&drawing(60, 40), ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let sum = crc_32(&png[12..29]);
        png[29..33].copy_from_slice(&sum.to_be_bytes());
        fit::fit_for_mail(png).unwrap_err().code
    };
    for (width, height) in [(40_000_000, 1), (1, 40_000_000), (20_001, 1), (1, 20_001)] {
        assert_eq!(
            claim(width, height),
            "picture-too-large",
            "{width} × {height}"
        );
    }
}
