//! What bare signatures cost on this machine: the CPU time of one RSA-2048 and one Ed25519 signature, and of
//! SHA-256 over a mail, with the library that Letterpress signs with and nothing around it.
//!
//! Prints one line of JSON with microseconds. Part of `benches/run dkim`.

#![allow(clippy::disallowed_macros, reason = "its output is its result")]

use std::fs;
use std::hint::black_box;
use std::thread;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

/// About as much as the fields and the signature's own field of a mail.
static FIELDS: [u8; 1_500] = [b'x'; 1_500];
static BODY: [u8; 40_000] = [b'x'; 40_000];

/// Microseconds on a CPU for one of each.
struct Costs {
    rsa: f64,
    ed25519: f64,
    sha256: f64,
}

fn main() {
    // On every core at once: two that share their arithmetic sign slower together than one alone.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let costs: Vec<Costs> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(measure)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("measuring does not panic"))
            .collect()
    });
    let mean = |cost: fn(&Costs) -> f64| costs.iter().map(cost).sum::<f64>() / cores as f64;
    println!(
        r#"{{"rsa_us": {:.1}, "ed25519_us": {:.1}, "sha256_us": {:.1}}}"#,
        mean(|c| c.rsa),
        mean(|c| c.ed25519),
        mean(|c| c.sha256)
    );
}

fn measure() -> Costs {
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key can be made");
    let ed25519 = Ed25519KeyPair::generate().expect("an Ed25519 key can be made");
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing here has to be repeatable"
    )]
    let random = SystemRandom::new();
    let mut signature = vec![0; rsa.public_modulus_len()];
    Costs {
        rsa: microseconds(600, || {
            rsa.sign(&RSA_PKCS1_SHA256, &random, &FIELDS, &mut signature)
                .expect("RSA signs");
            black_box(&signature);
        }),
        // RFC 8463 signs the SHA-256 of the fields, so that the hash belongs to the signature.
        ed25519: microseconds(10_000, || {
            black_box(ed25519.sign(digest(&SHA256, black_box(&FIELDS)).as_ref()));
        }),
        sha256: microseconds(10_000, || {
            black_box(digest(&SHA256, black_box(&BODY)));
        }),
    }
}

/// CPU microseconds of one call: the best of five rounds, since others on the machine can only add to it.
fn microseconds(calls: u32, mut call: impl FnMut()) -> f64 {
    (0..5)
        .map(|_| {
            let before = on_cpu();
            for _ in 0..calls {
                call();
            }
            (on_cpu() - before) / 1e3 / f64::from(calls)
        })
        .fold(f64::INFINITY, f64::min)
}

/// The nanoseconds that this thread has been on a CPU.
fn on_cpu() -> f64 {
    let schedstat =
        fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells of its threads");
    schedstat
        .split_whitespace()
        .next()
        .and_then(|n| n.parse().ok())
        .expect("its first word is a number")
}
