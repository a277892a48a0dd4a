//! Which network a request came from.
//!
//! The peer of the connection, unless it is a trusted proxy: then the last address in `X-Forwarded-For` or `Forwarded`
//! (RFC 7239) that is not a trusted proxy. Anything before it was written by the client and proves nothing.
//!
//! A proxy writes one of the two headers, and may hand on the other as the client wrote it. Which one it writes can't be
//! told, so both must lead to the same network; where they do not, neither counts, and the proxy is taken for the client.
//! Nobody passes a limit by adding a header.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::Site;
use super::error::Problem;
use crate::model::network::{Cidr, Network};

/// The headers in which proxies say for whom they ask.
const XFF: &str = "x-forwarded-for";
const FORWARDED: &str = "forwarded";

/// The network of the client. No more precise address leaves this file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client(pub(super) Network);

impl FromRequestParts<Arc<Site>> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Client, Problem> {
        let ConnectInfo(peer) = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .copied()
            .ok_or(Problem::Broken)?;
        Ok(Client(
            address(peer.ip(), &parts.headers, &site.settings.trusted_proxies).into(),
        ))
    }
}

/// Warns, now and then, of a proxy that is not trusted: everybody behind it counts as one visitor.
pub(super) fn warn_of_proxy(site: &Site, parts: &axum::http::Extensions, headers: &HeaderMap) {
    let Some(header) = [XFF, FORWARDED]
        .into_iter()
        .find(|h| headers.contains_key(*h))
    else {
        return;
    };
    let Some(ConnectInfo(peer)) = parts.get::<ConnectInfo<SocketAddr>>() else {
        return;
    };
    let ip = peer.ip().to_canonical();
    let is_trusted = site.settings.trusted_proxies.iter().any(|b| b.contains(ip));
    if is_trusted || !site.untrusted_proxy.is_due() {
        return;
    }
    let network = Network::from(ip);
    // Of a stranger no more is logged than the network; an address of one's own network is one's own proxy.
    let (from, example) = if network.is_local() {
        (ip.to_string(), ip.to_string())
    } else {
        (network.to_string(), "its address".to_owned())
    };
    tracing::warn!(
        "a request from {from} has the header {header}, which is ignored, since this is not a trusted proxy: all visitors behind it count as one, and share one limit of sign-ups. If it is your proxy, set [web] trusted_proxies = [\"{example}\"]"
    );
}

/// The client's address, as far as trusted proxies vouch for it.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[Cidr]) -> IpAddr {
    let trusts = |address: IpAddr| trusted.iter().any(|block| block.contains(address));
    if !trusts(peer) {
        return peer;
    }
    // From the proxy's end on, as long as each hop is one of ours.
    let nearest = |hops: Vec<Option<IpAddr>>| {
        let mut nearest = peer;
        for said in hops.into_iter().rev() {
            // A hop that hides itself (`unknown`, `_hidden`) ends the chain: the last known proxy counts as the client.
            let Some(address) = said else { break };
            nearest = address;
            if !trusts(address) {
                break;
            }
        }
        nearest
    };
    match (custom_hops(headers), standard_hops(headers)) {
        (hops, none) if none.is_empty() => nearest(hops),
        (none, hops) if none.is_empty() => nearest(hops),
        (custom, standard) => {
            let (one, other) = (nearest(custom), nearest(standard));
            if Network::from(one) == Network::from(other) {
                one
            } else {
                peer
            }
        }
    }
}

/// The elements of a header that is a list.
fn elements(headers: &HeaderMap, name: &str) -> Vec<String> {
    let values = headers.get_all(name).iter();
    values
        .flat_map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.split(',').map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// The hops of `X-Forwarded-For`, the client's end first; `None` for one that names no address.
fn custom_hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let elements = elements(headers, XFF);
    elements.iter().map(|text| node(text)).collect()
}

/// The hops of `Forwarded`, likewise.
fn standard_hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let hop = |element: &String| {
        let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
        let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
        named
            .next()
            .and_then(|(_, value)| node(value.trim().trim_matches('"')))
    };
    elements(headers, FORWARDED).iter().map(hop).collect()
}

