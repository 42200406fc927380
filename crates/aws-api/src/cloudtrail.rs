//! AWS CloudTrail: trails, which choose records and keep them as files in a bucket.
//!
//! Shapes after the API reference of 2013-11-01. Newer SDKs send the prefix
//! `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101` in `X-Amz-Target`; the part after its last dot before the
//! operation is the same.

mod insight;
mod lookup;
pub use insight::*;
pub use lookup::*;
use serde::{Deserialize, Serialize};

use crate::Blob;

crate::service! {
    /// AWS CloudTrail.
    CloudTrail via CloudTrailApi {
        signing_name: "cloudtrail",
        version: "2013-11-01",
        target_prefix: "CloudTrail_20131101",
        json_media_type: "application/x-amz-json-1.1",
        query_namespace: "",
    }
    Write Admin CreateTrail(CreateTrailRequest) -> CreateTrailResponse => create_trail;
    Write Admin UpdateTrail(UpdateTrailRequest) -> UpdateTrailResponse => update_trail;
    Write Admin DeleteTrail(DeleteTrailRequest) -> EmptyResponse => delete_trail;
    Read Audit GetTrail(GetTrailRequest) -> GetTrailResponse => get_trail;
    Read Audit DescribeTrails(DescribeTrailsRequest) -> DescribeTrailsResponse => describe_trails;
    Read Audit ListTrails(ListTrailsRequest) -> ListTrailsResponse => list_trails;
    Read Audit GetTrailStatus(GetTrailStatusRequest) -> GetTrailStatusResponse => get_trail_status;
    Write Admin StartLogging(StartLoggingRequest) -> EmptyResponse => start_logging;
    Write Admin StopLogging(StopLoggingRequest) -> EmptyResponse => stop_logging;
    Write Admin PutEventSelectors(PutEventSelectorsRequest) -> EventSelectorsResponse => put_event_selectors;
    Read Audit GetEventSelectors(GetEventSelectorsRequest) -> EventSelectorsResponse => get_event_selectors;
    Write Admin AddTags(AddTagsRequest) -> EmptyResponse => add_tags;
    Write Admin RemoveTags(RemoveTagsRequest) -> EmptyResponse => remove_tags;
    Read Audit ListTags(ListTagsRequest) -> ListTagsResponse => list_tags;
    Read Audit GetInsightSelectors(GetInsightSelectorsRequest) -> GetInsightSelectorsResponse => get_insight_selectors;
    Write Admin PutInsightSelectors(PutInsightSelectorsRequest) -> PutInsightSelectorsResponse => put_insight_selectors;
    Read Audit ListPublicKeys(ListPublicKeysRequest) -> ListPublicKeysResponse => list_public_keys;
    Read Audit LookupEvents(LookupEventsRequest) -> LookupEventsResponse => lookup_events;
}

/// The answer of an operation that has nothing to say but that it succeeded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptyResponse {}

/// A label on a trail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Tag {
    /// 1 to 128 characters.
    pub key: String,
    /// Up to 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Makes a trail, which does not log until `StartLogging`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct CreateTrailRequest {
    /// 3 to 128 characters.
    pub name: String,
    /// Where the log files go.
    pub s3_bucket_name: String,
    /// Before `AWSLogs/` in the files' keys; up to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_key_prefix: Option<String>,
    /// A topic to tell of each file: the name of one in the trail's account and region, or an ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sns_topic_name: Option<String>,
    /// Whether events of services without a region are chosen; true if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_global_service_events: Option<bool>,
    /// Whether events of all regions are chosen; false if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_multi_region_trail: Option<bool>,
    /// Whether digest files are written; false if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_log_file_validation: Option<bool>,
    /// A log group to send events to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_watch_logs_log_group_arn: Option<String>,
    /// The role for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_watch_logs_role_arn: Option<String>,
    /// The key that encrypts the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Whether the trail is for all accounts of an organization; false if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_organization_trail: Option<bool>,
    /// Labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags_list: Vec<Tag>,
    /// Whether CloudTrail's own deliveries are recorded; true if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recursive_logging: Option<bool>,
}

/// The trail that was made.
#[expect(clippy::struct_excessive_bools, reason = "the API has them")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateTrailResponse {
    /// The trail's name.
    pub name: String,
    /// Where the log files go.
    pub s3_bucket_name: String,
    /// Before `AWSLogs/` in the files' keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_key_prefix: Option<String>,
    /// The topic that is told of each file, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sns_topic_name: Option<String>,
    /// Its ARN.
    #[serde(rename = "SnsTopicARN", skip_serializing_if = "Option::is_none")]
    pub sns_topic_arn: Option<String>,
    /// Whether events of services without a region are chosen.
    pub include_global_service_events: bool,
    /// Whether events of all regions are chosen.
    pub is_multi_region_trail: bool,
    /// `arn:aws:cloudtrail:<home region>:<account>:trail/<name>`.
    #[serde(rename = "TrailARN")]
    pub trail_arn: String,
    /// Whether digest files are written.
    pub log_file_validation_enabled: bool,
    /// Whether the trail is for all accounts of an organization.
    pub is_organization_trail: bool,
    /// Whether CloudTrail's own deliveries are recorded, if that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recursive_logging: Option<bool>,
}

