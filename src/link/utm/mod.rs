//! Tags links for the author's statistics: appends `utm_campaign`, `utm_medium` and `utm_source`.
//!
//! What the author wrote stays as it is, byte for byte. The parameters are added between query and fragment; one that
//! is already there is neither doubled nor overwritten. An address is parsed only for its host. A link whose
//! query is signed ([`super::signed`]) is left alone.
//!
//! `compose` finds the links, and escapes the result.

use std::borrow::Cow;

use jiff::civil::Date;
use url::{Host, Origin, Url};

use super::signed::is_signed;
use crate::model::list::Utm;
use crate::model::rendered::Piece;

/// What the values of UTM parameters may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// For `{list}`.
    pub list_name: &'a str,
    /// For `{number}`, which is empty without one.
    pub number: Option<u32>,
    /// For `{date}`, written as 2026-11-30 and empty without one.
    pub date: Option<Date>,
    /// For `{slug}`: the name of the file.
    pub slug: &'a str,
    /// The issue's own campaign, which replaces the list's.
    pub campaign: Option<&'a str>,
}

/// Tags the links of one issue.
#[derive(Clone, Debug)]
pub struct Tagger {
    /// Names in the order in which they are appended, with values ready to stand in a query.
    parameters: Vec<(&'static str, String)>,
    only_domains: Vec<String>,
    never_domains: Vec<String>,
    own: Option<Own>,
}

/// Where our own pages are: links there are never tagged.
#[derive(Clone, Debug)]
struct Own {
    origin: Origin,
    /// Without a slash at its end.
    path: String,
}

impl Tagger {
    /// A tagger for one issue. Links below `own_url`, the daemon's `public_url`, are not tagged.
    ///
    /// A parameter whose value is empty, such as `{number}` of an issue without a number, is left out.
    pub fn new(utm: &Utm, facts: &Facts, own_url: Option<&str>) -> Tagger {
        let campaign = facts.campaign.unwrap_or(&utm.campaign);
        let parameters = [
            ("utm_campaign", campaign),
            ("utm_medium", &utm.medium),
            ("utm_source", &utm.source),
        ]
        .into_iter()
        .map(|(name, template)| (name, percent_encoded(fill(template, facts).trim())))
        .filter(|(_, value)| !value.is_empty())
        .collect();
        Tagger {
            parameters,
            only_domains: utm
                .only_domains
                .iter()
                .map(|d| domain_of_setting(d))
                .collect(),
            never_domains: utm
                .never_domains
                .iter()
                .map(|d| domain_of_setting(d))
                .collect(),
            own: own_url.and_then(|own| Url::parse(own).ok()).map(|own| Own {
                origin: own.origin(),
                path: own.path().trim_end_matches('/').to_owned(),
            }),
        }
    }

    /// The address that readers get of an author's link, not yet escaped. It is in pieces, since it may hold what
    /// differs from person to person.
    pub fn tag(&self, url: &str) -> Vec<Piece> {
        vec![Piece::Text(self.with_parameters(url).into_owned())]
    }

    /// A link with the parameters it lacks, or unchanged if it is not to be tagged.
    fn with_parameters<'u>(&self, url: &'u str) -> Cow<'u, str> {
        if !self.concerns(url) {
            return Cow::Borrowed(url);
        }
        let (rest, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
        let query = rest.split_once('?').map(|(_, query)| query);
        let mut out = String::with_capacity(url.len() + 128);
        out.push_str(rest);
        let mut joint = match query {
            None => "?",
            Some("") => "",
            Some(_) => "&",
        };
        for (name, value) in &self.parameters {
            if !query.is_some_and(|query| has_parameter(query, name)) {
                out.push_str(joint);
                out.push_str(name);
                out.push('=');
                out.push_str(value);
                joint = "&";
            }
        }
        out.push_str(fragment);
        Cow::Owned(out)
    }

    /// Whether a link is one of those that are tagged at all.
    fn concerns(&self, url: &str) -> bool {
        let web = ["http://", "https://"].iter().any(|scheme| {
            url.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        if !web || is_signed(url) {
            return false;
        }
        // An author's broken link is still the author's: it is tagged like the rest, unless hosts matter.
        let parsed = Url::parse(url).ok();
        if parsed
            .as_ref()
            .is_some_and(|link| self.own.as_ref().is_some_and(|own| own.holds(link)))
        {
            return false;
        }
        let host = parsed.as_ref().and_then(Url::host_str).unwrap_or_default();
        let among = |domains: &[String]| domains.iter().any(|domain| is_within(host, domain));
        (self.only_domains.is_empty() || among(&self.only_domains)) && !among(&self.never_domains)
    }
}

impl Own {
    fn holds(&self, link: &Url) -> bool {
        link.origin() == self.origin
            && link
                .path()
                .strip_prefix(self.path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Puts the facts in their places; any other text in braces stays as it is.
fn fill(template: &str, facts: &Facts) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let known = [
            facts.list_name.to_owned(),
            facts.number.map(|n| n.to_string()).unwrap_or_default(),
            facts.date.map(|d| d.to_string()).unwrap_or_default(),
            facts.slug.to_owned(),
        ];
        match Utm::FACTS
            .into_iter()
            .zip(known)
            .find(|(name, _)| rest.starts_with(name))
        {
            Some((name, value)) => {
                out.push_str(&value);
                rest = &rest[name.len()..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Everything but RFC 3986's unreserved characters becomes `%XX`, as in Revue's links: a space is `%20`, an
/// apostrophe `%27`.
fn percent_encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len() * 3 / 2);
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Whether a query holds a parameter of that name. Letters count without case, and `%5F` as `_`, since some
/// programs that read such links take them so: better one tag too few than a doubled one.
fn has_parameter(query: &str, name: &str) -> bool {
    query.split('&').any(|pair| {
        let key = pair.split('=').next().unwrap_or_default();
        let mut bytes = key.bytes();
        let mut wanted = name.bytes();
        loop {
            let byte = match bytes.next() {
                Some(b'%') => {
                    let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
                    match (hex(bytes.next()), hex(bytes.next())) {
                        (Some(high), Some(low)) => u8::try_from(high * 16 + low).ok(),
                        _ => return false,
                    }
                }
                other => other,
            };
            match (byte, wanted.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if a.eq_ignore_ascii_case(&b) => {}
                _ => return false,
            }
        }
    })
}

/// A domain of the settings as hosts are compared: A-labels in small letters, without `*.` and dots at the ends.
fn domain_of_setting(typed: &str) -> String {
    let bare = typed.trim().trim_start_matches("*.").trim_matches('.');
    Host::parse(bare).map_or_else(|_| bare.to_ascii_lowercase(), |host| host.to_string())
}

/// Whether a host is a domain or one below it.
fn is_within(host: &str, domain: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests;
