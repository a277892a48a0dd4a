use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::keys::{Pair, list};
use super::*;

const MAIL: &str = concat!(
    "From: Editor <editor@letters.example>\r\n",
    "To: Ann\r\n  Reader <ann@readers.example>\r\n",
    "Subject: A  first   proof \r\n",
    "X-Other: not signed\r\n",
    "\r\n",
    "Good morning.\r\n",
);

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// A verifier by the letter of RFC 6376, 6.1.3, over public keys as the zone file has them.
fn verifies(mail: &str, zone: &str) -> Vec<bool> {
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let mut all: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        match line.strip_prefix([' ', '\t']) {
            Some(_) => all.last_mut().unwrap().1.push_str(line),
            None => {
                let (name, value) = line.split_once(':').unwrap();
                all.push((name.to_lowercase(), value.to_owned()));
            }
        }
    }
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let signatures: Vec<String> = all
        .iter()
        .filter(|(name, _)| name == "dkim-signature")
        .map(|(_, value)| value.clone())
        .collect();
    signatures
        .iter()
        .map(|value| {
            let tag = |name: &str| {
                let found = value
                    .split(';')
                    .find_map(|tag| tag.trim().strip_prefix(&format!("{name}=")));
                found.unwrap().split_whitespace().collect::<String>()
            };
            let mut left = all.clone();
            let mut signed = String::new();
            for name in tag("h").split(':') {
                if let Some(i) = left.iter().rposition(|(other, _)| other == name) {
                    let (name, value) = left.remove(i);
                    signed.push_str(&format!("{name}:{}\r\n", squeeze(&value)));
                }
            }
            let unsigned = value.rsplit_once(" b=").unwrap().0;
            signed.push_str(&format!("dkim-signature:{} b=", squeeze(unsigned)));
            let record = zone
                .lines()
                .find(|line| line.starts_with(&format!("{}._domainkey", tag("s"))))
                .unwrap();
            let strings: String = record.split('"').skip(1).step_by(2).collect();
            let key = BASE64
                .decode(strings.rsplit_once("p=").unwrap().1.as_bytes())
                .unwrap();
            let signature = BASE64.decode(tag("b").as_bytes()).unwrap();
            let hash_fits = tag("bh") == BASE64.encode(digest(&SHA256, body.as_bytes()).as_ref());
            let fits = match tag("a").as_str() {
                "rsa-sha256" => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
                    .verify(signed.as_bytes(), &signature)
                    .is_ok(),
                "ed25519-sha256" => UnparsedPublicKey::new(&ED25519, key)
                    .verify(digest(&SHA256, signed.as_bytes()).as_ref(), &signature)
                    .is_ok(),
                other => panic!("{other}"),
            };
            hash_fits && fits
        })
        .collect()
}

fn signed(signers: &[Arc<dyn Signer>]) -> String {
    signed_by(signers, &Policy::default())
}

fn signed_by(signers: &[Arc<dyn Signer>], policy: &Policy) -> String {
    let mut mail = MAIL.as_bytes().to_vec();
    mail.splice(0..0, fields(&mail, signers, policy, now()));
    String::from_utf8(mail).unwrap()
}

#[test]
fn what_a_relay_rewrites_is_not_signed_and_the_rest_is() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::create(folder.path(), "letters.example").unwrap();
    let zone = pair.zone();
    let policy = Policy {
        headers_not: vec!["subject".into(), "Message-ID".into(), "From".into()],
        ..Policy::default()
    };
    let mail = signed_by(&pair.signers(), &policy);
    assert_eq!(verifies(&mail, &zone), [true, true]);
    for (what, by, holds) in [
        ("A  first", "Another", true),
        (
            "Subject: A",
            "Message-ID: <x@relay.example>\r\nSubject: A",
            true,
        ),
        ("Editor <", "Other <", false),
        ("Ann\r\n", "Eve\r\n", false),
    ] {
        assert_eq!(
            verifies(&mail.replace(what, by), &zone),
            [holds, holds],
            "{what}"
        );
    }
    for (algorithms, begins) in [
        (&[Algorithm::Rsa][..], "DKIM-Signature: v=1; a=rsa-sha256; "),
        (
            &[Algorithm::Ed25519],
            "DKIM-Signature: v=1; a=ed25519-sha256; ",
        ),
        (&[], "From: "),
    ] {
        let policy = Policy {
            algorithms,
            ..Policy::default()
        };
        let pair = Pair::load(folder.path(), "letters.example", "lp1").unwrap();
        let mail = signed_by(&pair.signers(), &policy);
        assert!(mail.starts_with(begins), "{mail}");
        assert_eq!(mail.matches("DKIM-Signature:").count(), algorithms.len());
    }
}

