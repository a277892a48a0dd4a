//! Tells links whose query is signed: one more parameter, and their server refuses them.
//!
//! Storage services and web frameworks sign a link's whole query (S3, Google Cloud Storage, Azure's shared access
//! signatures, CloudFront, Akamai, Laravel, …). What it leaves to others: what is done with such a link.

use percent_encoding::percent_decode_str;

/// Parameters that hold nothing but a signature, whatever their value looks like.
///
/// Sources: AWS Signature Version 4 and 2 query authentication, Google Cloud Storage V4 and V2 signed URLs, Azure
/// service and user delegation SAS, CloudFront signed URLs, Alibaba OSS, Tencent COS, Akamai edge authorization,
/// Laravel's signed routes, Shopify's and Zoom's `hmac`.
const SIGNATURES: &[&str] = &[
    "signature",
    "_signature",
    "x-signature",
    "url-signature",
    "url_signature",
    "sig",
    "hmac",
    "x-amz-signature",
    "x-amz-security-token",
    "x-goog-signature",
    "x-oss-signature",
    "x-cos-signature",
    "x-tos-signature",
    "x-ms-signature",
    "q-signature",
    "key-pair-id",
    "hdnts",
    "hdnea",
    "hdntl",
    "__gda__",
];

/// Parameters that often hold a signature, and as often a word: their value decides.
const PERHAPS: &[&str] = &[
    "token",
    "_token",
    "__token__",
    "access_token",
    "auth_token",
    "auth",
    "secret_token",
    "secret",
    "jwt",
    "id_token",
    "sign",
    "signed",
    "signed_id",
    "sgn",
    "s",
    "h",
    "hash",
    "mac",
    "md5",
    "sha",
    "sha1",
    "sha256",
    "digest",
    "checksum",
    "verify",
    "verification",
    "policy",
    "ticket",
    "st",
    "key",
    "k",
];

/// The shortest value that can be a signature of its own: a truncated HMAC in base64 or hexadecimal.
const MIN_SIGNATURE_CHARS: usize = 16;

/// Whether a link's query carries a signature over the rest of it, so that nothing may be added.
///
/// Names count without case and with percent-encoding undone; what follows `#` never reaches a server and is not
/// looked at.
pub(crate) fn is_signed(url: &str) -> bool {
    let (rest, _) = url.split_at(url.find('#').unwrap_or(url.len()));
    let Some((_, query)) = rest.split_once('?') else {
        return false;
    };
    query.split(['&', ';']).any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = percent_decode_str(name)
            .decode_utf8_lossy()
            .to_ascii_lowercase();
        let name = name.strip_prefix("amp;").unwrap_or(&name);
        let value = percent_decode_str(value).decode_utf8_lossy();
        !value.is_empty()
            && (SIGNATURES.contains(&name)
                || PERHAPS.contains(&name) && looks_random(&value)
                || value.contains("hmac="))
    })
}

/// Whether a value is long and mixed enough to be a signature, and no word, address or number.
fn looks_random(value: &str) -> bool {
    let long = value.chars().count() >= MIN_SIGNATURE_CHARS;
    let alphabet = value
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.~+/=:|".contains(&b));
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let path = value.starts_with('/') || value.contains("://");
    long && alphabet && !path && digits >= 2 && letters >= 2
}

#[cfg(test)]
mod tests {
    use super::is_signed;

    #[test]
    fn signed_links_of_services_and_frameworks_are_known() {
        for url in [
            "https://b.s3.amazonaws.com/r.pdf?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=60&X-Amz-Signature=0f0e",
            "https://b.s3.amazonaws.com/r.pdf?AWSAccessKeyId=AKID&Expires=1767225600&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D",
            "https://storage.googleapis.com/b/o.zip?x-goog-expires=900&x-goog-signature=abcdef",
            "https://a.blob.core.windows.net/c/f.pdf?sv=2024-01-01&sp=r&sig=abc%3D",
            "https://d111.cloudfront.net/v.mp4?Policy=eyJ&Signature=abc~def&Key-Pair-Id=K1",
            "https://app.example/invite?user=7&signature=deadbeef#top",
            "https://app.example/verify?token=eyJhbGciOiJIUzI1NiJ9.eyJ1Ijo3fQ.c2lnbmF0dXJl",
            "https://cdn.example/v.m3u8?hdnts=exp=1767225600~acl=/*~hmac=0a1b2c",
            "https://shop.example/apps?shop=a&hmac=1f2e",
            "https://cdn.example/a.pdf?e=1767225600&h=9f86d081884c7d659a2feaa0c55ad015",
            "https://old.example/f?a=1;%73ignature=deadbeef",
            "https://x.example/f?a=1&amp;sig=deadbeef",
        ] {
            assert!(is_signed(url), "{url}");
        }
    }

    #[test]
    fn links_with_words_and_numbers_are_not_signed() {
        for url in [
            "https://x.example/",
            "https://x.example/?flag",
            "https://x.example/?q=signature",
            "https://x.example/?signature=",
            "https://x.example/?key=value&hash=main&token=free&s=search+words",
            "https://x.example/?s=what-is-a-signature-of-2-letters in prose",
            "https://x.example/?key=1234567890123456789",
            "https://x.example/index.php?s=/planClick/id/28/url/17.html",
            "https://x.example/?s=https://other.example/page/251",
            "https://app.example/#/inbox?signature=deadbeef",
            "https://a.example/?id=9f86d081884c7d659a2feaa0c55ad015&utm_source=x",
            "https://music.youtube.com/watch?v=dQw4w9WgXcQ&si=AbCdEfGhIjKlMnOp",
        ] {
            assert!(!is_signed(url), "{url}");
        }
    }
}
