//! Block public access, ownership, ACLs and tags of buckets.

use crate::world::{ALICE, BOB, World, check};

const PUBLIC: &str = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}"#;
const OPEN: &str = "<PublicAccessBlockConfiguration/>";

async fn world() -> World {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    world.good("PUT", "/bucket/k", "hello").await;
    world
}

fn block(setting: &str) -> String {
    format!("<PublicAccessBlockConfiguration><{setting}>true</{setting}></PublicAccessBlockConfiguration>")
}

fn ownership(value: &str) -> String {
    format!("<OwnershipControls><Rule><ObjectOwnership>{value}</ObjectOwnership></Rule></OwnershipControls>")
}

#[tokio::test]
async fn public_access_is_blocked_until_it_is_opened() {
    let world = world().await;
    let settings = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
    let shown = world.good("GET", "/bucket?publicAccessBlock", "").await;
    assert!(settings.iter().all(|setting| shown.one(setting).as_deref() == Some("true")), "{}", shown.xml());
    let policy = format!(r#"{{"Statement":[{PUBLIC}]}}"#);
    let put = || world.ask("PUT", "/bucket?policy").body(policy.clone()).send();
    let read = || world.ask("GET", "/bucket/k").user(BOB, "mia", true).send();
    assert_eq!(put().await.outcome(), "403 AccessDenied");
    world.good("PUT", "/bucket?publicAccessBlock", block("BlockPublicAcls")).await;
    assert_eq!(put().await.outcome(), "204");
    let status = world.good("GET", "/bucket?policyStatus", "").await.one("IsPublic");
    assert_eq!(status.map(|is| is.to_lowercase()).as_deref(), Some("true"));
    assert_eq!(read().await.outcome(), "200");
    world.good("PUT", "/bucket?publicAccessBlock", block("RestrictPublicBuckets")).await;
    assert_eq!(read().await.outcome(), "403 AccessDenied", "the policy is there and allows nothing");
    assert_eq!(world.ask("GET", "/bucket/k").user(ALICE, "u", true).send().await.outcome(), "200");
    world.good("DELETE", "/bucket?publicAccessBlock", "").await;
    let world = world.reopen().await;
    check(&world, &[("GET", "/bucket?publicAccessBlock", &[], "", "404 NoSuchPublicAccessBlockConfiguration")]).await;
    assert_eq!(world.ask("GET", "/bucket/k").user(BOB, "mia", true).send().await.outcome(), "200");
    assert_eq!(world.ask("GET", "/bucket/k").by(None).send().await.outcome(), "403 AccessDenied", "nobody is nobody");
    let theirs = world.ask("PUT", "/bucket?publicAccessBlock").by(Some(BOB)).body(OPEN).send().await;
    assert_eq!(theirs.outcome(), "403 AccessDenied");
}

#[tokio::test]
async fn acls_where_they_are_switched_off() {
    let world = world().await;
    let off = "400 AccessControlListNotSupported";
    let cases: &[(_, _, &[_], _, _)] = &[
        ("PUT", "/bucket/k", &[("x-amz-acl", "private")], "x", off),
        ("PUT", "/bucket/k", &[("x-amz-acl", "public-read")], "x", off),
        ("PUT", "/bucket/k", &[("x-amz-grant-read", "id=1")], "x", off),
        ("PUT", "/bucket/k", &[("x-amz-acl", "bucket-owner-full-control")], "x", "200"),
        ("PUT", "/bucket/k", &[("x-amz-acl", "no-such")], "x", "400 InvalidArgument"),
        ("POST", "/bucket/k?uploads", &[("x-amz-acl", "private")], "", off),
        ("PUT", "/bucket/c", &[("x-amz-copy-source", "bucket/k"), ("x-amz-acl", "private")], "", off),
        ("PUT", "/bucket?acl", &[("x-amz-acl", "private")], "", off),
        ("PUT", "/bucket/k?acl", &[("x-amz-acl", "bucket-owner-full-control")], "", off),
        ("PUT", "/bucket/none?acl", &[("x-amz-acl", "private")], "", "404 NoSuchKey"),
    ];
    check(&world, cases).await;
}

#[tokio::test]
async fn acls_where_they_are_not() {
    let world = world().await;
    assert_eq!(
        world.good("GET", "/bucket?ownershipControls", "").await.all("ObjectOwnership"),
        ["BucketOwnerEnforced"]
    );
    world.good("PUT", "/bucket?ownershipControls", ownership("BucketOwnerPreferred")).await;
    let public = ("x-amz-acl", "public-read");
    let group = ("x-amz-grant-read", "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"");
    let cases: &[(_, _, &[_], _, _)] = &[
        ("PUT", "/bucket/k", &[("x-amz-acl", "private")], "x", "200"),
        ("PUT", "/bucket/k", &[("x-amz-acl", "bucket-owner-full-control")], "x", "200"),
        ("PUT", "/bucket/k", &[public], "x", "403 AccessDenied"),
        ("PUT", "/bucket/k", &[group], "x", "403 AccessDenied"),
        ("PUT", "/bucket/k", &[("x-amz-acl", "aws-exec-read")], "x", "501 NotImplemented"),
        ("PUT", "/bucket/k", &[("x-amz-grant-read", "id=1")], "x", "501 NotImplemented"),
        ("PUT", "/bucket?acl", &[("x-amz-acl", "private")], "", "200"),
        ("PUT", "/bucket?acl", &[public], "", "403 AccessDenied"),
        ("PUT", "/bucket?acl", &[], "", "400 MissingSecurityHeader"),
        ("PUT", "/bucket/k?acl", &[("x-amz-acl", "bucket-owner-full-control")], "", "200"),
        ("PUT", "/bucket?publicAccessBlock", &[], OPEN, "200"),
        ("PUT", "/bucket/k", &[public], "x", "501 NotImplemented"),
        ("PUT", "/bucket?acl", &[public], "", "501 NotImplemented"),
        ("PUT", "/bucket?ownershipControls", &[], &ownership("Nobody"), "400 MalformedXML"),
        ("PUT", "/bucket?ownershipControls", &[], "<OwnershipControls/>", "400 MalformedXML"),
        ("DELETE", "/bucket?ownershipControls", &[], "", "204"),
        ("GET", "/bucket?ownershipControls", &[], "", "404 OwnershipControlsNotFoundError"),
        ("PUT", "/bucket/k", &[("x-amz-acl", "private")], "x", "200"),
    ];
    check(&world, cases).await;
}

/// Every object is its bucket's owner's; where a request would make it otherwise, it is refused.
#[tokio::test]
async fn objects_of_other_accounts() {
    let world = world().await;
    let statement = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{BOB}"}},"Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/*"}}"#
    );
    world.put_policy("bucket", &statement).await;
    let expected = [
        ("BucketOwnerEnforced", "200", "200"),
        ("BucketOwnerPreferred", "501 NotImplemented", "200"),
        ("ObjectWriter", "501 NotImplemented", "501 NotImplemented"),
    ];
    for (value, bare, with_acl) in expected {
        world.good("PUT", "/bucket?ownershipControls", ownership(value)).await;
        let put = || world.ask("PUT", "/bucket/theirs").user(BOB, "mia", true).body("x");
        assert_eq!(put().send().await.outcome(), bare, "{value}");
        assert_eq!(put().header("x-amz-acl", "bucket-owner-full-control").send().await.outcome(), with_acl, "{value}");
    }
}

#[tokio::test]
async fn new_buckets_say_whose_their_objects_are() {
    let world = World::new();
    let asked = |value| ("x-amz-object-ownership", value);
    let cases: &[(_, _, &[_], _, _)] = &[
        ("PUT", "/one", &[asked("ObjectWriter")], "", "200"),
        ("PUT", "/two", &[asked("Nobody")], "", "400 InvalidArgument"),
        (
            "PUT",
            "/two",
            &[asked("ObjectWriter"), ("x-amz-acl", "public-read")],
            "",
            "400 InvalidBucketAclWithBlockPublicAccessError",
        ),
        ("PUT", "/two", &[asked("ObjectWriter"), ("x-amz-grant-read", "id=1")], "", "501 NotImplemented"),
        ("PUT", "/two", &[("x-amz-acl", "public-read")], "", "400 InvalidBucketAclWithObjectOwnership"),
    ];
    check(&world, cases).await;
    assert_eq!(world.good("GET", "/one?ownershipControls", "").await.all("ObjectOwnership"), ["ObjectWriter"]);
}

#[tokio::test]
async fn tags() {
    let world = world().await;
    check(&world, &[("GET", "/bucket?tagging", &[], "", "404 NoSuchTagSet")]).await;
    let set = |tags: &[(&str, &str)]| {
        let tags: String =
            tags.iter().map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>")).collect();
        format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")
    };
    assert_eq!(world.good("PUT", "/bucket?tagging", set(&[("b", "2"), ("a", "1")])).await.status.as_u16(), 200);
    let world = world.reopen().await;
    assert_eq!(world.good("GET", "/bucket?tagging", "").await.all("Key"), ["b", "a"]);
    let many: Vec<(String, String)> = (0..51).map(|number| (format!("k{number}"), String::new())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let long = "k".repeat(129);
    for (tags, expected) in [
        (set(&[("aws:x", "1")]), "400 InvalidTag"),
        (set(&[("a", "1"), ("a", "2")]), "400 InvalidTag"),
        (set(&[(&long, "1")]), "400 InvalidTag"),
        (set(&many), "400 BadRequest"),
        (set(&many[..50]), "200"),
        ("<Tagging/>".into(), "400 MalformedXML"),
    ] {
        let answer = world.ask("PUT", "/bucket?tagging").body(tags.clone()).send().await;
        assert_eq!(answer.outcome(), expected, "{tags:.200}");
    }
    world.good("DELETE", "/bucket?tagging", "").await;
    check(&world, &[("GET", "/bucket?tagging", &[], "", "404 NoSuchTagSet")]).await;
    // What a stack put stays its own.
    let stack = ("aws:cloudformation:stack-name", "logs");
    let by_service = world.ask("PUT", "/bucket?tagging").by_service().body(set(&[stack, ("a", "1")])).send().await;
    assert_eq!(by_service.outcome(), "200");
    let cases = [
        (set(&[("a", "2")]), "400 InvalidTag"),
        (set(&[(stack.0, "other")]), "400 InvalidTag"),
        (set(&[("a", "2"), stack]), "200"),
    ];
    for (tags, expected) in cases {
        assert_eq!(world.ask("PUT", "/bucket?tagging").body(tags).send().await.outcome(), expected);
    }
    check(&world, &[("DELETE", "/bucket?tagging", &[], "", "400 InvalidTag")]).await;
    assert_eq!(world.ask("DELETE", "/bucket?tagging").by_service().send().await.outcome(), "204");
    world.good("DELETE", "/bucket/k", "").await;
    assert_eq!(world.store.range(store::Space::Bodies, ..).count(), 0);
}
