//! Takes out of a JPEG, PNG or GIF what is not the picture, and leaves its pixels as they are: Exif with the place
//! it was taken, thumbnails, XMP, comments, texts, profiles, and whatever follows the picture's end.
//!
//! What is kept is listed, and everything else goes, so that a kind of block not known here is left out. Colours
//! are left to `colours`, which converts a picture before its profile is taken out.

/// A JPEG (ISO/IEC 10918-1) without its application segments and comments, but for JFIF's density and Adobe's
/// colour transform, which are part of how the pixels are shown. `None` where its segments can't be followed.
pub(super) fn strip_jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0xff, 0xd8];
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    let mut has_scan = false;
    loop {
        if rest.is_empty() && has_scan {
            // The end is missing, which every decoder forgives.
            out.extend([0xff, 0xd9]);
            return Some(out);
        }
        let (marker, tail) = jpeg_marker(rest)?;
        rest = tail;
        match marker {
            0xd9 => {
                out.extend([0xff, 0xd9]);
                return has_scan.then_some(out);
            }
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let segment = jpeg_segment(rest)?;
        rest = &rest[segment.len()..];
        match marker {
            0xe0..=0xef => out.extend(kept_application(marker, segment)),
            0xfe => {}
            _ => {
                out.extend([0xff, marker]);
                out.extend(segment);
            }
        }
        if marker == 0xda {
            has_scan = true;
            let data = &rest[..scan_bytes(rest)];
            out.extend(data);
            rest = &rest[data.len()..];
        }
    }
}

/// Whether a JPEG has Adobe's segment: its inks are then stored inverted.
pub(super) fn is_of_adobe(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let Some((marker, tail)) = jpeg_marker(rest) {
        let Some(segment) = jpeg_segment(tail).filter(|_| marker != 0xda) else {
            return false;
        };
        if marker == 0xee && segment[2..].starts_with(b"Adobe") {
            return true;
        }
        rest = &tail[segment.len()..];
    }
    false
}

/// The marker that comes next, and what follows it; fill bytes before it are skipped.
fn jpeg_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let filled = bytes.iter().take_while(|byte| **byte == 0xff).count();
    let marker = *bytes.get(filled).filter(|_| filled > 0)?;
    (marker != 0).then(|| (marker, &bytes[filled + 1..]))
}

/// A segment behind its marker, the two bytes of its length included.
fn jpeg_segment(bytes: &[u8]) -> Option<&[u8]> {
    let length = u16::from_be_bytes(*bytes.first_chunk()?);
    bytes.get(..usize::from(length)).filter(|_| length >= 2)
}

/// How many bytes the data of a scan has: up to the next marker that is no restart.
fn scan_bytes(bytes: &[u8]) -> usize {
    let is_end = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    bytes.windows(2).position(is_end).unwrap_or(bytes.len())
}

/// What is kept of an application segment: the fields that decoders need, and no thumbnail.
fn kept_application(marker: u8, segment: &[u8]) -> Vec<u8> {
    match (marker, segment.get(2..14)) {
        (0xe0, Some(fields)) if fields.starts_with(b"JFIF\0") => {
            [&[0xff, 0xe0, 0, 16], fields, &[0, 0]].concat()
        }
        (0xee, Some(fields)) if fields.starts_with(b"Adobe") => {
            [&[0xff, 0xee, 0, 14], fields].concat()
        }
        _ => Vec::new(),
    }
}

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A PNG chunk (W3C PNG, third edition).
struct Chunk<'b> {
    kind: [u8; 4],
    /// With length, kind and checksum.
    whole: &'b [u8],
}

/// The chunks of a PNG up to its end; `None` where they can't be followed as far as that.
fn png_chunks(bytes: &[u8]) -> Option<Vec<Chunk<'_>>> {
    let mut rest = bytes.strip_prefix(PNG_SIGNATURE)?;
    let mut chunks = Vec::new();
    loop {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        let whole = rest.get(..length.checked_add(12)?)?;
        let kind = *whole[4..].first_chunk()?;
        rest = &rest[whole.len()..];
        // An end that holds something is not copied.
        if &kind == b"IEND" {
            return (length == 0).then(|| {
                chunks.push(Chunk { kind, whole });
                chunks
            });
        }
        chunks.push(Chunk { kind, whole });
    }
}

/// Whether a chunk says what colours the numbers mean, and nothing else. An embedded profile is not among them.
fn is_colour(chunk: &Chunk) -> bool {
    matches!(
        (&chunk.kind, chunk.whole.len() - 12),
        (b"gAMA", 4) | (b"cHRM", 32) | (b"sRGB", 1) | (b"cICP", 4)
    )
}

