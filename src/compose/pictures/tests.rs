use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

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