/// An address as proxies write it: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, with a port too.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(with_port) = text.parse::<SocketAddr>() {
        return Some(with_port.ip());
    }
    text.strip_prefix('[')?
        .strip_suffix(']')?
        .parse()
        .ok()
        .map(IpAddr::V6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, headers: &[(&'static str, &str)], trusted: &[&str]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let trusted: Vec<Cidr> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        Network::from(address(peer.parse().unwrap(), &map, &trusted)).to_string()
    }

    #[test]
    fn nobody_is_believed_who_is_no_trusted_proxy() {
        assert_eq!(
            seen("203.0.113.5", &[(XFF, "192.0.2.1")], &[]),
            "203.0.113.0/24"
        );
        assert_eq!(
            seen(
                "203.0.113.5",
                &[("forwarded", "for=192.0.2.1")],
                &["10.0.0.0/8"]
            ),
            "203.0.113.0/24"
        );
    }

    #[test]
    fn behind_proxies_the_nearest_stranger_counts() {
        let proxies = ["127.0.0.1", "10.0.0.0/8"];
        let at = |headers: &[(&'static str, &str)]| seen("127.0.0.1", headers, &proxies);
        assert_eq!(at(&[(XFF, "192.0.2.1")]), "192.0.2.0/24");
        assert_eq!(
            at(&[(XFF, "198.51.100.7, 192.0.2.1, 10.2.3.4")]),
            "192.0.2.0/24"
        );
        assert_eq!(
            at(&[(XFF, "198.51.100.7"), (XFF, "192.0.2.1:5000")]),
            "192.0.2.0/24"
        );
        assert_eq!(at(&[(XFF, "2001:db8:9::1")]), "2001:db8:9::/48");
        assert_eq!(at(&[(XFF, "10.1.1.1, 10.2.2.2")]), "10.1.1.0/24");
        assert_eq!(at(&[]), "127.0.0.0/24");
    }

    #[test]
    fn forwarded_is_read_where_the_other_is_missing() {
        let at = |value: &str| seen("127.0.0.1", &[("forwarded", value)], &["127.0.0.1"]);
        assert_eq!(at("for=192.0.2.43;proto=https"), "192.0.2.0/24");
        assert_eq!(
            at("by=203.0.113.1; For=\"[2001:db8:cafe::17]:4711\""),
            "2001:db8:cafe::/48"
        );
        assert_eq!(at("for=198.51.100.1, for=\"192.0.2.1:80\""), "192.0.2.0/24");
        assert_eq!(at("for=unknown"), "127.0.0.0/24");
        assert_eq!(at("for=198.51.100.1, for=_hidden"), "127.0.0.0/24");
    }

    #[test]
    fn two_headers_count_where_they_agree_and_else_neither() {
        let at = |custom: &str, standard: &str| {
            let headers = [(XFF, custom), (FORWARDED, standard)];
            seen("127.0.0.1", &headers, &["127.0.0.1"])
        };
        assert_eq!(at("192.0.2.1", "for=192.0.2.1"), "192.0.2.0/24");
        assert_eq!(at("9.9.9.9, 192.0.2.1", "for=192.0.2.1:80"), "192.0.2.0/24");
        // Which of them the proxy wrote, and which the client, can't be told.
        assert_eq!(at("9.9.9.9", "for=203.0.113.7"), "127.0.0.0/24");
        assert_eq!(at("203.0.113.7", "for=9.9.9.9"), "127.0.0.0/24");
        assert_eq!(at("203.0.113.7", "for=unknown"), "127.0.0.0/24");
    }

    #[test]
    fn nonsense_ends_the_chain() {
        for nonsense in [
            "",
            ",",
            "1.2.3",
            "300.1.1.1",
            "[::1",
            "for=1.2.3.4",
            "\u{e9}",
        ] {
            assert_eq!(
                seen("127.0.0.1", &[(XFF, nonsense)], &["127.0.0.1"]),
                "127.0.0.0/24",
                "{nonsense:?}"
            );
        }
    }
}
