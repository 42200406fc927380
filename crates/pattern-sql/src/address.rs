//! Regular expressions for the texts that are literals of an address, or of one in a block.
//!
//! The literals are those that event patterns know: four decimal numbers without zeros in front, or eight groups of hexadecimal
//! digits of which one run of zeros may be `::`. An IPv4 address written as `::ffff:a00:1` is the IPv4 address.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bits before the IPv4 address in `::ffff:0:0/96`.
const MAPPED_BITS: u32 = 96;
const GROUPS: usize = 8;

/// The literals of addresses in a block, each matched from end to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Literals {
    /// One of these matches …
    pub(crate) any: Vec<String>,
    /// … and this does not.
    pub(crate) none: Option<String>,
}

/// The literals of one address.
pub(crate) fn exact(address: IpAddr) -> Literals {
    let bits = if address.is_ipv4() { u32::BITS } else { u128::BITS };
    block(address, bits)
}

/// The literals of the addresses that share `bits` bits with `first`; without bits, of all addresses.
pub(crate) fn block(first: IpAddr, bits: u32) -> Literals {
    if bits == 0 {
        return Literals { any: vec![v4(Ipv4Addr::UNSPECIFIED, 0), v6(0, 0)], none: None };
    }
    match first {
        IpAddr::V4(first) => {
            let mapped = v6(first.to_ipv6_mapped().to_bits(), MAPPED_BITS + bits);
            Literals { any: vec![v4(first, bits), mapped], none: None }
        }
        IpAddr::V6(first) => {
            let mapped = Ipv4Addr::UNSPECIFIED.to_ipv6_mapped().to_bits();
            let has_mapped = (mapped ^ first.to_bits()).leading_zeros() >= bits;
            Literals { any: vec![v6(first.to_bits(), bits)], none: has_mapped.then(|| v6(mapped, MAPPED_BITS)) }
        }
    }
}

fn v4(first: Ipv4Addr, bits: u32) -> String {
    let mut parts = Vec::new();
    for (at, octet) in (0_u32..).zip(first.octets()) {
        let fixed = bits.saturating_sub(8 * at).min(8);
        parts.push(match fixed {
            8 => octet.to_string(),
            0 => "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])".to_owned(),
            fixed => {
                let last = octet | (u8::MAX >> fixed);
                let all: Vec<String> = (octet..=last).map(|octet| octet.to_string()).collect();
                format!("(?:{})", all.join("|"))
            }
        });
    }
    parts.join("[.]")
}

fn v6(first: u128, bits: u32) -> String {
    let groups: Vec<Group> = (0_u32..)
        .zip(Ipv6Addr::from_bits(first).segments())
        .map(|(at, value)| Group { value, fixed: bits.saturating_sub(16 * at).min(16) })
        .collect();
    let mut forms = vec![joined(&groups)];
    for start in 0..GROUPS {
        // One run of zeros may be left out; of which length is said by what stands around it.
        for end in start + 1..=GROUPS {
            if !groups[start..end].iter().all(|group| group.may_be_zero()) {
                break;
            }
            forms.push(format!("{}::{}", joined(&groups[..start]), joined(&groups[end..])));
        }
    }
    forms.join("|")
}

/// Sixteen bits, of which the first ones are fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Group {
    value: u16,
    fixed: u32,
}

impl Group {
    fn may_be_zero(self) -> bool {
        self.fixed == 0 || self.value.leading_zeros() >= self.fixed
    }

    /// One to four digits; those in front that are zero may be missing.
    fn regex(self) -> String {
        if self.fixed == 0 {
            return "[0-9a-fA-F]{1,4}".to_owned();
        }
        let digits: Vec<String> = (0..4).map(|at| self.digit(at)).collect();
        let zeros = (0..3).take_while(|&at| self.digit_values(at).contains(&0)).count();
        let forms: Vec<String> = (0..=zeros).map(|from| digits[from..].concat()).collect();
        if forms.len() == 1 { forms.concat() } else { format!("(?:{})", forms.join("|")) }
    }

    fn digit_values(self, at: u32) -> Vec<u16> {
        let fixed = self.fixed.saturating_sub(4 * at).min(4);
        let digit = (self.value >> (12 - 4 * at)) & 0xF;
        (digit..=digit | (0xF >> fixed)).collect()
    }

    fn digit(self, at: u32) -> String {
        let mut letters = String::new();
        for value in self.digit_values(at) {
            let _ = write!(letters, "{value:x}");
            if value > 9 {
                let _ = write!(letters, "{value:X}");
            }
        }
        match letters.len() {
            1 => letters,
            22 => "[0-9a-fA-F]".to_owned(),
            _ => format!("[{letters}]"),
        }
    }
}

