//! Which events a trail chooses, and which selectors it takes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use aws_api::cloudtrail::*;
use common::{ACCOUNT, REGION, commit, create, ctx, new_trail};
use proptest::prelude::*;
use trail::{CompiledSelectors, EventCategory, EventFacts, ResourceName, Selectors, Trails};

const OBJECT: &str = "AWS::S3::Object";

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn data(read_write: &str, values: &[&str]) -> EventSelector {
    EventSelector {
        read_write_type: Some(read_write.into()),
        include_management_events: Some(false),
        data_resources: vec![DataResource { r#type: OBJECT.into(), values: texts(values) }],
        ..EventSelector::default()
    }
}

fn equals(field: &str, values: &[&str]) -> AdvancedFieldSelector {
    AdvancedFieldSelector { field: field.into(), equals: texts(values), ..AdvancedFieldSelector::default() }
}

fn advanced(fields: Vec<AdvancedFieldSelector>) -> AdvancedEventSelector {
    AdvancedEventSelector { name: None, field_selectors: fields }
}

fn advanced_data(mut more: Vec<AdvancedFieldSelector>) -> AdvancedEventSelector {
    more.insert(0, equals("eventCategory", &["Data"]));
    more.insert(1, equals("resources.type", &[OBJECT]));
    advanced(more)
}

fn object_event<'a>(event_name: &'a str, read_only: bool, resources: &'a [ResourceName<'a>]) -> EventFacts<'a> {
    EventFacts {
        account: ACCOUNT,
        region: REGION,
        category: EventCategory::Data,
        read_only,
        event_source: "s3.amazonaws.com",
        event_name,
        event_type: "AwsApiCall",
        resource_type: OBJECT,
        resources,
        user_identity_arn: Some("arn:aws:iam::111122223333:user/nightly-backup"),
        session_credential_from_console: false,
        own_delivery: false,
        stopped_trail: None,
    }
}

fn management_event<'a>(event_source: &'a str, event_name: &'a str, read_only: bool) -> EventFacts<'a> {
    EventFacts {
        category: EventCategory::Management,
        event_source,
        resource_type: "",
        ..object_event(event_name, read_only, &[])
    }
}

fn chosen(selectors: &Selectors, facts: &EventFacts<'_>) -> bool {
    CompiledSelectors::new(selectors).selects(facts)
}

