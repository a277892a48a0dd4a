//! Pairs of DKIM keys as files: created with mode 0600, loaded, and shown as records of a zone file.
//!
//! A pair is named by its stem: `lp1` is `lp1r.pem` (RSA) and `lp1e.pem` (Ed25519), each PKCS#8 in PEM form, in a
//! folder of the domain's name below `dkim/`.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use data_encoding::BASE64;
use jiff::Timestamp;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;

use super::{DkimSigner, Key, Signer};
use crate::format;

/// What to do about a damaged key.
const RESTORE: &str = "replace it by a complete copy";
/// Where keys are kept that were removed, below the folder of all. It is no domain's name.
const REMOVED: &str = ".removed";
/// The longest string of a TXT record, in bytes (RFC 1035, 3.3.14).
const STRING_MAX: usize = 255;

/// Why keys can't be created or loaded.
#[derive(Debug)]
pub struct KeyError {
    /// What is wrong.
    pub what: String,
    /// The file or folder that it is about, if any.
    pub path: Option<PathBuf>,
    /// What to do about it: a clause such as `set its mode to 0600`.
    pub help: &'static str,
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "DKIM key {}: ", path.display())?;
        }
        write!(f, "{}; {}", self.what, self.help)
    }
}

impl std::error::Error for KeyError {}

/// A pair of keys of one domain.
pub struct Pair {
    /// The domain whose mails they sign.
    pub domain: String,
    /// What its two selectors begin with: `lp1` for `lp1r` and `lp1e`.
    pub stem: String,
    rsa: RsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl Pair {
    /// Creates a pair below `folder`, with the next free stem of its domain. Nothing is overwritten.
    ///
    /// # Errors
    /// [`KeyError`] if the folder can't be written, or the domain is not a domain name.
    pub fn create(folder: &Path, domain: &str) -> Result<Pair, KeyError> {
        let domain = checked(domain)?;
        let home = folder.join(&domain);
        let failed = |path: &Path, e: std::io::Error| KeyError {
            what: format::io(&e),
            path: Some(path.to_owned()),
            help: "check the folder and its permissions",
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&home)
            .map_err(|e| failed(&home, e))?;
        let taken = stems(&home)
            .into_iter()
            .filter_map(|stem| stem.strip_prefix("lp")?.parse::<u32>().ok());
        let stem = format!("lp{}", taken.max().unwrap_or(0) + 1);
        let unlucky = |_| KeyError {
            what: "no key could be created".into(),
            path: None,
            help: "try again",
        };
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).map_err(unlucky)?;
        let ed25519 = Ed25519KeyPair::generate().map_err(unlucky)?;
        let rsa_der: Pkcs8V1Der<'_> = rsa.as_der().map_err(unlucky)?;
        let ed_der = ed25519.to_pkcs8v1().map_err(unlucky)?;
        for (letter, der) in [('r', rsa_der.as_ref()), ('e', ed_der.as_ref())] {
            let path = home.join(format!("{stem}{letter}.pem"));
            write_private(&path, &pem(der)).map_err(|e| failed(&path, e))?;
        }
        Ok(Pair {
            domain,
            stem,
            rsa,
            ed25519,
        })
    }

    /// Loads a pair.
    ///
    /// # Errors
    /// [`KeyError`] if a file is missing, is not a key, or can be read by other users.
    pub fn load(folder: &Path, domain: &str, stem: &str) -> Result<Pair, KeyError> {
        let domain = checked(domain)?;
        let home = folder.join(&domain);
        let read = |letter: char| -> Result<(PathBuf, PrivatePkcs8KeyDer<'static>), KeyError> {
            let path = home.join(format!("{stem}{letter}.pem"));
            let error = |what: String, help| KeyError {
                what,
                path: Some(path.clone()),
                help,
            };
            let facts = fs::metadata(&path).map_err(|e| {
                error(
                    format::io(&e),
                    "put it back, or choose another pair with `dkim use`",
                )
            })?;
            if facts.permissions().mode() & 0o077 != 0 {
                return Err(error(
                    "other users can read it".into(),
                    "set its mode to 0600",
                ));
            }
            let der = PrivatePkcs8KeyDer::from_pem_file(&path)
                .map_err(|_| error("it is not a PKCS#8 key in PEM form".into(), RESTORE))?;
            Ok((path, der))
        };
        let ((rsa_path, rsa_der), (ed_path, ed_der)) = (read('r')?, read('e')?);
        let odd = |path: &Path, kind| KeyError {
            what: format!("it is not an {kind} key"),
            path: Some(path.to_owned()),
            help: RESTORE,
        };
        Ok(Pair {
            rsa: RsaKeyPair::from_pkcs8(rsa_der.secret_pkcs8_der())
                .map_err(|_| odd(&rsa_path, "RSA"))?,
            ed25519: Ed25519KeyPair::from_pkcs8_maybe_unchecked(ed_der.secret_pkcs8_der())
                .map_err(|_| odd(&ed_path, "Ed25519"))?,
            domain,
            stem: stem.to_owned(),
        })
    }

