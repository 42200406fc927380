//! What text becomes.

use super::*;

#[test]
fn escapes() {
    let rows = [
        ("plain", "plain"),
        (r#"{"a":'b'}"#, "{&quot;a&quot;:'b'}"),
        ("<a & b>", "&lt;a &amp; b&gt;"),
        ("a\r\nb\r", "a&#xD;\nb&#xD;"),
        ("\u{1}\u{fffe}\u{1f600}", "\u{fffd}\u{fffd}\u{1f600}"),
    ];
    for (text, expected) in rows {
        assert_eq!(escaped(text), expected);
    }
}

#[test]
fn what_has_no_form_in_the_protocol_is_not_written() {
    #[derive(Serialize)]
    enum Odd {
        With(u8),
    }
    assert_eq!(result(Service::Sns, "Op", &Odd::With(1)), Err(Unwritable));
    assert_eq!(result(Service::Sns, "Op", &std::collections::BTreeMap::from([((), 1)])), Err(Unwritable));
}