/// Changes a trail; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct UpdateTrailRequest {
    /// The trail's name or ARN.
    pub name: String,
    /// Where the log files go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_bucket_name: Option<String>,
    /// Before `AWSLogs/` in the files' keys; up to 200 characters; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_key_prefix: Option<String>,
    /// A topic to tell of each file: the name of one in the trail's account and region, or an ARN; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sns_topic_name: Option<String>,
    /// Whether events of services without a region are chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_global_service_events: Option<bool>,
    /// Whether events of all regions are chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_multi_region_trail: Option<bool>,
    /// Whether digest files are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_log_file_validation: Option<bool>,
    /// A log group to send events to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_watch_logs_log_group_arn: Option<String>,
    /// The role for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_watch_logs_role_arn: Option<String>,
    /// The key that encrypts the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Whether the trail is for all accounts of an organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_organization_trail: Option<bool>,
    /// Whether CloudTrail's own deliveries are recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recursive_logging: Option<bool>,
}

/// The trail as it is now.
pub type UpdateTrailResponse = CreateTrailResponse;

/// Names a trail, by name or ARN.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct TrailNameRequest {
    /// The trail's name or ARN.
    pub name: String,
}

/// Removes a trail; its files stay.
pub type DeleteTrailRequest = TrailNameRequest;
/// Asks for a trail.
pub type GetTrailRequest = TrailNameRequest;
/// Asks what a trail has been doing.
pub type GetTrailStatusRequest = TrailNameRequest;
/// Begins to choose and deliver events.
pub type StartLoggingRequest = TrailNameRequest;
/// Ends it.
pub type StopLoggingRequest = TrailNameRequest;

/// A trail.
#[expect(clippy::struct_excessive_bools, reason = "the API has them")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Trail {
    /// The trail's name.
    pub name: String,
    /// Where the log files go.
    pub s3_bucket_name: String,
    /// Before `AWSLogs/` in the files' keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_key_prefix: Option<String>,
    /// The topic that is told of each file, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sns_topic_name: Option<String>,
    /// Its ARN.
    #[serde(rename = "SnsTopicARN", skip_serializing_if = "Option::is_none")]
    pub sns_topic_arn: Option<String>,
    /// Whether events of services without a region are chosen.
    pub include_global_service_events: bool,
    /// Whether events of all regions are chosen.
    pub is_multi_region_trail: bool,
    /// The region in which the trail was made.
    pub home_region: String,
    /// `arn:aws:cloudtrail:<home region>:<account>:trail/<name>`.
    #[serde(rename = "TrailARN")]
    pub trail_arn: String,
    /// Whether digest files are written.
    pub log_file_validation_enabled: bool,
    /// Whether `PutEventSelectors` was called.
    pub has_custom_event_selectors: bool,
    /// Whether it has insight selectors.
    pub has_insight_selectors: bool,
    /// Whether the trail is for all accounts of an organization.
    pub is_organization_trail: bool,
    /// Whether CloudTrail's own deliveries are recorded, if that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recursive_logging: Option<bool>,
}

/// A trail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GetTrailResponse {
    /// The trail.
    pub trail: Trail,
}

/// Asks for trails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DescribeTrailsRequest {
    /// Names or ARNs; all trails if empty.
    #[serde(rename = "trailNameList", skip_serializing_if = "Vec::is_empty")]
    pub trail_name_list: Vec<String>,
    /// Whether trails of other regions that choose events of this one are shown; true if absent.
    #[serde(rename = "includeShadowTrails", skip_serializing_if = "Option::is_none")]
    pub include_shadow_trails: Option<bool>,
}

/// The trails that exist.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DescribeTrailsResponse {
    /// The trails.
    #[serde(rename = "trailList")]
    pub trail_list: Vec<Trail>,
}

/// Asks for all trails of the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListTrailsRequest {
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A page of trails, of all regions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListTrailsResponse {
    /// The trails.
    pub trails: Vec<TrailInfo>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A trail as a list shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TrailInfo {
    /// The trail's ARN.
    #[serde(rename = "TrailARN")]
    pub trail_arn: String,
    /// The trail's name.
    pub name: String,
    /// The region in which it was made.
    pub home_region: String,
}

/// What a trail has been doing. Times as numbers are seconds since the epoch; as texts, ISO 8601, empty for never.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GetTrailStatusResponse {
    /// Whether it chooses and delivers events.
    pub is_logging: bool,
    /// The name of S3's error, if the last delivery failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_delivery_error: Option<String>,
    /// The code of SNS's error, if the topic could not be told of the last file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_notification_error: Option<String>,
    /// The last file written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_delivery_time: Option<f64>,
    /// The last file that the topic was told of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_notification_time: Option<f64>,
    /// The last digest written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_digest_delivery_time: Option<f64>,
    /// The name of S3's error, if the last digest could not be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_digest_delivery_error: Option<String>,
    /// The last `StartLogging`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_logging_time: Option<f64>,
    /// The last `StopLogging`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_logging_time: Option<f64>,
    /// The last attempt to write a file.
    pub latest_delivery_attempt_time: String,
    /// The last notification attempted.
    pub latest_notification_attempt_time: String,
    /// The last notification that succeeded.
    pub latest_notification_attempt_succeeded: String,
    /// The last file written.
    pub latest_delivery_attempt_succeeded: String,
    /// The last `StartLogging`.
    pub time_logging_started: String,
    /// The last `StopLogging`.
    pub time_logging_stopped: String,
}

