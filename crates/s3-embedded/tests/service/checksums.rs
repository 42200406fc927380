use crate::world::{World, check, noise};

/// Of `123456789`: the CRC catalogue's check values and FIPS 180.
const NINE: [(&str, &str); 5] = [
    ("crc32", "y/Q5Jg=="),
    ("crc32c", "4waSgw=="),
    ("crc64nvme", "rosUhgp5mIg="),
    ("sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
    ("sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
];

#[tokio::test]
async fn as_header_and_as_trailer() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    for (name, value) in NINE {
        let header: &'static str = Box::leak(format!("x-amz-checksum-{name}").into_boxed_str());
        let in_head = world.ask("PUT", "/bucket/k").header(header, value).body("123456789").send().await;
        let behind = world
            .ask("PUT", "/bucket/k")
            .headers(&[("x-amz-trailer", header), ("x-amz-sdk-checksum-algorithm", &name.to_uppercase())])
            .trailer(header, value)
            .body("123456789")
            .send()
            .await;
        for put in [in_head, behind] {
            assert_eq!(put.outcome(), "200", "{name}: {}", put.xml());
            assert_eq!(put.header(header).as_deref(), Some(value));
        }
        for method in ["GET", "HEAD"] {
            let got = world.ask(method, "/bucket/k").header("x-amz-checksum-mode", "ENABLED").send().await;
            assert_eq!(got.header(header).as_deref(), Some(value), "{method}");
            assert_eq!(got.header("x-amz-checksum-type").as_deref(), Some("FULL_OBJECT"), "{method}");
            assert_eq!(world.ask(method, "/bucket/k").send().await.header(header), None, "{method}");
        }
        let ranged =
            world.ask("GET", "/bucket/k").headers(&[("x-amz-checksum-mode", "ENABLED"), ("range", "bytes=0-1")]);
        assert_eq!(ranged.send().await.header(header), None);
        let wrong = NINE.iter().find(|(other, _)| *other == name).map(|(_, value)| flip(value)).unwrap();
        let refused = world.ask("PUT", "/bucket/k").header(header, &wrong).body("123456789").send().await;
        assert_eq!(refused.outcome(), "400 BadDigest");
        let text = format!("The {} you specified did not match the calculated checksum.", name.to_uppercase());
        assert_eq!(refused.one("Message"), Some(text));
        let refused =
            world.ask("PUT", "/bucket/k").header("x-amz-trailer", header).trailer(header, &wrong).body("123456789");
        assert_eq!(refused.send().await.outcome(), "400 BadDigest");
    }
}

/// Another value of the same length.
fn flip(value: &str) -> String {
    let first = if value.starts_with('A') { "B" } else { "A" };
    format!("{first}{}", &value[1..])
}

#[tokio::test]
async fn claims_that_cannot_be() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    check(
        &world,
        &[
            ("PUT", "/bucket/k", &[("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")], "123456789", "200"),
            ("PUT", "/bucket/k", &[("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")], "12345678", "400 BadDigest"),
            ("PUT", "/bucket/k", &[("content-md5", "JfnnlDI7RTiF9RgfG2JN")], "123456789", "400 InvalidDigest"),
            ("PUT", "/bucket/k", &[("content-md5", "")], "123456789", "400 InvalidDigest"),
            ("PUT", "/bucket/k", &[("x-amz-checksum-crc32", "nonsense")], "123456789", "400 InvalidRequest"),
            (
                "PUT",
                "/bucket/k",
                &[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-crc32c", "4waSgw==")],
                "123456789",
                "400 InvalidRequest",
            ),
            ("PUT", "/bucket/k", &[("x-amz-sdk-checksum-algorithm", "CRC32")], "123456789", "400 InvalidRequest"),
            (
                "PUT",
                "/bucket/k",
                &[("x-amz-trailer", "x-amz-checksum-crc32")],
                "123456789",
                "400 MalformedTrailerError",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn attributes() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let put = world.ask("PUT", "/bucket/k").header("x-amz-checksum-sha1", NINE[3].1).body("123456789").send().await;
    assert_eq!(put.outcome(), "200");
    let wanted = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize";
    let got = world.ask("GET", "/bucket/k?attributes").header("x-amz-object-attributes", wanted).send().await;
    assert_eq!(got.one("ETag").as_deref(), Some("25f9e794323b453885f5181f1b624d0b"));
    assert_eq!(got.one("ChecksumSHA1").as_deref(), Some(NINE[3].1));
    assert_eq!(got.one("ChecksumType").as_deref(), Some("FULL_OBJECT"));
    assert_eq!(got.one("ObjectSize").as_deref(), Some("9"));
    assert_eq!(got.one("StorageClass").as_deref(), Some("STANDARD"));
    assert_eq!(got.one("ObjectParts"), None);
    assert!(got.header("last-modified").is_some());
    let only = world.ask("GET", "/bucket/k?attributes").header("x-amz-object-attributes", "ObjectSize").send().await;
    assert_eq!((only.one("ETag"), only.one("ObjectSize").as_deref()), (None, Some("9")));
    check(
        &world,
        &[
            ("GET", "/bucket/k?attributes", &[("x-amz-object-attributes", "Colour")], "", "400 InvalidArgument"),
            ("GET", "/bucket/none?attributes", &[("x-amz-object-attributes", "ETag")], "", "404 NoSuchKey"),
            ("GET", "/bucket/k?attributes", &[], "", "400 InvalidRequest"),
        ],
    )
    .await;
}

#[tokio::test]
async fn large_bodies_are_checked_as_they_stream() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let answer = world.good("PUT", "/bucket/k", noise(500_000)).await;
    let crc = answer.header("x-amz-checksum-crc64nvme").unwrap();
    let again = |value: String| {
        world.ask("PUT", "/bucket/k").header("x-amz-checksum-crc64nvme", &value).body(noise(500_000)).send()
    };
    assert_eq!(again(crc.clone()).await.outcome(), "200");
    assert_eq!(again(flip(&crc)).await.outcome(), "400 BadDigest");
    world.blobs_become(1).await;
}