#[test]
fn prefixes_of_basic_selectors() {
    use ResourceName::{Arn, ArnPrefix};
    let cases: [(&str, &str, ResourceName<'_>, bool); 18] = [
        ("arn:aws:s3", "GetObject", Arn("arn:aws:s3:::b/k"), true),
        ("arn:aws:s3:::", "GetObject", Arn("arn:aws:s3:::b/k"), true),
        ("arn:aws:s3:::b/", "GetObject", Arn("arn:aws:s3:::b/k"), true),
        ("arn:aws:s3:::b/", "GetObject", Arn("arn:aws:s3:::bb/k"), false),
        ("arn:aws:s3:::b/logs", "GetObject", Arn("arn:aws:s3:::b/logs-2026/k"), true),
        ("arn:aws:s3:::b/logs/", "GetObject", Arn("arn:aws:s3:::b/logs-2026/k"), false),
        ("arn:aws:s3:::b/", "ListObjects", ArnPrefix("arn:aws:s3:::b/"), true),
        ("arn:aws:s3:::b/logs", "ListObjects", ArnPrefix("arn:aws:s3:::b/"), false),
        ("arn:aws:s3:::b/logs", "ListObjects", ArnPrefix("arn:aws:s3:::b/logs/2026"), true),
        ("arn:aws:s3:::b/logs", "ListObjects", ArnPrefix("arn:aws:s3:::b/lo"), false),
        ("arn:aws:s3:::b/logs", "ListObjectVersions", ArnPrefix("arn:aws:s3:::b/logs"), true),
        ("arn:aws:s3:::b/", "HeadBucket", ArnPrefix("arn:aws:s3:::b/"), true),
        ("arn:aws:s3", "HeadBucket", ArnPrefix("arn:aws:s3:::b/"), true),
        ("arn:aws:s3:::b/k", "HeadBucket", ArnPrefix("arn:aws:s3:::b/"), false),
        ("arn:aws:s3:::b/", "DeleteObjects", ArnPrefix("arn:aws:s3:::b/"), true),
        ("arn:aws:s3:::b/k", "DeleteObjects", ArnPrefix("arn:aws:s3:::b/k"), false),
        ("arn:aws:s3:::b/", "DeleteObjects", ArnPrefix("arn:aws:s3:::b/k"), true),
        ("arn:aws:s3:::b/K", "GetObject", Arn("arn:aws:s3:::b/k"), false),
    ];
    for (value, name, resource, expected) in cases {
        let resources = [resource];
        let facts = object_event(name, true, &resources);
        assert_eq!(
            chosen(&Selectors::Basic(vec![data("All", &[value])]), &facts),
            expected,
            "{value} {name} {resource:?}"
        );
    }
}

#[test]
fn a_new_trail_chooses_management_events_only() {
    assert!(chosen(&Selectors::Default, &management_event("s3.amazonaws.com", "ListBuckets", true)));
    assert!(chosen(&Selectors::Default, &management_event("kms.amazonaws.com", "Decrypt", true)));
    let resources = [ResourceName::Arn("arn:aws:s3:::b/k")];
    assert!(!chosen(&Selectors::Default, &object_event("GetObject", true, &resources)));
}

#[test]
fn advanced_operators() {
    let field = AdvancedFieldSelector { field: "resources.ARN".into(), ..AdvancedFieldSelector::default() };
    let key = [ResourceName::Arn("arn:aws:s3:::b/k.txt")];
    let two = [ResourceName::Arn("arn:aws:s3:::b/k.txt"), ResourceName::Arn("arn:aws:s3:::logs/AWSLogs/x")];
    let cases: [(AdvancedFieldSelector, &[ResourceName<'_>], bool); 10] = [
        (AdvancedFieldSelector { equals: texts(&["x", "arn:aws:s3:::b/k.txt"]), ..field.clone() }, &key, true),
        (AdvancedFieldSelector { starts_with: texts(&["arn:aws:s3:::b/"]), ..field.clone() }, &key, true),
        (AdvancedFieldSelector { ends_with: texts(&[".csv", ".txt"]), ..field.clone() }, &key, true),
        (AdvancedFieldSelector { ends_with: texts(&[".csv"]), ..field.clone() }, &key, false),
        (AdvancedFieldSelector { not_equals: texts(&["arn:aws:s3:::b/k.txt"]), ..field.clone() }, &key, false),
        (AdvancedFieldSelector { not_starts_with: texts(&["arn:aws:s3:::logs/"]), ..field.clone() }, &key, true),
        (AdvancedFieldSelector { not_ends_with: texts(&[".csv", ".txt"]), ..field.clone() }, &key, false),
        (
            AdvancedFieldSelector {
                starts_with: texts(&["arn:aws:s3:::b/"]),
                not_ends_with: texts(&[".txt"]),
                ..field.clone()
            },
            &key,
            false,
        ),
        // Both conditions must hold for the same resource.
        (
            AdvancedFieldSelector {
                starts_with: texts(&["arn:aws:s3:::b/"]),
                ends_with: texts(&["x"]),
                ..field.clone()
            },
            &two,
            false,
        ),
        (AdvancedFieldSelector { ends_with: texts(&["x"]), ..field.clone() }, &two, true),
    ];
    for (selector, resources, expected) in cases {
        let facts = object_event("PutObject", false, resources);
        let selectors = Selectors::Advanced(vec![advanced_data(vec![selector.clone()])]);
        assert_eq!(chosen(&selectors, &facts), expected, "{selector:?}");
    }
}

#[test]
fn advanced_fields() {
    let resources = [ResourceName::Arn("arn:aws:s3:::b/k")];
    let facts = object_event("PutObject", false, &resources);
    let not = |field: &str, value: &str| AdvancedFieldSelector {
        field: field.into(),
        not_equals: texts(&[value]),
        ..AdvancedFieldSelector::default()
    };
    for (selector, expected) in [
        (equals("readOnly", &["false"]), true),
        (equals("readOnly", &["true"]), false),
        (equals("eventName", &["GetObject", "PutObject"]), true),
        (not("eventName", "PutObject"), false),
        (equals("eventSource", &["s3.amazonaws.com"]), true),
        (equals("eventType", &["AwsServiceEvent"]), false),
        (not("userIdentity.arn", "arn:aws:iam::111122223333:user/nightly-backup"), false),
        (equals("sessionCredentialFromConsole", &["false"]), true),
        (not("sessionCredentialFromConsole", "true"), true),
    ] {
        assert_eq!(
            chosen(&Selectors::Advanced(vec![advanced_data(vec![selector.clone()])]), &facts),
            expected,
            "{selector:?}"
        );
    }
    let management = advanced(vec![equals("eventCategory", &["Management"]), not("eventSource", "kms.amazonaws.com")]);
    let selectors = CompiledSelectors::new(&Selectors::Advanced(vec![management]));
    assert!(selectors.selects(&management_event("s3.amazonaws.com", "ListBuckets", true)));
    assert!(!selectors.selects(&management_event("kms.amazonaws.com", "Decrypt", true)));
    assert!(!selectors.selects(&facts));
}

fn put(basic: Vec<EventSelector>, advanced: Vec<AdvancedEventSelector>) -> Result<EventSelectorsResponse, String> {
    let mut trails = Trails::default();
    create(&mut trails, REGION, &new_trail("audit"));
    let req = PutEventSelectorsRequest {
        trail_name: "audit".into(),
        event_selectors: basic,
        advanced_event_selectors: advanced,
    };
    let decided = trails.put_event_selectors(&ctx(REGION), &req).map_err(|error| {
        assert_eq!(error.code, "InvalidEventSelectorsException");
        error.message
    })?;
    let answer = commit(&mut trails, decided);
    let got = trails.get_event_selectors(&ctx(REGION), &GetEventSelectorsRequest { trail_name: "audit".into() });
    assert_eq!(got.as_ref(), Ok(&answer));
    let shown = trails.get_trail(&ctx(REGION), &GetTrailRequest { name: "audit".into() }).unwrap();
    assert!(shown.trail.has_custom_event_selectors);
    Ok(answer)
}

#[test]
fn selectors_that_are_refused() {
    let many: Vec<String> = (0..251).map(|n| format!("arn:aws:s3:::b/{n}")).collect();
    let cases = [
        (vec![], "Specify EventSelectors or AdvancedEventSelectors: one of them must not be empty."),
        (vec![EventSelector::default(); 6], "Specify a valid number of selectors (1 to 5) for your trail."),
        (vec![data("All", &["arn:aws:s3:::bucket"])], "Value arn:aws:s3:::bucket for DataResources.Values is invalid."),
        (vec![data("All", &["arn:aws:s3:::*"])], "Value arn:aws:s3:::* for DataResources.Values is invalid."),
        (
            vec![data("All", &many.iter().map(String::as_str).collect::<Vec<_>>())],
            "Specify a valid number of DataResources.Values (0 to 250) for all your selectors.",
        ),
        (
            vec![EventSelector { include_management_events: Some(false), ..EventSelector::default() }],
            "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, DataResources must not be empty.",
        ),
        (
            vec![data("Some", &["arn:aws:s3"])],
            "Value Some for ReadWriteType is invalid. Specify ReadOnly, WriteOnly or All.",
        ),
        (
            vec![EventSelector {
                exclude_management_event_sources: texts(&["s3.amazonaws.com"]),
                ..EventSelector::default()
            }],
            "Value s3.amazonaws.com for ExcludeManagementEventSources is invalid. Specify kms.amazonaws.com or rdsdata.amazonaws.com.",
        ),
    ];
    for (selectors, message) in cases {
        assert_eq!(put(selectors, vec![]).unwrap_err(), message);
    }
    let lambda = EventSelector {
        data_resources: vec![DataResource {
            r#type: "AWS::Lambda::Function".into(),
            values: texts(&["arn:aws:lambda"]),
        }],
        ..EventSelector::default()
    };
    assert!(
        put(vec![lambda], vec![]).unwrap_err().starts_with("Data events of the resource type AWS::Lambda::Function")
    );
    let both = put(vec![EventSelector::default()], vec![advanced_data(vec![])]).unwrap_err();
    assert!(both.contains("not both"));
}

#[test]
fn advanced_selectors_that_are_refused() {
    let management = equals("eventCategory", &["Management"]);
    let starts = |field: &str| AdvancedFieldSelector {
        field: field.into(),
        starts_with: texts(&["x"]),
        ..AdvancedFieldSelector::default()
    };
    let many: Vec<String> = (0..501).map(|n| n.to_string()).collect();
    let cases = [
        (advanced(vec![]), "must have the field eventCategory"),
        (advanced(vec![equals("eventCategory", &["Data"])]), "must have the field resources.type"),
        (advanced(vec![equals("eventCategory", &["Data", "Management"])]), "only the operator Equals, with one value"),
        (
            advanced(vec![equals("eventCategory", &["NetworkActivity"])]),
            "Value NetworkActivity for eventCategory is invalid",
        ),
        (
            advanced(vec![equals("eventCategory", &["Data"]), equals("resources.type", &["AWS::X"])]),
            "not recorded here",
        ),
        (advanced_data(vec![starts("readOnly")]), "only the operator Equals"),
        (advanced_data(vec![equals("readOnly", &["yes"])]), "Specify true or false"),
        (advanced_data(vec![starts("bytes")]), "is not valid for data events"),
        (advanced_data(vec![starts("eventName"), starts("eventName")]), "more than once"),
        (advanced_data(vec![equals("eventName", &[])]), "no operator with a value"),
        (advanced_data(vec![equals("eventName", &[""])]), "1 to 2048 characters"),
        (advanced_data(vec![starts("sessionCredentialFromConsole")]), "Equals and NotEquals"),
        (advanced_data(vec![equals("eventName", &many.iter().map(String::as_str).collect::<Vec<_>>())]), "500 in all"),
        (advanced(vec![management.clone(), starts("resources.ARN")]), "is not valid for management events"),
        (
            advanced(vec![management.clone(), equals("eventSource", &["s3.amazonaws.com"])]),
            "only the operator NotEquals",
        ),
        (AdvancedEventSelector { name: Some("n".repeat(1001)), ..advanced(vec![management]) }, "up to 1000 characters"),
    ];
    for (selector, part) in cases {
        let message = put(vec![], vec![selector.clone()]).unwrap_err();
        assert!(message.contains(part), "{message} / {selector:?}");
    }
}

#[test]
fn what_was_left_out_is_filled_in_and_one_kind_replaces_the_other() {
    let answer = put(vec![EventSelector::default()], vec![]).unwrap();
    assert_eq!(
        serde_json::to_string(&answer.event_selectors).unwrap(),
        "[{\"ReadWriteType\":\"All\",\"IncludeManagementEvents\":true,\"DataResources\":[],\"ExcludeManagementEventSources\":[]}]"
    );
    let answer = put(vec![], vec![advanced_data(vec![])]).unwrap();
    assert!(answer.event_selectors.is_empty());
}

#[test]
fn a_trail_chooses_while_it_logs_in_its_regions_for_its_account() {
    let mut trails = Trails::default();
    create(&mut trails, REGION, &new_trail("one"));
    create(&mut trails, REGION, &CreateTrailRequest { is_multi_region_trail: Some(true), ..new_trail("all") });
    create(&mut trails, REGION, &CreateTrailRequest { recursive_logging: Some(false), ..new_trail("quiet") });
    create(&mut trails, REGION, &new_trail("stopped"));
    for name in ["one", "all", "quiet"] {
        let decided = trails.start_logging(&ctx(REGION), &StartLoggingRequest { name: name.into() }).unwrap();
        commit(&mut trails, decided);
    }
    let names = |facts: &EventFacts<'_>| trails.selecting(facts).map(|trail| trail.name.clone()).collect::<Vec<_>>();
    let event = management_event("s3.amazonaws.com", "ListBuckets", true);
    assert_eq!(names(&event), ["all", "one", "quiet"]);
    assert_eq!(names(&EventFacts { region: "us-east-1", ..event }), ["all"]);
    assert_eq!(names(&EventFacts { own_delivery: true, ..event }), ["all", "one"]);
    assert!(names(&EventFacts { account: "444455556666", ..event }).is_empty());
    let stopping = |name, region| names(&EventFacts { stopped_trail: Some(name), region, ..event });
    assert_eq!(stopping("stopped", REGION), ["all", "one", "quiet", "stopped"], "the last event that it records");
    let arn = trails.trail(ACCOUNT, REGION, "stopped").unwrap().arn().to_string();
    assert_eq!(stopping(&arn, REGION), ["all", "one", "quiet", "stopped"]);
    assert_eq!(stopping("stopped", "us-east-1"), ["all"], "another region's trail of that name");
}

fn basic_selector() -> impl Strategy<Value = EventSelector> {
    let value = prop::sample::select(vec![
        "arn:aws:s3",
        "arn:aws:s3:::",
        "arn:aws:s3:::a/",
        "arn:aws:s3:::b/",
        "arn:aws:s3:::b/x",
        "arn:aws:s3:::b/x/y",
    ]);
    let values = prop::collection::vec(value, 1..4);
    let kind = prop::sample::select(vec!["All", "ReadOnly", "WriteOnly"]);
    let excluded = prop::sample::subsequence(vec!["kms.amazonaws.com", "rdsdata.amazonaws.com"], 0..=2);
    (kind, any::<bool>(), values, excluded).prop_map(|(kind, management, values, excluded)| EventSelector {
        include_management_events: Some(management),
        exclude_management_event_sources: texts(&excluded),
        ..data(kind, &values)
    })
}

/// The same in advanced selectors, as a user would write it.
fn as_advanced(selector: &EventSelector) -> Vec<AdvancedEventSelector> {
    let read_only = match selector.read_write_type.as_deref() {
        Some("ReadOnly") => Some(equals("readOnly", &["true"])),
        Some("WriteOnly") => Some(equals("readOnly", &["false"])),
        _ => None,
    };
    let mut list = Vec::new();
    if selector.include_management_events == Some(true) {
        let mut fields = vec![equals("eventCategory", &["Management"])];
        fields.extend(read_only.clone());
        if !selector.exclude_management_event_sources.is_empty() {
            fields.push(AdvancedFieldSelector {
                field: "eventSource".into(),
                not_equals: selector.exclude_management_event_sources.clone(),
                ..AdvancedFieldSelector::default()
            });
        }
        list.push(advanced(fields));
    }
    for resource in &selector.data_resources {
        let mut fields: Vec<_> = read_only.clone().into_iter().collect();
        fields.push(AdvancedFieldSelector {
            field: "resources.ARN".into(),
            starts_with: resource.values.clone(),
            ..AdvancedFieldSelector::default()
        });
        list.push(advanced_data(fields));
    }
    list
}

/// The guide's rules for basic selectors, written down without any of the crate's machinery.
fn naive(selectors: &[EventSelector], facts: &EventFacts<'_>) -> bool {
    selectors.iter().any(|selector| {
        let kind = match selector.read_write_type.as_deref() {
            Some("ReadOnly") => facts.read_only,
            Some("WriteOnly") => !facts.read_only,
            _ => true,
        };
        let included = match facts.category {
            EventCategory::Management => {
                selector.include_management_events == Some(true)
                    && !selector.exclude_management_event_sources.iter().any(|source| source == facts.event_source)
            }
            EventCategory::Data => selector.data_resources.iter().flat_map(|resource| &resource.values).any(|value| {
                facts.resources.iter().any(|resource| {
                    let (ResourceName::Arn(arn) | ResourceName::ArnPrefix(arn)) = *resource;
                    let whole_bucket =
                        value.matches('/').count() == 0 || value.ends_with('/') && value.matches('/').count() == 1;
                    let only_whole = matches!(facts.event_name, "HeadBucket" | "DeleteObjects");
                    arn.starts_with(value.as_str()) && (whole_bucket || !only_whole)
                })
            }),
        };
        kind && included
    })
}

proptest! {
    #[test]
    fn basic_and_advanced_say_the_same(
        selectors in prop::collection::vec(basic_selector(), 1..4),
        bucket in prop::sample::select(vec!["a", "b", "bb"]),
        key in "[xyz/]{0,4}",
        name in prop::sample::select(vec!["GetObject", "PutObject", "ListObjects", "HeadBucket", "DeleteObjects"]),
        source in prop::sample::select(vec!["s3.amazonaws.com", "kms.amazonaws.com"]),
        read_only: bool,
        management: bool,
    ) {
        let arn = format!("arn:aws:s3:::{bucket}/{key}");
        let resources = [ResourceName::Arn(&arn)];
        let facts = if management {
            management_event(source, name, read_only)
        } else {
            object_event(name, read_only, &resources)
        };
        let basic = chosen(&Selectors::Basic(selectors.clone()), &facts);
        let translated = chosen(&Selectors::Advanced(selectors.iter().flat_map(as_advanced).collect()), &facts);
        prop_assert_eq!(basic, translated);
        prop_assert_eq!(basic, naive(&selectors, &facts));
    }
}
