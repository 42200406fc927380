//! Bucket policies: what is kept, what is refused, and what they do to each operation.

use aws_api::Timestamp;
use s3_embedded::{ServiceWriter, StagedObject};

use crate::world::{ALICE, BOB, START, WRITER, World, check};

/// Nobody's friend.
const EVE: &str = "777788889999";
const MIA: &str = r#"{"AWS":"arn:aws:iam::444455556666:user/mia"}"#;

/// A statement about a bucket `mine`.
fn statement(effect: &str, principal: &str, actions: &str, resource: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":{principal},"Action":{actions},"Resource":"arn:aws:s3:::mine{resource}"}}"#
    )
}

async fn world() -> World {
    let world = World::new();
    world.good("PUT", "/mine", "").await;
    world.good("PUT", "/mine/key", "secret").await;
    world
}

#[tokio::test]
async fn the_text_comes_back_as_it_was_put() {
    let world = world().await;
    let absent: [(_, _, &[_], _, _); 3] = [
        ("GET", "/mine?policy", &[], "", "404 NoSuchBucketPolicy"),
        ("GET", "/mine?policyStatus", &[], "", "404 NoSuchBucketPolicy"),
        ("DELETE", "/mine?policy", &[], "", "204"),
    ];
    check(&world, &absent).await;
    let text = format!("{{ \"Statement\":\r\n [{}] }}\n", statement("Deny", "\"*\"", "\"s3:PutObjectAcl\"", "/é*"));
    assert_eq!(world.good("PUT", "/mine?policy", text.clone()).await.status.as_u16(), 204);
    let got = world.good("GET", "/mine?policy", "").await;
    assert_eq!((got.xml(), got.header("content-type").as_deref()), (text.clone(), Some("application/json")));
    let status = world.good("GET", "/mine?policyStatus", "").await;
    assert_eq!(status.one("IsPublic").map(|is| is.to_lowercase()).as_deref(), Some("false"));
    let world = world.reopen().await;
    assert_eq!(world.good("GET", "/mine?policy", "").await.xml(), text);
    check(&world, &absent[2..]).await;
    check(&world, &absent[..1]).await;
    world.good("DELETE", "/mine/key", "").await;
    assert_eq!(world.store.range(store::Space::Bodies, ..).count(), 0, "the text is gone");
}

#[tokio::test]
async fn a_policy_goes_with_its_bucket() {
    let world = World::new();
    world.good("PUT", "/mine", "").await;
    world.put_policy("mine", &statement("Allow", MIA, "\"s3:ListBucket\"", "")).await;
    world.good("DELETE", "/mine", "").await;
    assert_eq!(world.store.range(store::Space::Bodies, ..).count(), 0);
    world.good("PUT", "/mine", "").await;
    check(&world, &[("GET", "/mine?policy", &[], "", "404 NoSuchBucketPolicy")]).await;
    assert_eq!(world.ask("GET", "/mine").user(BOB, "mia", false).send().await.outcome(), "403 AccessDenied");
}

#[tokio::test]
async fn refused_policies_change_nothing() {
    let world = world().await;
    world.put_policy("mine", &statement("Allow", MIA, "\"s3:GetObject\"", "/*")).await;
    let before = world.good("GET", "/mine?policy", "").await.xml();
    let one = |statement: String| format!("{{\"Statement\":[{statement}]}}");
    let cases = [
        ("nonsense".to_owned(), "Policies must be valid JSON and the first byte must be '{'", "the first byte"),
        (String::new(), "Policies must be valid JSON and the first byte must be '{'", "the first byte"),
        ("{".into(), "This policy contains invalid Json", ""),
        (
            one(statement("Allow", MIA, "\"s3:GetObject\"", "2/<*>&")),
            "Policy has invalid resource",
            "Statement 1, Resource \"arn:aws:s3:::mine2/",
        ),
        (one(statement("Allow", "\"mia\"", "\"s3:GetObject\"", "/*")), "Invalid principal in policy", "Statement 1"),
        (
            one(statement("Allow", MIA, "\"s3:Fly\"", "/*")),
            "Policy has invalid action",
            "Statement 1, Action \"s3:Fly\"",
        ),
        (format!("{{\"Statement\":[{}\"x\"]}}", " ".repeat(20 * 1024)), "Normalized policy document exceeds", ""),
    ];
    for (text, message, detail) in cases {
        let answer = world.ask("PUT", "/mine?policy").body(text.clone()).send().await;
        assert_eq!(answer.outcome(), "400 MalformedPolicy", "{text}");
        assert!(answer.one("Message").is_some_and(|found| found.starts_with(message)), "{text}: {}", answer.xml());
        assert!(answer.one("Detail").is_some_and(|found| found.starts_with(detail)), "{text}: {}", answer.xml());
        assert_eq!(answer.header("x-detail"), None);
    }
    let public = one(statement("Allow", "\"*\"", "\"s3:GetObject\"", "/*"));
    let answer = world.ask("PUT", "/mine?policy").body(public).send().await;
    assert_eq!(answer.outcome(), "403 AccessDenied");
    assert_eq!(
        answer.one("Message").as_deref(),
        Some(
            "User: arn:aws:iam::111122223333:root is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::mine\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
        )
    );
    assert_eq!(world.good("GET", "/mine?policy", "").await.xml(), before);
}

