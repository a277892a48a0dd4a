//! Which certificates are trusted, and what is wrong with one that is not.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{CertificateError, ClientConfig, crypto};

use crate::{files, format};

/// Why TLS can't be set up on this side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsSetupError {
    /// The file of trusted certificates can't be used.
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system's trusted certificates can't be read.
    SystemRoots(String),
    /// The TLS library refuses its configuration.
    Library(String),
}

impl fmt::Display for TlsSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsSetupError::CaFile { path, why } => write!(f, "ca_file {}: {why}", path.display()),
            TlsSetupError::SystemRoots(why) => {
                write!(f, "the system's certificates can't be read: {why}")
            }
            TlsSetupError::Library(why) => f.write_str(why),
        }
    }
}

/// How a server's certificate is checked: against the system's roots and those of `ca_file`.
///
/// # Errors
/// [`TlsSetupError`] names the file, or says that there are no roots at all.
pub fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TlsSetupError> {
    let mut extra = Vec::new();
    if let Some(path) = ca_file {
        extra = certificates(path).map_err(|why| TlsSetupError::CaFile {
            path: path.to_owned(),
            why,
        })?;
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let verifier =
        rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider.clone())
            .map_err(|e| TlsSetupError::SystemRoots(e.to_string()))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| TlsSetupError::Library(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Whether a file of trusted certificates can be used.
///
/// # Errors
/// What is wrong with it: a clause such as “there is no certificate in it”.
pub fn check_certificates(path: &Path) -> Result<(), String> {
    certificates(path).map(drop)
}

/// The certificates of a PEM file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let plain = |error: pem::Error| match error {
        pem::Error::Io(error) => format::io(&error),
        _ => "it is damaged; a PEM file with certificates is wanted".to_owned(),
    };
    let bytes = files::read_of_operator(path, files::CERTIFICATES_MAX_BYTES)
        .map_err(|error| format::io(&error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found.map_err(plain)? {
        none if none.is_empty() => Err("there is no certificate in it".to_owned()),
        some => Ok(some),
    }
}

/// Why a TLS handshake failed.
#[derive(Clone, Debug, PartialEq)]
pub enum TlsFailure {
    /// The server's certificate is not trusted.
    Certificate(CertificateError),
    /// The server does not speak TLS here.
    NotTls,
    /// Anything else, as the TLS library or the system says it.
    Other(String),
}

impl From<&io::Error> for TlsFailure {
    fn from(error: &io::Error) -> TlsFailure {
        match error
            .get_ref()
            .and_then(|e| e.downcast_ref::<rustls::Error>())
        {
            Some(rustls::Error::InvalidCertificate(why)) => TlsFailure::Certificate(why.clone()),
            Some(rustls::Error::InvalidMessage(_)) => TlsFailure::NotTls,
            Some(other) => TlsFailure::Other(other.to_string()),
            None => TlsFailure::Other(format::io(error)),
        }
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsFailure::Certificate(why) => {
                write!(
                    f,
                    "the server's certificate is not trusted: {}",
                    untrusted(why)
                )
            }
            TlsFailure::NotTls => {
                f.write_str("the server does not answer in TLS; look at port and tls of the relay")
            }
            TlsFailure::Other(why) => f.write_str(why),
        }
    }
}

/// What is wrong with a certificate.
fn untrusted(why: &CertificateError) -> String {
    use CertificateError as E;
    match why {
        E::UnknownIssuer => {
            "it is signed by no authority that this machine knows; put an authority of your own in ca_file"
                .to_owned()
        }
        E::NotValidForName => "it is for another name".to_owned(),
        E::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
            let theirs = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
            format!("it is for {theirs}, and host is {}", expected.to_str())
        }
        E::Expired | E::ExpiredContext { .. } => "it has expired".to_owned(),
        E::NotValidYet | E::NotValidYetContext { .. } => {
            "it is not valid yet; look at this machine's clock".to_owned()
        }
        E::Revoked => "its authority has revoked it".to_owned(),
        E::BadEncoding => "it is malformed".to_owned(),
        E::BadSignature => "its signature is wrong".to_owned(),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => "it is not made for a server".to_owned(),
        E::Other(other) => by_name(&other.to_string()),
        other => other.to_string(),
    }
}

/// A name as rustls presents it, such as `DnsName("mail.example.org")`, without what stands around it.
fn bare(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}

/// An error that is only a name, such as `PathLenConstraintViolated`, as words; anything else as it is.
fn by_name(name: &str) -> String {
    if name == "CaUsedAsEndEntity" {
        return "it is marked as an authority's, and can't identify a server; let the authority sign one for \
                the server, and name the authority's in ca_file"
            .to_owned();
    }
    if name.contains(|c: char| !c.is_ascii_alphanumeric()) {
        return name.to_owned();
    }
    let spaced = name
        .chars()
        .flat_map(|c| c.is_ascii_uppercase().then_some(' ').into_iter().chain([c]));
    spaced.collect::<String>().trim_start().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_in_words() {
        let text = |why: CertificateError| {
            TlsFailure::from(&io::Error::new(
                io::ErrorKind::InvalidData,
                rustls::Error::InvalidCertificate(why),
            ))
            .to_string()
        };
        let foreign = CertificateError::NotValidForNameContext {
            expected: "smtp.example.org".try_into().unwrap(),
            presented: vec!["DnsName(\"mail.example.net\")".into()],
        };
        assert!(
            text(foreign).ends_with("it is for mail.example.net, and host is smtp.example.org")
        );
        assert!(text(CertificateError::UnknownIssuer).contains("ca_file"));
        let other = |name: &str| {
            let error = io::Error::other(name.to_owned());
            text(CertificateError::Other(rustls::OtherError(Arc::new(error))))
        };
        assert!(other("CaUsedAsEndEntity").contains("marked as an authority's"));
        assert!(other("PathLenConstraintViolated").ends_with(": path len constraint violated"));
        assert!(other("a sentence, as it is").ends_with(": a sentence, as it is"));
    }

    #[test]
    fn a_file_without_certificates_is_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        assert_eq!(
            certificates(&file).unwrap_err(),
            "no such file or directory"
        );
        std::fs::write(&file, "nothing").unwrap();
        assert_eq!(
            certificates(&file).unwrap_err(),
            "there is no certificate in it"
        );
        std::fs::write(
            &file,
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        assert!(certificates(&file).unwrap_err().contains("damaged"));
    }
}
