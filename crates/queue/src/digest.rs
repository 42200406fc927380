//! The MD5 sums that clients check, over the body and over the attributes ("Calculating the MD5 message digest for message
//! attributes").

use md5::{Digest, Md5};

use crate::Attribute;

/// 32 hexadecimal digits over the body's UTF-8.
pub fn md5_of_body(body: &str) -> String {
    hex::encode(Md5::digest(body))
}

/// 32 hexadecimal digits over the attributes, which must come sorted by name; `None` if there are none.
pub fn md5_of_attributes<'a>(attributes: impl IntoIterator<Item = (&'a str, &'a Attribute)>) -> Option<String> {
    const TEXT: [u8; 1] = [1];
    const BYTES: [u8; 1] = [2];
    let mut md5 = Md5::new();
    let mut any = false;
    for (name, value) in attributes {
        any = true;
        add(&mut md5, name.as_bytes());
        add(&mut md5, value.data_type().as_bytes());
        md5.update(if matches!(value, Attribute::Text(..)) { TEXT } else { BYTES });
        add(&mut md5, value.value());
    }
    any.then(|| hex::encode(md5.finalize()))
}

fn add(md5: &mut Md5, part: &[u8]) {
    // Everything here is bounded by the largest message.
    md5.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    md5.update(part);
}

#[cfg(test)]
mod tests {
    use aws_api::Blob;

    use super::*;

    fn text(data_type: &str, value: &str) -> Attribute {
        Attribute::Text(data_type.into(), value.into())
    }

    #[test]
    fn checked_values() {
        let foo = text("String", "Bar");
        assert_eq!(md5_of_attributes([("Foo", &foo)]).unwrap(), "ae7155c6026991b6d54b11589678bf9c");

        let arn = text("String", "arn:aws:events:eu-central-1:111122223333:rule/r1");
        let blob = Attribute::Bytes("Binary".into(), Blob(vec![0x00, 0xff]));
        let tries = text("Number.int", "3");
        let mixed = [("RULE_ARN", &arn), ("blob", &blob), ("tries", &tries)];
        assert_eq!(md5_of_attributes(mixed).unwrap(), "e81398b536900925b492c47f82797712");

        let trace = text("String", "Root=1-5e1b4151-5ac6c58b0000000000000001");
        assert_eq!(md5_of_attributes([("AWSTraceHeader", &trace)]).unwrap(), "3c37db8fa6bdce6b4ec228b6e76b3f34");

        assert_eq!(md5_of_attributes([]), None);
        assert_eq!(md5_of_body("msg"), "6e2baaf3b97dbeef01c0043275f9a0e7");
    }

    #[test]
    fn recorded_values_of_selections() {
        let (kenobi, there, me) = (text("String", "Kenobi"), text("String", "There"), text("String", "Me"));
        let all = [("General", &kenobi), ("Hello", &there), ("Help.Me", &me)];
        assert_eq!(md5_of_attributes(all).unwrap(), "4c360f3fdafd970e05fae2f149d997f5");
        assert_eq!(md5_of_attributes(all[..2].iter().copied()).unwrap(), "fca026605781cb4126a1e9044df24232");
        assert_eq!(md5_of_attributes(all[1..].iter().copied()).unwrap(), "83fee93c1bcd8b9a5a923ffacdc636c7");
    }
}