/// A PNG with the chunks that make its pixels, their colours and their movement. Colour chunks go where a profile
/// stands above them: the picture is known to look the same without it.
pub(super) fn strip_png(bytes: &[u8]) -> Option<Vec<u8>> {
    let chunks = png_chunks(bytes)?;
    let has_profile = chunks.iter().any(|chunk| &chunk.kind == b"iCCP");
    let mut out = PNG_SIGNATURE.to_vec();
    for chunk in &chunks {
        let is_picture = match &chunk.kind {
            b"IHDR" | b"PLTE" | b"IDAT" | b"IEND" | b"tRNS" | b"acTL" | b"fcTL" | b"fdAT" => true,
            b"pHYs" => chunk.whole.len() == 12 + 9,
            _ => is_colour(chunk) && !has_profile,
        };
        if is_picture {
            out.extend(chunk.whole);
        }
    }
    Some(out)
}

/// A PNG that was written from another one's pixels, with the colour chunks of that other. `None` where either can't
/// be followed.
pub(super) fn with_colours_of(written: &[u8], original: &[u8]) -> Option<Vec<u8>> {
    let mut out = PNG_SIGNATURE.to_vec();
    for (at, chunk) in png_chunks(written)?.iter().enumerate() {
        out.extend(chunk.whole);
        if at == 0 {
            let colours = png_chunks(original)?.into_iter().filter(is_colour);
            out.extend(colours.flat_map(|colour| colour.whole));
        }
    }
    Some(out)
}

/// A GIF (version 89a) with its images, their timing and its loop. What is cut off in the middle ends behind its
/// last whole image; `None` where there is none.
pub(super) fn strip_gif(bytes: &[u8]) -> Option<Vec<u8>> {
    let flags = *bytes.get(10)?;
    let head = 13 + colour_table_bytes(flags);
    let mut out = bytes.get(..head)?.to_vec();
    let mut rest = &bytes[head..];
    // Up to the end of the last whole image.
    let mut sound = None;
    while let Some(block) = gif_block(rest) {
        rest = &rest[block.len()..];
        match block {
            [0x2c, ..] => {
                out.extend(block);
                sound = Some(out.len());
            }
            [0x21, 0xf9, 4, ..] if block.len() == 8 => out.extend(block),
            [0x21, 0xff, 11, name @ ..]
                if name.starts_with(b"NETSCAPE2.0") || name.starts_with(b"ANIMEXTS1.0") =>
            {
                // Of its fields, the one that tells how often the images are repeated.
                if let Some([3, 1, low, high, ..]) = name.get(11..) {
                    out.extend(b"\x21\xff\x0bNETSCAPE2.0");
                    out.extend([3, 1, *low, *high, 0]);
                }
            }
            _ => {}
        }
    }
    out.truncate(sound?);
    out.push(0x3b);
    Some(out)
}

/// What is known of a GIF without decoding it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GifFacts {
    /// The number of its images; more than one: it moves.
    pub images: u64,
    /// How often they are repeated, 0 for ever; `None`: not at all.
    pub repeats: Option<u16>,
}

/// Counts the images of a GIF without metadata, up to where it ends or is damaged.
pub(super) fn gif_facts(bytes: &[u8]) -> GifFacts {
    let mut facts = GifFacts::default();
    let head = bytes
        .get(10)
        .map_or(13, |flags| 13 + colour_table_bytes(*flags));
    let mut rest = bytes.get(head..).unwrap_or_default();
    while let Some(block) = gif_block(rest) {
        rest = &rest[block.len()..];
        match block {
            [0x2c, ..] => facts.images += 1,
            [0x21, 0xff, 11, name @ ..] if name.starts_with(b"NETSCAPE2.0") => {
                if let Some([3, 1, low, high, ..]) = name.get(11..) {
                    facts.repeats = Some(u16::from_le_bytes([*low, *high]));
                }
            }
            _ => {}
        }
    }
    facts
}

/// The block that comes next, with its introducer; `None` at the end and where it is cut off.
fn gif_block(bytes: &[u8]) -> Option<&[u8]> {
    let data = match bytes.first()? {
        // The code size stands between the colours and the data.
        0x2c => 10 + colour_table_bytes(*bytes.get(9)?) + 1,
        0x21 => 2,
        _ => return None,
    };
    let mut end = data;
    loop {
        let length = usize::from(*bytes.get(end)?);
        end += 1 + length;
        if length == 0 {
            return bytes.get(..end);
        }
    }
}

/// How many bytes the table of colours has that a byte of flags announces.
fn colour_table_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 * (2 << (flags & 7))
    }
}
