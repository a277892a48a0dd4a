//! How messages write counts, time zones and system errors, and which known word a typo probably meant.
//!
//! English, for the command line, the log and the pages. What mails say in other languages is not here.

pub(crate) mod reason;
mod restored;

/// An I/O error without the system's error number, such as `permission denied`.
pub(crate) fn io(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().collect::<String>() + chars.as_str()
    })
}

/// A count with its thousands separated, such as `8,412`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// The candidate closest to a mistyped word; `None` where none is close enough to be worth suggesting.
pub(crate) fn nearest<'c>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(typed, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(2))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What to add to the name of something that is put aside at a time, such as `20261130T070000Z`; then, where that name is
/// taken, the same with `-2`, `-3` and so on.
pub(crate) fn unused_times(now: jiff::Timestamp) -> impl Iterator<Item = String> {
    let at = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let again = at.clone();
    std::iter::once(at).chain((2..=u32::MAX).map(move |n| format!("{again}-{n}")))
}

/// A number of people, such as `1 person` or `8,412 people`.
pub(crate) fn people(n: u64) -> String {
    if n == 1 {
        "1 person".into()
    } else {
        format!("{} people", count(n))
    }
}

/// A time zone by its city, such as `Tokyo`; one without a name by its offset, such as `UTC+05:30`.
pub(crate) fn zone(at: &jiff::Zoned) -> String {
    match at
        .time_zone()
        .iana_name()
        .and_then(|name| name.rsplit('/').next())
    {
        Some(city) => city.replace('_', " "),
        None => at.strftime("UTC%:z").to_string(),
    }
}

/// Clauses such as `no ending; check it` as sentences: `No ending. Check it.`
pub(crate) fn sentence(reason: &str) -> String {
    let mut out = String::new();
    for part in reason.trim_end_matches('.').split("; ") {
        let mut letters = part.chars();
        out.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(letters.as_str());
        out.push_str(". ");
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_typo_suggests_the_closest_word_and_nonsense_none() {
        let keys = ["batch_size", "first_retry", "port"];
        assert_eq!(super::nearest("batch_sise", keys), Some("batch_size"));
        assert_eq!(super::nearest("prot", keys), Some("port"));
        assert_eq!(super::nearest("colour_of_the_sky", keys), None);
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(super::count(0), "0");
        assert_eq!(super::count(999), "999");
        assert_eq!(super::count(8412), "8,412");
        assert_eq!(super::count(1_000_000), "1,000,000");
    }

    #[test]
    fn zones_are_named_by_their_city() {
        let zone = |text: &str| super::zone(&text.parse().unwrap());
        assert_eq!(zone("2021-08-01T08:00[Asia/Tokyo]"), "Tokyo");
        assert_eq!(
            zone("2021-08-01T08:00[America/Argentina/Buenos_Aires]"),
            "Buenos Aires"
        );
        assert_eq!(zone("2021-08-01T08:00[UTC]"), "UTC");
        assert_eq!(zone("2021-08-01T08:00+05:30[+05:30]"), "UTC+05:30");
    }

    #[test]
    fn reasons_become_sentences() {
        assert_eq!(
            super::sentence(
                "this address has no ending such as .com; please check the part after @"
            ),
            "This address has no ending such as .com. Please check the part after @."
        );
        assert_eq!(
            super::sentence("“x” is no domain name"),
            "“x” is no domain name."
        );
    }
}
