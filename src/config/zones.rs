//! What somebody means who writes a time zone as no database has it: an abbreviation, or an offset.

use jiff::tz;

use crate::format::nearest;

/// Abbreviations, each with a place whose clocks show it.
const ABBREVIATIONS: &[(&str, &str)] = &[
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
    ("PT", "America/Los_Angeles"),
    ("MDT", "America/Denver"),
    ("MT", "America/Denver"),
    ("CST", "America/Chicago"),
    ("CDT", "America/Chicago"),
    ("CT", "America/Chicago"),
    ("EDT", "America/New_York"),
    ("ET", "America/New_York"),
    ("AKST", "America/Anchorage"),
    ("AKDT", "America/Anchorage"),
    ("AST", "America/Halifax"),
    ("NST", "America/St_Johns"),
    ("BRT", "America/Sao_Paulo"),
    ("ART", "America/Argentina/Buenos_Aires"),
    ("BST", "Europe/London"),
    ("IST", "Asia/Kolkata"),
    ("WEST", "Europe/Lisbon"),
    ("MEZ", "Europe/Berlin"),
    ("MESZ", "Europe/Berlin"),
    ("CEST", "Europe/Berlin"),
    ("EEST", "Europe/Helsinki"),
    ("MSK", "Europe/Moscow"),
    ("SAST", "Africa/Johannesburg"),
    ("WAT", "Africa/Lagos"),
    ("EAT", "Africa/Nairobi"),
    ("CAT", "Africa/Maputo"),
    ("PKT", "Asia/Karachi"),
    ("WIB", "Asia/Jakarta"),
    ("ICT", "Asia/Bangkok"),
    ("SGT", "Asia/Singapore"),
    ("HKT", "Asia/Hong_Kong"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("AWST", "Australia/Perth"),
    ("ACST", "Australia/Adelaide"),
    ("AEST", "Australia/Sydney"),
    ("AEDT", "Australia/Sydney"),
    ("NZST", "Pacific/Auckland"),
    ("NZDT", "Pacific/Auckland"),
];
/// Offsets that are not whole hours, each with a place.
const BROKEN: &[(&str, &str)] = &[
    ("+3:30", "Asia/Tehran"),
    ("+4:30", "Asia/Kabul"),
    ("+5:30", "Asia/Kolkata"),
    ("+5:45", "Asia/Kathmandu"),
    ("+6:30", "Asia/Yangon"),
    ("+9:30", "Australia/Darwin"),
    ("-3:30", "America/St_Johns"),
];

/// A place for each offset in whole hours, from 11 behind UTC on.
const PLACES: [&str; 24] = [
    "Pacific/Pago_Pago",
    "Pacific/Honolulu",
    "America/Anchorage",
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Halifax",
    "America/Sao_Paulo",
    "America/Noronha",
    "Atlantic/Azores",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Helsinki",
    "Europe/Istanbul",
    "Asia/Dubai",
    "Asia/Karachi",
    "Asia/Dhaka",
    "Asia/Bangkok",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Brisbane",
    "Pacific/Noumea",
    "Pacific/Auckland",
];

/// What to write instead, in whole sentences; `None`: nothing comes close.
pub(super) fn meant(text: &str) -> Option<String> {
    let text = text.trim();
    let upper = text.to_uppercase();
    if let Some((_, place)) = ABBREVIATIONS.iter().find(|(short, _)| *short == upper) {
        return Some(format!(
            "Write the name of a place, such as {place}: its clocks also follow summer time."
        ));
    }
    if let Some(help) = offset(&upper) {
        return Some(help);
    }
    let known: Vec<_> = tz::db().available().collect();
    let mut names = known.iter().map(|name| name.as_str());
    // `Berlin`, `new york`, `europe/berlin`.
    let place = text.replace(' ', "_").to_lowercase();
    let is_place = |name: &&str| {
        let lower = name.to_lowercase();
        lower == place || lower.rsplit('/').next() == Some(&place)
    };
    if let Some(name) = names.clone().find(is_place) {
        return Some(format!("Did you mean {name}?"));
    }
    let near = nearest(text, &mut names)?;
    Some(format!("Did you mean {near}?"))
}

/// What an offset such as `UTC+1`, `GMT-5` or `+05:30` is called.
fn offset(text: &str) -> Option<String> {
    let text = text.strip_prefix("ETC/").unwrap_or(text);
    let rest = ["UTC", "GMT", ""]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))?
        .trim();
    let (sign, digits) = match rest.split_at_checked(1)? {
        ("+", digits) => ('+', digits),
        ("-" | "−", digits) => ('-', digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "00"),
    };
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    if minutes > 0 {
        let offset = format!("{sign}{hours}:{minutes:02}");
        let (_, place) = BROKEN.iter().find(|(other, _)| *other == offset)?;
        return Some(format!("Write the name of a place, such as {place}."));
    }
    if hours == 0 {
        return Some("Write UTC.".into());
    }
    let reversed = if sign == '+' { '-' } else { '+' };
    let name = format!("Etc/GMT{reversed}{hours}");
    tz::TimeZone::get(&name).ok()?;
    let (place, side) = if sign == '+' {
        (11 + usize::from(hours), "ahead of")
    } else {
        (11_usize.checked_sub(usize::from(hours))?, "behind")
    };
    let place = PLACES.get(place)?;
    let hours = if hours == 1 {
        "an hour".to_owned()
    } else {
        format!("{hours} hours")
    };
    Some(format!(
        "Write the name of a place, such as {place}, so that summer time is right where there is any. Always {hours} {side} UTC is {name}: there the sign is the other way round."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_leads_to_a_name() {
        for (text, wanted) in [
            ("PST", "America/Los_Angeles"),
            ("cest", "Europe/Berlin"),
            ("JST", "Asia/Tokyo"),
            ("Berlin", "Did you mean Europe/Berlin?"),
            ("new york", "Did you mean America/New_York?"),
            ("europe/berlin ", "Did you mean Europe/Berlin?"),
            ("Europe/Berln", "Did you mean Europe/Berlin?"),
            ("GMT+1", "an hour ahead of UTC is Etc/GMT-1"),
            ("UTC-05:00", "5 hours behind UTC is Etc/GMT+5"),
            ("UTC-8", "such as America/Los_Angeles,"),
            ("GMT+9", "such as Asia/Tokyo,"),
            ("+0200", "2 hours ahead of UTC is Etc/GMT-2"),
            ("UTC+5:30", "Asia/Kolkata"),
            ("GMT+0", "Write UTC."),
        ] {
            let help = meant(text).unwrap_or_default();
            assert!(help.contains(wanted), "{text}: {help}");
        }
        assert_eq!(meant("UTC+99"), None);
        assert_eq!(meant("somewhere over the rainbow"), None);
    }

    #[test]
    fn every_place_that_is_named_is_a_zone() {
        for (text, place) in ABBREVIATIONS.iter().chain(BROKEN) {
            assert!(tz::TimeZone::get(place).is_ok(), "{text}: {place}");
        }
        for (place, offset) in PLACES.into_iter().zip(-11..) {
            let zone = tz::TimeZone::get(place).unwrap();
            let winter: jiff::civil::DateTime = if place.starts_with("Pacific/Auckland") {
                "2026-07-01T00:00:00".parse().unwrap()
            } else {
                "2026-01-01T00:00:00".parse().unwrap()
            };
            let hours = winter.to_zoned(zone).unwrap().offset().seconds() / 3600;
            assert_eq!(hours, offset, "{place}");
        }
    }
}
