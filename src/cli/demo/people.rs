//! The demo's subscribers: twelve with names from many places, and any number more.

use std::fmt::Write as _;

/// The first twelve. One address needs SMTPUTF8, one domain is written in Chinese, one person has no name.
const TWELVE: [(&str, &str); 12] = [
    ("mei@readers.example", "Mei Tanaka"),
    ("anders@lesesaal.example", "Anders Åkesson"),
    ("用户@例子.广告", "王小明"),
    ("fatima.zahra@qurra.example", "فاطمة الزهراء"),
    ("joão@leitores.example", "João Figueiredo"),
    ("editor+letters@proof.example", "\"Slim\" O'Neill, Jr."),
    ("ngozi@readers.example", "Ngozi Okafor"),
    ("no-name@readers.example", ""),
    ("dmitri@chitateli.example", "Дмитрий Орлов"),
    (
        "a-rather-long-local-part-that-still-fits@a-rather-long-domain.example",
        "Wolfeschlegelsteinhausenbergerdorff",
    ),
    ("priya@pathak.example", "प्रिया शर्मा"),
    ("lou@readers.example", "Lou"),
];

/// A CSV of so many people.
pub(super) fn csv(count: u32) -> String {
    let mut out = String::from("email,name\n");
    for (email, name) in TWELVE.iter().take(count as usize) {
        let _ = writeln!(out, "{email},{}", quoted(name));
    }
    for n in TWELVE.len() as u32..count {
        let _ = writeln!(out, "reader{n}@readers.example,Reader {n}");
    }
    out
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Address;

    #[test]
    fn there_are_as_many_as_were_asked_for_and_all_can_be_mailed() {
        for count in [0, 3, 12, 40] {
            let text = super::csv(count);
            let mut rows = csv::Reader::from_reader(text.as_bytes());
            let emails: Vec<String> = rows
                .records()
                .map(|row| row.unwrap()[0].to_owned())
                .collect();
            assert_eq!(emails.len(), count as usize);
            assert!(
                emails.iter().all(|email| Address::parse(email).is_ok()),
                "{emails:?}"
            );
        }
        assert!(
            super::csv(12).contains("用户@")
                && Address::parse("用户@例子.广告").unwrap().needs_smtputf8()
        );
    }
}