#[test]
fn both_signatures_hold_and_nothing_can_be_changed_or_added() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::create(folder.path(), "Letters.Example").unwrap();
    let zone = pair.zone();
    let mail = signed(&pair.signers());
    assert!(mail.ends_with(MAIL) && mail.starts_with("DKIM-Signature: v=1; a=rsa-sha256; "));
    assert!(mail.split("\r\n").all(|line| line.len() <= 78), "{mail}");
    assert_eq!(verifies(&mail, &zone), [true, true]);
    assert_eq!(
        verifies(&mail.replace("not signed", "changed"), &zone),
        [true, true]
    );
    for (what, by) in [
        ("Good morning", "Good evening"),
        ("A  first", "A  last"),
        ("Editor <", "Other <"),
    ] {
        assert_eq!(
            verifies(&mail.replace(what, by), &zone),
            [false, false],
            "{what}"
        );
    }
    for extra in [
        "Subject: Other\r\n",
        "List-Unsubscribe: <https://else.example/>\r\n",
        "From: x@else.example\r\n",
    ] {
        assert_eq!(
            verifies(&format!("{extra}{mail}"), &zone),
            [false, false],
            "{extra}"
        );
    }
}

#[test]
fn keys_are_for_nobody_else_and_are_read_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let made = Pair::create(folder.path(), "letters.example").unwrap();
    let again = Pair::load(folder.path(), "letters.example", &made.stem).unwrap();
    assert_eq!(made.zone(), again.zone());
    let path = folder.path().join("letters.example/lp1r.pem");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = Pair::load(folder.path(), "letters.example", "lp1")
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("lp1r.pem") && refused.contains("0600"),
        "{refused}"
    );
    assert_eq!(
        Pair::create(folder.path(), "letters.example").unwrap().stem,
        "lp2"
    );
    let all: Vec<_> = list(folder.path())
        .into_iter()
        .map(|(_, stem)| stem)
        .collect();
    assert_eq!(all, ["lp1", "lp2"]);
}

#[test]
fn records_are_written_as_a_zone_file_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let zone = Pair::create(folder.path(), "例子.广告").unwrap().zone();
    let lines: Vec<&str> = zone.lines().collect();
    assert!(
        lines[0]
            .starts_with("lp1r._domainkey.xn--fsqu00a.xn--4rr70v. IN TXT ( \"v=DKIM1; k=rsa; p=")
    );
    assert!(
        lines[1].starts_with(
            "lp1e._domainkey.xn--fsqu00a.xn--4rr70v. IN TXT ( \"v=DKIM1; k=ed25519; p="
        )
    );
    assert!(
        zone.split('"')
            .skip(1)
            .step_by(2)
            .all(|string| string.len() <= 255)
    );
}

#[test]
fn a_folders_name_is_a_domain() {
    let folder = tempfile::tempdir().unwrap();
    for odd in [
        "",
        "../up.example",
        "a/b.example",
        "localhost",
        ".",
        "..",
        "a..b",
    ] {
        assert!(Pair::create(folder.path(), odd).is_err(), "{odd:?}");
    }
}

#[test]
fn a_field_takes_no_more_than_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::create(folder.path(), "letters.example").unwrap();
    // As many of the signed fields as there can be.
    let head: String = SIGNED.iter().map(|name| format!("{name}: x\r\n")).collect();
    let prepared = Prepared::new(
        format!("{head}\r\nGood morning.\r\n").as_bytes(),
        &Policy::default(),
    );
    for signer in pair.signers() {
        let mut field = Vec::new();
        signer.sign(&prepared, now(), &mut field);
        let most = signer.field_max_bytes();
        assert!(
            (most / 2..=most).contains(&field.len()),
            "{} of {most} bytes",
            field.len()
        );
    }
}