/// Which data events of which resources a basic selector chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DataResource {
    /// `AWS::S3::Object`.
    pub r#type: String,
    /// The beginnings of ARNs.
    pub values: Vec<String>,
}

/// A basic selector.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct EventSelector {
    /// `ReadOnly`, `WriteOnly` or `All` (if absent).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_write_type: Option<String>,
    /// True if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_management_events: Option<bool>,
    /// Data events to choose.
    pub data_resources: Vec<DataResource>,
    /// Event sources whose management events are not chosen.
    pub exclude_management_event_sources: Vec<String>,
}

/// What an advanced selector demands of one field; all operators given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct AdvancedFieldSelector {
    /// `eventCategory`, `resources.type`, `resources.ARN`, `readOnly`, `eventName`, …
    pub field: String,
    /// Is one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equals: Vec<String>,
    /// Begins with one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub starts_with: Vec<String>,
    /// Ends with one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ends_with: Vec<String>,
    /// Is none of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_equals: Vec<String>,
    /// Begins with none of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_starts_with: Vec<String>,
    /// Ends with none of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_ends_with: Vec<String>,
}

/// An advanced selector: all its fields must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct AdvancedEventSelector {
    /// For a person; up to 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it demands.
    pub field_selectors: Vec<AdvancedFieldSelector>,
}

/// Replaces a trail's selectors with basic or with advanced ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PutEventSelectorsRequest {
    /// The trail's name or ARN.
    pub trail_name: String,
    /// One to five basic selectors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_selectors: Vec<EventSelector>,
    /// Advanced selectors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advanced_event_selectors: Vec<AdvancedEventSelector>,
}

/// Asks for a trail's selectors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct GetEventSelectorsRequest {
    /// The trail's name or ARN.
    pub trail_name: String,
}

/// A trail's selectors, of the kind that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EventSelectorsResponse {
    /// The trail's ARN.
    #[serde(rename = "TrailARN")]
    pub trail_arn: String,
    /// Basic selectors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_selectors: Vec<EventSelector>,
    /// Advanced selectors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advanced_event_selectors: Vec<AdvancedEventSelector>,
}

/// Sets labels on a trail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct AddTagsRequest {
    /// The trail's ARN.
    pub resource_id: String,
    /// Up to 200 labels.
    pub tags_list: Vec<Tag>,
}

/// Takes labels from a trail.
pub type RemoveTagsRequest = AddTagsRequest;

/// Asks for trails' labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListTagsRequest {
    /// Up to 20 ARNs of trails.
    pub resource_id_list: Vec<String>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Trails' labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListTagsResponse {
    /// One for each trail that was asked for, in that order.
    pub resource_tag_list: Vec<ResourceTag>,
}

/// A trail's labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResourceTag {
    /// The trail's ARN.
    pub resource_id: String,
    /// Its labels, in the order of their keys.
    pub tags_list: Vec<Tag>,
}

/// Asks for the keys that digests of a time were signed with. Times are seconds since the epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListPublicKeysRequest {
    /// Now if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<f64>,
    /// Now if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<f64>,
    /// Reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// The keys of the region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListPublicKeysResponse {
    /// Their times may overlap.
    pub public_key_list: Vec<PublicKey>,
}

/// A key that proves digests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PublicKey {
    /// PKCS #1 DER.
    pub value: Blob,
    /// Digests were signed with it from here on.
    pub validity_start_time: f64,
    /// And no longer than this.
    pub validity_end_time: f64,
    /// Its name in digests.
    pub fingerprint: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, Role};

    #[test]
    fn a_key_for_audit_changes_no_trail() {
        assert_eq!(SERVICE.ops.len(), 18);
        for op in SERVICE.ops {
            assert_eq!(op.role == Role::Admin, op.access == Access::Write, "{}", op.name);
            assert_ne!(op.role, Role::S3, "{}", op.name);
        }
    }

    #[test]
    fn odd_member_names() {
        let names = |text: &str| serde_json::from_str::<DescribeTrailsRequest>(text).map(|req| req.trail_name_list);
        assert_eq!(names("{\"trailNameList\":[\"a\"]}").ok(), Some(vec!["a".to_owned()]));
        assert!(names("{\"TrailNameList\":[]}").is_err());
        let json = serde_json::to_value(DescribeTrailsResponse { trail_list: vec![Trail::default()] }).unwrap();
        assert_eq!(json["trailList"][0]["TrailARN"], "");
        assert_eq!(json["trailList"][0]["S3BucketName"], "");
        let resource: DataResource = serde_json::from_str("{\"Type\":\"t\",\"Values\":[]}").unwrap();
        assert_eq!(resource.r#type, "t");
    }
}
