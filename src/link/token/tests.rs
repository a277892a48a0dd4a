use proptest::prelude::*;

use super::*;

fn ring(ids: &[i64]) -> KeyRing {
    KeyRing::new(ids.iter().map(|id| (*id, vec![*id as u8; 32])).collect()).unwrap()
}

fn claim(purpose: Purpose, list: i64, subscriber: i64) -> Claim {
    Claim {
        purpose,
        list: ListId(list),
        subscriber: SubscriberId(subscriber),
    }
}

const LINK_LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BOUNCE_LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";

#[test]
fn a_ring_wants_keys_that_are_long_enough() {
    assert_eq!(KeyRing::new(vec![]).unwrap_err(), BadKeys::None);
    assert_eq!(
        KeyRing::new(vec![(3, vec![1; 31])]).unwrap_err(),
        BadKeys::Short { id: 3, bytes: 31 }
    );
    assert_eq!(
        KeyRing::new(vec![(-1, vec![1; 32])]).unwrap_err(),
        BadKeys::Number(-1)
    );
}

#[test]
fn the_format_stays_what_it_is() {
    // Links in mails of years ago: if this fails, a new version number is needed beside the old reader.
    let ring = KeyRing::new(vec![(1, (0..32).collect())]).unwrap();
    let token = ring.mint(&claim(Purpose::Unsubscribe, 1, 300));
    assert_eq!(token, "AQECAawCliJLSGlAnE3gxrscFjoNvQ");
    assert_eq!(
        ring.mint_bounce(IssueId(22), SubscriberId(300)),
        "aearnlacupqwuu5vz6fdejwt"
    );
}

#[test]
fn no_token_ends_in_what_mail_programs_take_for_punctuation() {
    let ring = ring(&[1]);
    let mut lengthened = 0;
    for subscriber in 0..300 {
        let who = claim(Purpose::Confirm, 1, subscriber);
        let token = ring.mint(&who);
        assert!(token.ends_with(|c: char| c.is_ascii_alphanumeric()));
        assert_eq!(ring.verify(&token), Ok(who));
        // As earlier versions wrote it.
        if let Some(earlier) = token.strip_suffix("-0").or(token.strip_suffix("_0")) {
            let earlier = &token[..=earlier.len()];
            assert_eq!(ring.verify(earlier), Ok(who));
            lengthened += 1;
        }
    }
    assert!(lengthened > 0);
}

#[test]
fn the_newest_key_signs_and_old_ones_verify() {
    let who = claim(Purpose::Confirm, 1, 2);
    let (old, both, new) = (ring(&[4]), ring(&[9, 4]), ring(&[9]));
    assert_eq!(both.verify(&old.mint(&who)), Ok(who));
    assert_eq!(new.verify(&both.mint(&who)), Ok(who));
    assert_eq!(old.verify(&both.mint(&who)), Err(BadToken));
    assert!(both.same_keys(&ring(&[4, 9])) && !both.same_keys(&old));
}

#[test]
fn the_two_kinds_are_no_use_for_one_another() {
    let ring = ring(&[1]);
    let link = BASE64URL_NOPAD
        .decode(ring.mint(&claim(Purpose::Unsubscribe, 1, 2)).as_bytes())
        .unwrap();
    assert_eq!(
        ring.verify_bounce(&BASE32_NOPAD.encode(&link)),
        Err(BadToken)
    );
    let bounce = BASE32_NOPAD_NOCASE
        .decode(ring.mint_bounce(IssueId(1), SubscriberId(2)).as_bytes())
        .unwrap();
    assert_eq!(ring.verify(&BASE64URL_NOPAD.encode(&bounce)), Err(BadToken));
}

#[test]
fn strange_texts_are_refused() {
    let ring = ring(&[1]);
    let good = ring.mint(&claim(Purpose::Unsubscribe, 1, 2));
    for bad in [
        "",
        "x",
        "AQ",
        &format!("{good}="),
        &format!("{good} "),
        &format!("{good}A"),
        &good[1..],
        &good[..good.len() - 6],
    ] {
        assert_eq!(ring.verify(bad), Err(BadToken), "{bad:?}");
    }
    assert_eq!(ring.verify(&"A".repeat(100_000)), Err(BadToken));
    assert_eq!(ring.verify(&"_".repeat(40)), Err(BadToken));
}

#[test]
fn an_envelope_sender_has_room() {
    let big = KeyRing::new(vec![(i64::from(u16::MAX), vec![7; 32])]).unwrap();
    let token = big.mint_bounce(IssueId(1 << 27), SubscriberId((1 << 35) - 1));
    assert!(
        token.len() <= BOUNCE_MAX_CHARS,
        "{} characters",
        token.len()
    );
}

fn claims() -> impl Strategy<Value = Claim> {
    (
        prop::sample::select(&Purpose::ALL[..]),
        0..i64::MAX,
        prop_oneof![0..300i64, 0..i64::MAX],
    )
        .prop_map(|(purpose, list, subscriber)| claim(purpose, list % 500, subscriber))
}

proptest! {
    #[test]
    fn what_was_minted_is_read_back(who in claims(), issue in 0..i64::MAX) {
        let ring = ring(&[3, 7]);
        prop_assert_eq!(ring.verify(&ring.mint(&who)), Ok(who));
        let bounce = ring.mint_bounce(IssueId(issue), who.subscriber);
        prop_assert_eq!(ring.verify_bounce(&bounce), Ok((IssueId(issue), who.subscriber)));
        prop_assert_eq!(ring.verify_bounce(&bounce.to_uppercase()), Ok((IssueId(issue), who.subscriber)));
        prop_assert!(bounce.bytes().all(|b| BOUNCE_LETTERS.contains(&b)));
    }

    /// Any other character anywhere, the last one's spare bits included.
    #[test]
    fn any_changed_character_is_refused(who in claims(), at in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let ring = ring(&[1]);
        for (token, letters, link) in [
            (ring.mint(&who), LINK_LETTERS, true),
            (ring.mint_bounce(IssueId(5), who.subscriber), BOUNCE_LETTERS, false),
        ] {
            let mut bytes = token.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = letters[to.index(letters.len())];
            let changed = String::from_utf8(bytes).unwrap();
            prop_assume!(changed != token);
            if link {
                prop_assert_eq!(ring.verify(&changed), Err(BadToken));
            } else {
                prop_assert_eq!(ring.verify_bounce(&changed), Err(BadToken));
            }
        }
    }

    /// The beginning of one and the end of another, cut anywhere.
    #[test]
    fn any_mix_of_two_tokens_is_refused(one in claims(), two in claims(), cut in any::<prop::sample::Index>(), cut2 in any::<prop::sample::Index>()) {
        let ring = ring(&[1]);
        let (a, b) = (ring.mint(&one), ring.mint(&two));
        let mixed = format!("{}{}", &a[..cut.index(a.len() + 1)], &b[cut2.index(b.len() + 1)..]);
        prop_assume!(mixed != a && mixed != b);
        prop_assert_eq!(ring.verify(&mixed), Err(BadToken));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,120}", letters in "[A-Za-z0-9_-]{0,60}") {
        let ring = ring(&[1]);
        prop_assert!(ring.verify(&text).is_err() && ring.verify_bounce(&text).is_err());
        prop_assert!(ring.verify(&letters).is_err() && ring.verify_bounce(&letters).is_err());
    }
}
