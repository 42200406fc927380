//! Numbers as people read them.

/// With a comma between thousands: `1,234,567`.
pub(crate) fn separated(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `2 files`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", separated(number), if number == 1 { "" } else { "s" })
}

/// In units of a thousand: `2.0 MB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut unit = 1_000;
    let mut name = units[0];
    if bytes < unit {
        return counted(bytes, "byte");
    }
    for next in &units[1..] {
        if bytes / unit < 1_000 {
            break;
        }
        (unit, name) = (unit * 1_000, next);
    }
    format!("{}.{} {name}", bytes / unit, bytes % unit / (unit / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678"), (100_000, "100,000")];
        for (number, shown) in cases {
            assert_eq!(separated(number), shown);
        }
        assert_eq!((counted(1, "file"), counted(1_000, "file")), ("1 file".into(), "1,000 files".into()));
    }

    #[test]
    fn bytes_have_a_unit() {
        let cases = [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (999_999, "999.9 kB"),
            (1_250_000, "1.2 MB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (number, shown) in cases {
            assert_eq!(bytes(number), shown);
        }
    }
}
