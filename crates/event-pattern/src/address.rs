//! IP literals and CIDR blocks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest text that can be an IP literal, with room for zeros in front.
const MAX_LITERAL_BYTES: usize = 45;

/// Reads an IPv4 or IPv6 literal; an IPv4 address written as IPv6 (`::ffff:…`) is the IPv4 address.
pub(crate) fn parse(text: &[u8]) -> Option<IpAddr> {
    // Most texts are none, and most of those show it in their first byte.
    if !text.first().is_some_and(|&byte| byte == b':' || byte.is_ascii_hexdigit()) {
        return None;
    }
    if text.len() > MAX_LITERAL_BYTES || !(is_v4_shape(text) || is_v6_shape(text)) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Some(IpAddr::V4(address));
    }
    let address: Ipv6Addr = text.parse().ok()?;
    Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4))
}

/// Four runs of digits between points, whatever their size.
fn is_v4_shape(text: &[u8]) -> bool {
    let mut parts = 0;
    text.split(|&byte| byte == b'.').all(|part| {
        parts += 1;
        !part.is_empty() && part.iter().all(u8::is_ascii_digit)
    }) && parts == 4
}

/// Hex digits and at least one colon.
fn is_v6_shape(text: &[u8]) -> bool {
    text.contains(&b':') && text.iter().all(|&byte| byte == b':' || byte.is_ascii_hexdigit())
}

/// A block of addresses of one family; without mask bits there is nothing to compare, and it holds all addresses of both
/// families, as in the engine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cidr {
    first: IpAddr,
    last: IpAddr,
    mask_bits: u32,
}

impl Cidr {
    /// Reads `address/bits`; the error is the engine's message.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts: Vec<&str> = text.split('/').collect();
        // As Java splits: empty parts at the end do not count.
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        let &[address, bits] = parts.as_slice() else {
            return Err("Malformed CIDR, one '/' required".to_owned());
        };
        let bits: i32 = bits.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer".to_owned())?;
        let bits = u32::try_from(bits).map_err(|_| "Malformed CIDR, mask bits must not be negative".to_owned())?;
        Self::new(parse_strict(address)?, bits)
    }

    fn new(address: IpAddr, bits: u32) -> Result<Self, String> {
        match address {
            IpAddr::V4(_) if bits > 31 => Err("IPv4 mask bits must be < 32".to_owned()),
            IpAddr::V6(_) if bits > 127 => Err("IPv6 mask bits must be < 128".to_owned()),
            IpAddr::V4(v4) => {
                let host = u32::MAX >> bits;
                let (first, last) = (v4.to_bits() & !host, v4.to_bits() | host);
                Ok(Self {
                    first: Ipv4Addr::from_bits(first).into(),
                    last: Ipv4Addr::from_bits(last).into(),
                    mask_bits: bits,
                })
            }
            IpAddr::V6(v6) => {
                let host = u128::MAX >> bits;
                let (first, last) = (v6.to_bits() & !host, v6.to_bits() | host);
                Ok(Self {
                    first: Ipv6Addr::from_bits(first).into(),
                    last: Ipv6Addr::from_bits(last).into(),
                    mask_bits: bits,
                })
            }
        }
    }

    /// The first address.
    pub(crate) fn first(&self) -> IpAddr {
        self.first
    }

    /// How many bits the addresses have in common.
    pub(crate) fn mask_bits(&self) -> u32 {
        self.mask_bits
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        // Addresses order by family first, so one of another family is outside.
        self.mask_bits == 0 || (self.first <= address && address <= self.last)
    }
}

fn parse_strict(text: &str) -> Result<IpAddr, String> {
    if !is_v4_shape(text.as_bytes()) && !is_v6_shape(text.as_bytes()) {
        return Err(format!("Nonstandard IP address: {text}"));
    }
    parse(text.as_bytes()).ok_or_else(|| format!("Invalid IP address: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        for text in ["10.0.0.1", "::1", "::", "2001:DB8::ff", "0:0:0:0:0:0:0:1"] {
            assert!(parse(text.as_bytes()).is_some(), "{text}");
        }
        for text in ["", "10.0.0", "10.0.0.256", "1:2:3", "localhost", "fe80::1%eth0", "::ffff:1.2.3.4", "abc"] {
            assert!(parse(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(parse(b"::1"), parse(b"0:0:0:0:0:0:0:1"));
        assert_eq!(parse(b"::ffff:a00:1"), parse(b"10.0.0.1"));
    }

    #[test]
    fn blocks() {
        let cases = [
            ("10.0.0.0/24", "10.0.0.255", true),
            ("10.0.0.0/24", "10.0.1.0", false),
            ("10.0.0.9/24", "10.0.0.1", true),
            ("0.0.0.0/0", "255.1.2.3", true),
            ("::/0", "10.0.0.1", true),
            ("::/1", "10.0.0.1", false),
            ("10.0.0.0/0", "fe80::1", true),
            ("0.0.0.0/1", "::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
        ];
        for (block, address, inside) in cases {
            let block = Cidr::parse(block).expect("a block");
            assert_eq!(block.contains(parse(address.as_bytes()).expect("an address")), inside, "{block:?} {address}");
        }
    }
}
