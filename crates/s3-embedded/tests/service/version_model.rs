//! Sequences of operations on versions against a list of them in memory.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use s3_embedded::Options;

use crate::world::{Answer, World, noise};

const KEYS: [&str; 3] = ["a", "b", "b/c"];

#[derive(Debug, Clone)]
enum Step {
    Versioning(bool),
    Put(&'static str, usize),
    Delete(&'static str),
    /// The n-th version of a key, from the newest.
    DeleteVersion(&'static str, usize),
    /// The n-th version of one key becomes a new version of another.
    Copy(&'static str, usize, &'static str),
    Upload(&'static str, usize),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || select(&KEYS[..]);
    let size = || select(&[0_usize, 5, 65_537][..]);
    prop_oneof![
        2 => any::<bool>().prop_map(Step::Versioning),
        6 => (key(), size()).prop_map(|(key, size)| Step::Put(key, size)),
        3 => key().prop_map(Step::Delete),
        5 => (key(), 0..4_usize).prop_map(|(key, number)| Step::DeleteVersion(key, number)),
        2 => (key(), 0..3_usize, key()).prop_map(|(from, number, to)| Step::Copy(from, number, to)),
        1 => (key(), size()).prop_map(|(key, size)| Step::Upload(key, size)),
        1 => Just(Step::Reopen),
    ]
}

/// The versions of a key, the newest first: an id, and bytes or a delete marker.
type Versions = Vec<(String, Option<Vec<u8>>)>;

#[derive(Default)]
struct Model {
    /// `None`: never enabled.
    enabled: Option<bool>,
    keys: BTreeMap<&'static str, Versions>,
}

impl Model {
    /// What an answer named becomes the newest version.
    fn add(&mut self, key: &'static str, answer: &Answer, bytes: Option<Vec<u8>>) {
        let id = answer.header("x-amz-version-id");
        assert_eq!(id.is_some(), self.enabled.is_some());
        let id = id.unwrap_or_else(|| "null".to_owned());
        assert_eq!(id == "null", self.enabled != Some(true));
        let versions = self.keys.entry(key).or_default();
        versions.retain(|(known, _)| *known != id);
        if bytes.is_some() || self.enabled.is_some() {
            versions.insert(0, (id, bytes));
        }
    }

    fn nth(&self, key: &str, number: usize) -> Option<(String, Option<Vec<u8>>)> {
        self.keys.get(key)?.get(number).cloned()
    }
}

async fn upload(world: &World, key: &str, size: usize) -> Answer {
    let id = world.good("POST", &format!("/bucket/{key}?uploads"), "").await.one("UploadId").unwrap();
    let part = world.good("PUT", &format!("/bucket/{key}?partNumber=1&uploadId={id}"), noise(size)).await.etag();
    let part = format!("<Part><PartNumber>1</PartNumber><ETag>{part}</ETag></Part>");
    let body = format!("<CompleteMultipartUpload>{part}</CompleteMultipartUpload>");
    world.good("POST", &format!("/bucket/{key}?uploadId={id}"), body).await
}

async fn apply(world: &World, model: &mut Model, step: Step) {
    match step {
        Step::Versioning(enabled) => {
            let status = if enabled { "Enabled" } else { "Suspended" };
            let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
            world.good("PUT", "/bucket?versioning", body).await;
            model.enabled = Some(enabled);
        }
        Step::Put(key, size) => {
            let answer = world.good("PUT", &format!("/bucket/{key}"), noise(size)).await;
            model.add(key, &answer, Some(noise(size).to_vec()));
        }
        Step::Upload(key, size) => {
            let answer = upload(world, key, size).await;
            model.add(key, &answer, Some(noise(size).to_vec()));
        }
        Step::Delete(key) => {
            let answer = world.good("DELETE", &format!("/bucket/{key}"), "").await;
            model.add(key, &answer, None);
        }
        Step::DeleteVersion(key, number) => {
            let Some((id, bytes)) = model.nth(key, number) else { return };
            let answer = world.good("DELETE", &format!("/bucket/{key}?versionId={id}"), "").await;
            assert_eq!(answer.header("x-amz-delete-marker").is_some(), bytes.is_none());
            model.keys.entry(key).or_default().remove(number);
        }
        Step::Copy(from, number, to) => {
            let Some((id, bytes)) = model.nth(from, number) else { return };
            let copy = world.ask("PUT", &format!("/bucket/{to}")).header("x-amz-metadata-directive", "REPLACE");
            let copy = copy.header("x-amz-copy-source", &format!("bucket/{from}?versionId={id}")).send().await;
            assert_eq!(copy.outcome(), if bytes.is_some() { "200" } else { "400 InvalidRequest" });
            if bytes.is_some() {
                model.add(to, &copy, bytes);
            }
        }
        Step::Reopen => {}
    }
}

/// Id, whether it is the latest, and whether it is a delete marker.
type Shown = (String, bool, bool);

/// All versions as pages of so many show them.
async fn listed(world: &World, max: usize) -> BTreeMap<String, Vec<Shown>> {
    let (mut shown, mut query): (BTreeMap<String, Vec<Shown>>, _) = (BTreeMap::new(), String::new());
    loop {
        let page = world.good("GET", &format!("/bucket?versions&max-keys={max}{query}"), "").await;
        for (element, is_marker) in [("DeleteMarker", true), ("Version", false)] {
            for entry in page.all(element) {
                let one = |name: &str| {
                    let (_, rest) = entry.split_once(&format!("<{name}>")).unwrap();
                    rest.split('<').next().unwrap().to_owned()
                };
                let entry = (one("VersionId"), one("IsLatest") == "true", is_marker);
                shown.entry(one("Key")).or_default().push(entry);
            }
        }
        let Some(key) = page.one("NextKeyMarker") else { return shown };
        query = format!("&key-marker={key}&version-id-marker={}", page.one("NextVersionIdMarker").unwrap());
    }
}

async fn compare(world: &World, model: &Model) {
    // In pages of one an order can be seen across markers and objects.
    let shown = listed(world, 1).await;
    assert_eq!(listed(world, 1000).await.len(), shown.len());
    let current = |key: &str| model.nth(key, 0).and_then(|(_, bytes)| bytes);
    let keys: Vec<_> = KEYS.into_iter().filter(|key| current(key).is_some()).collect();
    assert_eq!(world.good("GET", "/bucket", "").await.all("Key"), keys);
    for key in KEYS {
        let versions = model.keys.get(key).cloned().unwrap_or_default();
        let expected: Vec<Shown> = versions
            .iter()
            .enumerate()
            .map(|(number, (id, bytes))| (id.clone(), number == 0, bytes.is_none()))
            .collect();
        assert_eq!(shown.get(key).cloned().unwrap_or_default(), expected, "{key}");
        let now = world.ask("GET", &format!("/bucket/{key}")).send().await;
        match current(key) {
            Some(bytes) => assert!(now.body == bytes[..], "{key}"),
            None => assert_eq!(now.outcome(), "404 NoSuchKey"),
        }
        for (id, bytes) in versions {
            let answer = world.ask("GET", &format!("/bucket/{key}?versionId={id}")).send().await;
            match bytes {
                Some(bytes) => assert!(answer.body == bytes[..], "{key} {id}"),
                None => assert_eq!(answer.outcome(), "405 MethodNotAllowed"),
            }
        }
    }
}

async fn run(steps: Vec<Step>) {
    let options = || Options { part_size_min: 0, ..Options::default() };
    let mut world = World::with(options());
    let mut model = Model::default();
    world.good("PUT", "/bucket", "").await;
    for step in steps {
        if matches!(step, Step::Reopen) {
            world = world.reopen_with(options()).await;
        } else {
            apply(&world, &mut model, step).await;
        }
        compare(&world, &model).await;
    }
    for (key, versions) in &model.keys {
        for (id, _) in versions {
            world.good("DELETE", &format!("/bucket/{key}?versionId={id}"), "").await;
        }
    }
    world.blobs_become(0).await;
    for space in [store::Space::Bodies, store::Space::Parts, store::Space::Objects, store::Space::Versions] {
        assert_eq!(world.store.range(space, ..).count(), 0, "{space:?} is left behind");
    }
    world.good("DELETE", "/bucket", "").await;
}

#[test]
fn any_sequence_keeps_what_a_list_keeps_and_leaves_nothing_behind() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 12, max_shrink_iters: 200, ..Config::default() });
    runner
        .run(&proptest::collection::vec(step(), 1..20), |steps| {
            runtime.block_on(run(steps));
            Ok(())
        })
        .unwrap();
}