#[tokio::test]
async fn only_the_owners_account_touches_the_policy() {
    let world = world().await;
    let everything = statement("Allow", r#"{"AWS":"444455556666"}"#, "\"s3:*\"", "*");
    world.put_policy("mine", &everything).await;
    for method in ["GET", "PUT", "DELETE"] {
        // Allowed, and still not his to do.
        let allowed = world.ask(method, "/mine?policy").user(BOB, "mia", true).body("{}").send().await;
        assert_eq!(allowed.outcome(), "405 MethodNotAllowed", "{method}");
    }
    // Everything is denied to everybody; to the root and the administrators not this.
    world.put_policy("mine", &statement("Deny", "\"*\"", "\"s3:*\"", "*")).await;
    for method in ["GET", "PUT", "DELETE"] {
        let stranger = world.ask(method, "/mine?policy").user(BOB, "mia", true).body("{}").send().await;
        assert_eq!(stranger.outcome(), "403 AccessDenied", "{method}");
        let user = world.ask(method, "/mine?policy").user(ALICE, "u", true).body("{}").send().await;
        assert_eq!(user.outcome(), "403 AccessDenied", "{method}");
    }
    assert_eq!(
        world.ask("GET", "/mine/key").send().await.outcome(),
        "403 AccessDenied",
        "the policy holds for the root"
    );
    world.good("DELETE", "/mine?policy", "").await;
    world.good("GET", "/mine/key", "").await;
}

/// For each operation the action that it needs, and nothing else, lets a stranger do it.
#[tokio::test]
async fn each_operation_needs_its_action() {
    let world = world().await;
    let cases = [
        ("HEAD", "/mine", "s3:ListBucket", ""),
        ("GET", "/mine", "s3:ListBucket", ""),
        ("GET", "/mine?list-type=2", "s3:ListBucket", ""),
        ("GET", "/mine?versions", "s3:ListBucketVersions", ""),
        ("GET", "/mine?uploads", "s3:ListBucketMultipartUploads", ""),
        ("GET", "/mine?location", "s3:GetBucketLocation", ""),
        ("GET", "/mine?acl", "s3:GetBucketAcl", ""),
        ("GET", "/mine?versioning", "s3:GetBucketVersioning", ""),
        ("GET", "/mine/key", "s3:GetObject", "/key"),
        ("GET", "/mine/key?versionId=null", "s3:GetObjectVersion", "/key"),
        ("HEAD", "/mine/key", "s3:GetObject", "/key"),
        ("GET", "/mine/key?tagging", "s3:GetObjectTagging", "/key"),
        ("DELETE", "/mine/key?tagging", "s3:DeleteObjectTagging", "/key"),
        ("PUT", "/mine/new", "s3:PutObject", "/new"),
        ("POST", "/mine/new?uploads", "s3:PutObject", "/new"),
        ("DELETE", "/mine/new", "s3:DeleteObject", "/new"),
    ];
    for (method, uri, action, resource) in cases {
        let ask = || world.ask(method, uri).user(BOB, "mia", false).send();
        world.put_policy("mine", &statement("Allow", MIA, &format!("\"{action}\""), resource)).await;
        let answer = ask().await;
        assert!(answer.status.is_success(), "{method} {uri} with {action}: {}", answer.xml());
        // Everything but this.
        let but_this =
            [statement("Allow", MIA, "\"s3:*\"", "*"), statement("Deny", "\"*\"", &format!("\"{action}\""), resource)];
        world.put_policy("mine", &but_this.join(",")).await;
        assert_eq!(ask().await.status.as_u16(), 403, "{method} {uri} without {action}");
        let own = world.ask(method, uri).user(ALICE, "u", false).send().await;
        assert_eq!(own.status.as_u16(), 403, "{method} {uri}: a Deny holds for the owner's users");
    }
}

#[tokio::test]
async fn what_a_stranger_writes_belongs_to_the_owner() {
    let world = world().await;
    world.put_policy("mine", &statement("Allow", MIA, r#"["s3:PutObject","s3:GetObject"]"#, "/in/*")).await;
    let mia = |method: &'static str, uri: &'static str| world.ask(method, uri).user(BOB, "mia", false);
    assert_eq!(mia("PUT", "/mine/in/a").body("hers").send().await.outcome(), "200");
    assert_eq!(mia("PUT", "/mine/out").body("hers").send().await.outcome(), "403 AccessDenied");
    assert_eq!(world.good("GET", "/mine/in/a", "").await.body, "hers");
    let listed = world.good("GET", "/mine?prefix=in/", "").await;
    assert_eq!(listed.one("DisplayName").as_deref(), Some("account 111122223333"));
    // Without s3:ListBucket it is not told whether an object is there.
    assert_eq!(mia("GET", "/mine/in/none").send().await.outcome(), "403 AccessDenied");
    assert_eq!(mia("GET", "/mine").send().await.outcome(), "403 AccessDenied");
    assert_eq!(mia("DELETE", "/mine/in/a").send().await.outcome(), "403 AccessDenied");
    // Tags are written with a permission of their own.
    assert_eq!(mia("PUT", "/mine/in/b").header("x-amz-tagging", "a=b").send().await.outcome(), "403 AccessDenied");
    let expected = mia("PUT", "/mine/in/a").header("x-amz-expected-bucket-owner", BOB).send().await;
    assert_eq!(expected.outcome(), "403 AccessDenied");

    let started = mia("POST", "/mine/in/parts?uploads").send().await;
    let upload = started.one("UploadId").unwrap();
    world.good("GET", "/mine?uploads", "").await;
    let (part, complete, list) = (
        format!("/mine/in/parts?partNumber=1&uploadId={upload}"),
        format!("/mine/in/parts?uploadId={upload}"),
        format!("/mine/in/parts?uploadId={upload}"),
    );
    let put = world.ask("PUT", &part).user(BOB, "mia", false).body("part").send().await;
    assert_eq!(put.outcome(), "200");
    let parts = world.good("GET", &list, "").await;
    assert_eq!(parts.all("DisplayName"), ["account 444455556666", "account 111122223333"], "{}", parts.xml());
    let xml = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        put.etag()
    );
    // Who began an upload may look at it, and a third one may not.
    assert_eq!(world.ask("GET", &list).user(BOB, "mia", false).send().await.outcome(), "200");
    assert_eq!(world.ask("GET", &list).user(EVE, "eve", false).send().await.outcome(), "403 AccessDenied");
    assert_eq!(world.ask("DELETE", &list).user(EVE, "eve", false).send().await.outcome(), "403 AccessDenied");
    assert_eq!(world.ask("POST", &complete).user(BOB, "mia", false).body(xml).send().await.outcome(), "200");

    let upload = mia("POST", "/mine/in/parts?uploads").send().await.one("UploadId").unwrap();
    let abort = format!("/mine/in/parts?uploadId={upload}");
    let deny = statement("Deny", MIA, "\"s3:AbortMultipartUpload\"", "/*");
    world.put_policy("mine", &deny).await;
    assert_eq!(world.ask("DELETE", &abort).user(BOB, "mia", false).send().await.outcome(), "403 AccessDenied");
    world.good("DELETE", "/mine?policy", "").await;
    assert_eq!(world.ask("DELETE", &abort).user(BOB, "mia", false).send().await.outcome(), "204");
}

#[tokio::test]
async fn a_copy_needs_both_sides() {
    let world = world().await;
    assert_eq!(world.ask("PUT", "/hers").by(Some(BOB)).send().await.outcome(), "200");
    let copy = |to: &'static str, from: &'static str| {
        world.ask("PUT", to).user(BOB, "mia", false).header("x-amz-copy-source", from).send()
    };
    assert_eq!(copy("/hers/k", "mine/key").await.outcome(), "403 AccessDenied");
    world.put_policy("mine", &statement("Allow", MIA, "\"s3:GetObject\"", "/*")).await;
    assert_eq!(copy("/hers/k", "mine/key").await.outcome(), "200");
    assert_eq!(copy("/hers/k", "mine/none").await.outcome(), "403 AccessDenied");
    assert_eq!(copy("/mine/k", "hers/k").await.outcome(), "403 AccessDenied");
    // Tags travel only with their own permissions.
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    world.good("PUT", "/mine/key?tagging", tags).await;
    assert_eq!(copy("/hers/k", "mine/key").await.outcome(), "403 AccessDenied");
    world.put_policy("mine", &statement("Allow", MIA, r#"["s3:GetObject","s3:GetObjectTagging"]"#, "/*")).await;
    assert_eq!(copy("/hers/k", "mine/key").await.outcome(), "200");
    world.put_policy("mine", &statement("Allow", MIA, "\"s3:PutObject\"", "/*")).await;
    assert_eq!(copy("/mine/k", "hers/k").await.outcome(), "403 AccessDenied");
}

#[tokio::test]
async fn keys_are_deleted_one_by_one() {
    let world = world().await;
    world.good("PUT", "/mine/kept", "x").await;
    let body = "<Delete><Object><Key>key</Key></Object><Object><Key>kept</Key></Object></Delete>";
    let delete = |account, name: &'static str| {
        let md5 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, md5(body));
        world.ask("POST", "/mine?delete").user(account, name, false).header("content-md5", &md5).body(body).send()
    };
    assert_eq!(delete(BOB, "mia").await.outcome(), "403 AccessDenied");
    world.put_policy("mine", &statement("Allow", MIA, "\"s3:DeleteObject\"", "/key")).await;
    let answer = delete(BOB, "mia").await;
    assert_eq!((answer.status.as_u16(), answer.all("Code")), (200, vec!["AccessDenied".to_owned()]));
    assert_eq!(answer.all("Key"), ["key", "kept"], "{}", answer.xml());
    world.put_policy("mine", &statement("Deny", "\"*\"", "\"s3:DeleteObject\"", "/kept")).await;
    assert_eq!(delete(ALICE, "u").await.all("Code"), ["AccessDenied"]);
    world.good("GET", "/mine/kept", "").await;
}

fn md5(text: &str) -> [u8; 16] {
    use md5::Digest as _;
    md5::Md5::digest(text).into()
}

#[tokio::test]
async fn conditions_see_the_transport_and_the_acl() {
    let world = world().await;
    let secure = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::mine","arn:aws:s3:::mine/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;
    let acl = r#"{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::mine/*","Condition":{"StringNotEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}"#;
    world.put_policy("mine", &format!("{secure},{acl}")).await;
    let denied = world.ask("GET", "/mine/key").user(ALICE, "u", false).send().await;
    assert_eq!(
        denied.one("Message").as_deref(),
        Some(
            "User: arn:aws:iam::111122223333:user/u is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::mine/key\" with an explicit deny in a resource-based policy"
        )
    );
    assert_eq!(world.ask("GET", "/mine/key").user(ALICE, "u", true).send().await.outcome(), "200");
    let put = || world.ask("PUT", "/mine/key").user(ALICE, "u", true);
    assert_eq!(put().send().await.outcome(), "403 AccessDenied");
    assert_eq!(put().header("x-amz-acl", "private").send().await.outcome(), "403 AccessDenied");
    assert_eq!(put().header("x-amz-acl", "bucket-owner-full-control").send().await.outcome(), "200");
}

#[tokio::test]
async fn services_write_only_where_they_may() {
    let world = world().await;
    let now = Timestamp::from_secs(START);
    let key = "AWSLogs/444455556666/x";
    let put = async |writer: &ServiceWriter<'_>, key: &str| match world
        .s3
        .stage_put("mine", key, StagedObject::default(), writer, now)
        .await
    {
        Ok(unit) => world.store.commit(unit).await.map_or("store".to_owned(), |_| "done".to_owned()),
        Err(error) => error.code().as_str().to_owned(),
    };
    assert_eq!(put(&WRITER, key).await, "AccessDenied");
    let acl = r#"{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::mine","Condition":{"StringEquals":{"aws:SourceAccount":"444455556666"}}}"#;
    let write = r#"{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::mine/AWSLogs/444455556666/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"arn:aws:cloudtrail:us-east-1:444455556666:trail/audit"}}}"#;
    world.put_policy("mine", &format!("{acl},{write}")).await;
    assert_eq!(put(&WRITER, key).await, "done");
    assert_eq!(put(&WRITER, "AWSLogs/111122223333/x").await, "AccessDenied");
    assert_eq!(put(&ServiceWriter { service: "config.amazonaws.com", ..WRITER }, key).await, "AccessDenied");
    assert_eq!(put(&ServiceWriter { source_account: ALICE, ..WRITER }, key).await, "AccessDenied");
    let other = "arn:aws:cloudtrail:us-east-1:444455556666:trail/other";
    assert_eq!(put(&ServiceWriter { source_arn: other, ..WRITER }, key).await, "AccessDenied");
    let insecure = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::mine/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;
    world.put_policy("mine", &format!("{acl},{write},{insecure}")).await;
    assert_eq!(put(&WRITER, key).await, "done");
    // An unfinished write does not keep a policy from being changed.
    world.put_policy("mine", write).await;
    assert_eq!(put(&WRITER, key).await, "AccessDenied", "the ACL cannot be read");
}
