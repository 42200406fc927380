//! Events and rules from `shared/data/patterns-bench`, and rules of our own.

use std::fs::File;
use std::io::Read;

use event_pattern::{Matcher, Pattern};
use flate2::read::MultiGzDecoder;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/patterns-bench");

pub fn lines(name: &str) -> Vec<Vec<u8>> {
    let path = format!("{FOLDER}/{name}.jsonl.gz");
    let mut text = Vec::new();
    let file = File::open(&path).unwrap_or_else(|error| panic!("the corpus {path} is missing: {error}"));
    MultiGzDecoder::new(file).read_to_end(&mut text).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

/// Rules under test, as text for the rival too.
pub struct Rules {
    pub texts: Vec<String>,
}

impl Rules {
    pub fn file(name: &str) -> Self {
        let texts = lines(name).into_iter().map(|line| String::from_utf8(line).expect("rules are UTF-8")).collect();
        Self { texts }
    }

    pub fn of(texts: impl IntoIterator<Item = String>) -> Self {
        Self { texts: texts.into_iter().collect() }
    }

    pub fn patterns(&self) -> Vec<Pattern> {
        self.texts.iter().map(|text| Pattern::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"))).collect()
    }

    pub fn matcher(&self) -> Matcher<usize> {
        let mut matcher = Matcher::new();
        for (index, pattern) in self.patterns().into_iter().enumerate() {
            matcher.add(index, pattern);
        }
        matcher
    }
}

/// A rule on one field of a city lot, given by its path.
fn ask(path: &str, asked: &str) -> String {
    path.rsplit('.').fold(format!("[{asked}]"), |below, step| format!("{{\"{step}\":{below}}}"))
}

fn asks(path: &str, operator: &str, texts: [&str; 5]) -> Vec<String> {
    texts.map(|text| ask(path, &format!("{{\"{operator}\":\"{text}\"}}"))).into()
}

/// Five rules a group, on the fields that the published city-lots benchmark of aws/event-ruler uses. The events were
/// made to have its frequencies.
pub fn city_groups() -> Vec<(&'static str, Vec<String>)> {
    let numbers = |at: &str| {
        let x = |asked: &str| ask(&format!("geometry.{at}.x"), &format!("{{\"numeric\":[{asked}]}}"));
        let mut rules: Vec<String> =
            ["\"=\",-122.42916360922355", "\"<\",-122.41600944012424", "\">\",-122.41600944012424"].map(x).into();
        rules.push(x("\">\",-122.46471267081272,\"<\",-122.4063085128395"));
        rules.push(match at {
            "coordinates" => ask("geometry.coordinates.y", "{\"numeric\":[\"=\",37.729900216217324]}"),
            _ => ask("geometry.firstCoordinates.z", "{\"numeric\":[\"=\",1]}"),
        });
        rules
    };
    let exact = ["1430022", "2607117", "2607218", "3745012", "VACSTWIL"];
    vec![
        ("EXACT", exact.map(|lot| ask("properties.MAPBLKLOT", &format!("\"{lot}\""))).into()),
        ("WILDCARD", asks("properties.MAPBLKLOT", "wildcard", ["143*", "2*0*1*7", "*218", "3*5*2", "VA*IL"])),
        ("PREFIX", asks("properties.STREET", "prefix", ["AC", "BL", "DR", "FU", "RH"])),
        ("SUFFIX", asks("properties.STREET", "suffix", ["ON", "KE", "MM", "ING", "GO"])),
        (
            "EQUALS_IGNORE_CASE",
            asks("properties.STREET", "equals-ignore-case", ["jefferson", "bEaCh", "HyDe", "CHESTNUT", "masOn"]),
        ),
        ("NUMERIC", numbers("firstCoordinates")),
        (
            "ANYTHING_BUT",
            vec![
                ask("properties.STREET", r#"{"anything-but":["FULTON"]}"#),
                ask("properties.STREET", r#"{"anything-but":["MASON"]}"#),
                ask("properties.ST_TYPE", r#"{"anything-but":["ST"]}"#),
                ask("geometry.type", r#"{"anything-but":["Polygon"]}"#),
                ask("properties.FROM_ST", r#"{"anything-but":["441"]}"#),
            ],
        ),
        ("COMPLEX_ARRAYS", numbers("coordinates")),
    ]
}