/// Groups between colons; equal ones are counted.
fn joined(groups: &[Group]) -> String {
    let mut out = String::new();
    let Some((last, front)) = groups.split_last() else { return out };
    for same in front.chunk_by(|left, right| left == right) {
        match same.len() {
            1 => {
                let _ = write!(out, "{}:", same[0].regex());
            }
            count => {
                let _ = write!(out, "(?:{}:){{{count}}}", same[0].regex());
            }
        }
    }
    out + &last.regex()
}

#[cfg(test)]
mod tests {
    use event_pattern::{FieldCondition, Pattern, Test, Value};
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn matches(literals: &Literals, text: &str) -> bool {
        let full = |regex: &str| Regex::new(&format!(r"\A(?:{regex})\z")).unwrap().is_match(text);
        literals.any.iter().any(|regex| full(regex)) && !literals.none.as_deref().is_some_and(full)
    }

    /// The pattern's own answer is the oracle.
    fn check(leaf: &str, text: &str) -> Result<(), TestCaseError> {
        let pattern = Pattern::compile(&format!("{{\"a\":[{leaf}]}}")).unwrap();
        let combination = pattern.combinations().next().unwrap();
        let condition: FieldCondition<'_> = combination.conditions(&pattern).next().unwrap();
        let literals = match condition.tests().next().unwrap() {
            Test::Address(address) => exact(address),
            Test::Cidr { first, mask_bits } => block(first, mask_bits),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(matches(&literals, text), condition.matches(Value::String(text)), "{} {}", leaf, text);
        Ok(())
    }

    fn spelled() -> impl Strategy<Value = String> {
        let group = prop_oneof![Just("0".to_owned()), Just("ffff".to_owned()), "[0-9a-fA-F]{1,4}"];
        let groups = proptest::collection::vec(group, 0..9);
        prop_oneof![
            any::<u32>().prop_map(|bits| Ipv4Addr::from_bits(bits).to_string()),
            any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits).to_string()),
            any::<u32>().prop_map(|bits| format!("::ffff:{:x}:{:X}", bits >> 16, bits & 0xFFFF)),
            (groups.clone(), groups.clone()).prop_map(|(left, right)| format!(
                "{}::{}",
                left.join(":"),
                right.join(":")
            )),
            groups.prop_map(|groups| groups.join(":")),
            "[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,4}",
        ]
    }

    proptest! {
        #[test]
        fn blocks_of_four(bits in 0_u32..32, block in any::<u32>(), near in any::<u32>(), text in spelled()) {
            let leaf = format!(r#"{{"cidr":"{}/{bits}"}}"#, Ipv4Addr::from_bits(block));
            check(&leaf, &text)?;
            // Near the block's ends, in both spellings.
            let near = (block & !(u32::MAX >> bits)) ^ (near >> bits.saturating_sub(1));
            let near = Ipv4Addr::from_bits(near);
            check(&leaf, &near.to_string())?;
            check(&leaf, &format!("::ffff:{:x}:{:x}", near.to_bits() >> 16, near.to_bits() & 0xFFFF))?;
        }

        #[test]
        fn blocks_of_six(bits in 0_u32..128, block in prop_oneof![any::<u128>(), Just(0), Just(1)], near in any::<u128>(), text in spelled()) {
            let leaf = format!(r#"{{"cidr":"{}/{bits}"}}"#, Ipv6Addr::from_bits(block));
            prop_assume!(Ipv6Addr::from_bits(block).to_ipv4_mapped().is_none());
            check(&leaf, &text)?;
            let near = (block & !(u128::MAX >> bits)) ^ (near >> bits.saturating_sub(1));
            let near = Ipv6Addr::from_bits(near);
            if near.to_ipv4_mapped().is_none() {
                check(&leaf, &near.to_string().to_uppercase())?;
            }
        }

        #[test]
        fn one_address(bits in prop_oneof![any::<u128>(), any::<u32>().prop_map(u128::from)], text in spelled()) {
            let six = Ipv6Addr::from_bits(bits);
            prop_assume!(!six.to_string().contains('.'));
            let full: Vec<String> = six.segments().iter().map(|group| format!("{group:04X}")).collect();
            for other in [text, six.to_string(), full.join(":"), full.join(":").to_lowercase()] {
                check(&format!("\"{six}\""), &other)?;
            }
            let four = Ipv4Addr::from_bits(u32::try_from(bits & 0xFFFF_FFFF).unwrap());
            for other in [four.to_string(), format!("0:0::ffff:{:x}:{:x}", four.to_bits() >> 16, four.to_bits() & 0xFFFF)] {
                check(&format!("\"{four}\""), &other)?;
            }
        }
    }
}