    /// The records that DNS needs, as lines of a zone file.
    pub fn zone(&self) -> String {
        let rsa: Vec<u8> = AsDer::<PublicKeyX509Der<'_>>::as_der(self.rsa.public_key())
            .map(|der| der.as_ref().to_vec())
            .unwrap_or_default();
        let records = [
            ("r", format!("v=DKIM1; k=rsa; p={}", BASE64.encode(&rsa))),
            (
                "e",
                format!(
                    "v=DKIM1; k=ed25519; p={}",
                    BASE64.encode(self.ed25519.public_key().as_ref())
                ),
            ),
        ];
        let mut out = String::new();
        for (letter, record) in records {
            let strings: Vec<String> = record
                .as_bytes()
                .chunks(STRING_MAX)
                .map(|part| format!("\"{}\"", String::from_utf8_lossy(part)))
                .collect();
            let (stem, domain) = (&self.stem, &self.domain);
            out.push_str(&format!(
                "{stem}{letter}._domainkey.{domain}. IN TXT ( {} )\n",
                strings.join(" ")
            ));
        }
        out
    }

    /// The signers of its two keys.
    pub fn signers(self) -> Vec<Arc<dyn Signer>> {
        let signer = |letter: char, key: Key| -> Arc<dyn Signer> {
            Arc::new(DkimSigner {
                domain: self.domain.clone(),
                selector: format!("{}{letter}", self.stem),
                key,
            })
        };
        let rsa = Key::Rsa(Box::new(self.rsa));
        let ed25519 = Key::Ed25519(Box::new(self.ed25519));
        vec![signer('r', rsa), signer('e', ed25519)]
    }
}

/// The stems of the pairs of each domain below `folder`, oldest first.
pub fn list(folder: &Path) -> Vec<(String, String)> {
    let Ok(homes) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut all: Vec<(String, String)> = homes
        .flatten()
        .filter_map(|home| Some((home.file_name().into_string().ok()?, home.path())))
        .flat_map(|(domain, path)| {
            stems(&path)
                .into_iter()
                .map(move |stem| (domain.clone(), stem))
        })
        .collect();
    all.sort_by_key(|(domain, stem)| (domain.clone(), stem.len(), stem.clone()));
    all
}

/// A domain as the folder of its keys is called: A-labels in lower case.
///
/// # Errors
/// [`KeyError`] if it is not a domain name.
pub fn domain_name(domain: &str) -> Result<String, KeyError> {
    checked(domain)
}

/// Moves the keys of a domain to a folder from which nothing is signed, and gives that; `None`: there were none.
///
/// # Errors
/// [`KeyError`] if the folder can't be written.
pub fn set_aside(folder: &Path, domain: &str, now: Timestamp) -> Result<Option<PathBuf>, KeyError> {
    let home = folder.join(checked(domain)?);
    if !home.exists() {
        return Ok(None);
    }
    let removed = folder.join(REMOVED);
    let failed = |e: std::io::Error| KeyError {
        what: format::io(&e),
        path: Some(home.clone()),
        help: "check the folder and its permissions",
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&removed)
        .map_err(failed)?;
    for at in format::unused_times(now) {
        let to = removed.join(format!("{domain}-{at}"));
        if !to.exists() {
            fs::rename(&home, &to).map_err(failed)?;
            return Ok(Some(to));
        }
    }
    Ok(None)
}

/// The stems of which a folder holds both keys.
fn stems(home: &Path) -> Vec<String> {
    let Ok(files) = fs::read_dir(home) else {
        return Vec::new();
    };
    let names: Vec<String> = files
        .flatten()
        .filter_map(|file| file.file_name().into_string().ok())
        .collect();
    names
        .iter()
        .filter_map(|name| name.strip_suffix("r.pem"))
        .filter(|stem| {
            names
                .iter()
                .any(|name| name.strip_suffix("e.pem") == Some(stem))
        })
        .map(str::to_owned)
        .collect()
}

/// A domain as A-labels in lower case: only such a name becomes a folder's.
fn checked(domain: &str) -> Result<String, KeyError> {
    match idna::domain_to_ascii_strict(domain.trim_end_matches('.')) {
        Ok(ascii) if ascii.contains('.') && !ascii.contains("..") => Ok(ascii),
        _ => Err(KeyError {
            what: format!("“{domain}” is not a domain name"),
            path: None,
            help: "use a name such as example.org",
        }),
    }
}

fn pem(der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap_or_default())
        .collect();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    )
}

/// Creates a file that only its owner can read.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
