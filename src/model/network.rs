//! Where somebody wrote from, no finer than it is ever kept: a network of /24 or /48.
//!
//! The full address of a person is seen for as long as a request takes, and is neither stored nor logged.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The network of an address: /24 of IPv4, /48 of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// The first 24 bits of an IPv4 address.
    V4([u8; 3]),
    /// The first 48 bits of an IPv6 address.
    V6([u16; 3]),
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Network {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                Network::V4([a, b, c])
            }
            IpAddr::V6(v6) => {
                let [a, b, c, ..] = v6.segments();
                Network::V6([a, b, c])
            }
        }
    }
}

impl Network {
    /// Whether it is of this machine or of a network of one's own, from which no visitor comes directly: one of RFC 1918,
    /// 6598, 3927, 4193 and 4291, or loopback.
    pub fn is_local(&self) -> bool {
        let (v4, v6) = match *self {
            Network::V4([a, b, c]) => (Some(Ipv4Addr::new(a, b, c, 0)), None),
            Network::V6([a, b, c]) => (None, Some(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))),
        };
        v4.is_some_and(|ip| LOCAL_V4.iter().any(|block| in_block(ip, *block)))
            || v6.is_some_and(|ip| {
                ip.segments()[..3] == [0; 3] || ip.is_unique_local() || ip.is_unicast_link_local()
            })
    }
}

/// Blocks of IPv4 that are not on the public internet.
const LOCAL_V4: [(Ipv4Addr, u8); 6] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
];
/// The same of IPv6.
const LOCAL_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::LOCALHOST, 128),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
];
/// A block of the public internet is wide with fewer bits than these: no proxies of one operator fill it.
const WIDE_BELOW: (u8, u8) = (12, 24);

fn in_block(ip: Ipv4Addr, (base, bits): (Ipv4Addr, u8)) -> bool {
    same_start(ip.to_bits().into(), base.to_bits().into(), 32 - bits)
}

/// Such as `192.0.2.0/24` and `2001:db8:1::/48`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Network::V4([a, b, c]) => write!(f, "{}/24", Ipv4Addr::new(a, b, c, 0)),
            Network::V6([a, b, c]) => write!(f, "{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)),
        }
    }
}

/// A block of addresses in the notation of the settings, such as `10.0.0.0/8`; a bare address is a block of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    base: IpAddr,
    bits: u8,
}

/// Why a text is no block of addresses; one line, ready to be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a network; write it as 10.0.0.0/8 or 2001:db8::/32")]
pub struct BadCidr(String);

impl FromStr for Cidr {
    type Err = BadCidr;

    fn from_str(text: &str) -> Result<Cidr, BadCidr> {
        let bad = || BadCidr(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let base: IpAddr = address.parse().map_err(|_| bad())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => {
                bits.parse().map_err(|_| bad())?
            }
            Some(_) => return Err(bad()),
        };
        if bits > most {
            return Err(bad());
        }
        // IPv4 written as IPv6 counts as IPv4, here as in an address.
        match base.to_canonical() {
            v4 @ IpAddr::V4(_) if base.is_ipv6() && bits >= 96 => Ok(Cidr {
                base: v4,
                bits: bits - 96,
            }),
            _ => Ok(Cidr { base, bits }),
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

impl Cidr {
    /// Whether it holds so much of the public internet that strangers are in it.
    pub fn is_wide(&self) -> bool {
        match self.base {
            IpAddr::V4(base) => {
                let is_local =
                    |block: &(Ipv4Addr, u8)| self.bits >= block.1 && in_block(base, *block);
                self.bits < WIDE_BELOW.0 && !LOCAL_V4.iter().any(is_local)
            }
            IpAddr::V6(base) => {
                let is_local = |(local, bits): &(Ipv6Addr, u8)| {
                    self.bits >= *bits && same_start(base.to_bits(), local.to_bits(), 128 - bits)
                };
                self.bits < WIDE_BELOW.1 && !LOCAL_V6.iter().any(is_local)
            }
        }
    }

    /// Whether an address lies in the block. IPv4 written as IPv6 (`::ffff:192.0.2.1`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(a)) => {
                same_start(base.to_bits().into(), a.to_bits().into(), 32 - self.bits)
            }
            (IpAddr::V6(base), IpAddr::V6(a)) => {
                same_start(base.to_bits(), a.to_bits(), 128 - self.bits)
            }
            _ => false,
        }
    }
}

/// Whether two numbers are the same but for their last bits.
fn same_start(one: u128, two: u128, last_bits: u8) -> bool {
    (one ^ two).checked_shr(last_bits.into()).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_are_no_finer_than_24_and_48() {
        assert_eq!(Network::from(ip("192.0.2.77")).to_string(), "192.0.2.0/24");
        assert_eq!(
            Network::from(ip("::ffff:192.0.2.77")).to_string(),
            "192.0.2.0/24"
        );
        assert_eq!(
            Network::from(ip("2001:db8:1:2:3:4:5:6")).to_string(),
            "2001:db8:1::/48"
        );
        assert_eq!(
            Network::from(ip("192.0.2.1")),
            Network::from(ip("192.0.2.254"))
        );
        assert_ne!(
            Network::from(ip("2001:db8:1::")),
            Network::from(ip("2001:db8:2::"))
        );
    }

    #[test]
    fn blocks_hold_their_own() {
        let holds =
            |block: &str, address: &str| block.parse::<Cidr>().unwrap().contains(ip(address));
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(holds("127.0.0.1", "127.0.0.1") && !holds("127.0.0.1", "127.0.0.2"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("::/0", "::1") && !holds("::/0", "127.0.0.1"));
        assert!(
            holds("2001:db8::/33", "2001:db8:7fff::1")
                && !holds("2001:db8::/33", "2001:db8:8000::1")
        );
    }

    #[test]
    fn ipv4_written_as_ipv6_is_ipv4() {
        let block: Cidr = "::ffff:10.0.0.0/104".parse().unwrap();
        assert_eq!(block.to_string(), "10.0.0.0/8");
        let one: Cidr = "::ffff:127.0.0.1".parse().unwrap();
        assert!(one.contains(ip("127.0.0.1")) && !one.contains(ip("127.0.0.2")));
    }

    #[test]
    fn blocks_of_the_whole_internet_are_wide_and_those_of_ones_own_are_not() {
        for (block, is_wide) in [
            ("0.0.0.0/0", true),
            ("::/0", true),
            ("128.0.0.0/1", true),
            ("8.0.0.0/8", true),
            ("2000::/3", true),
            ("::ffff:0.0.0.0/96", true),
            ("10.0.0.0/7", true),
            ("10.0.0.0/8", false),
            ("100.64.0.0/10", false),
            ("127.0.0.0/8", false),
            ("172.16.0.0/12", false),
            ("104.16.0.0/13", false),
            ("fc00::/7", false),
            ("fe80::/10", false),
            ("2606:4700::/32", false),
            ("203.0.113.7", false),
        ] {
            assert_eq!(block.parse::<Cidr>().unwrap().is_wide(), is_wide, "{block}");
        }
    }

    #[test]
    fn networks_of_ones_own_are_local() {
        for (address, is_local) in [
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("100.127.0.1", true),
            ("203.0.113.7", false),
            ("::1", true),
            ("fd00::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(Network::from(ip(address)).is_local(), is_local, "{address}");
        }
    }

    #[test]
    fn what_is_no_block_is_named() {
        for bad in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "proxy",
            "10.0.0.0/8/8",
        ] {
            assert!(bad.parse::<Cidr>().unwrap_err().to_string().contains(bad));
        }
    }
}
