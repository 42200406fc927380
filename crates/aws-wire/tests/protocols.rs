//! Requests as real clients send them, and the answers byte for byte.
#![expect(clippy::unwrap_used, reason = "a test may panic in its helpers too")]

use std::collections::BTreeMap;

use aws_api::sns::{
    self, BatchResultErrorEntry, CreateTopicRequest, GetTopicAttributesResponse, ListTopicsResponse,
    PublishBatchRequest, PublishBatchResponse, PublishRequest, PublishResponse, TagResourceResponse,
    UntagResourceRequest,
};
use aws_api::sqs::{
    self, CreateQueueRequest, EmptyResult, GetQueueAttributesResult, ListQueueTagsResult, Message,
    ReceiveMessageRequest, ReceiveMessageResult, SendMessageBatchRequest, SendMessageBatchResult,
    SendMessageBatchResultEntry, SendMessageRequest,
};
use aws_api::{ApiError, Blob, Codec as _, ServiceInfo, cloudtrail, events, sts};
use aws_wire::{Call, Head, Protocol, WireResponse};
use bytes::Bytes;

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

const SQS: &ServiceInfo = &sqs::SERVICE;
const SNS: &ServiceInfo = &sns::SERVICE;

fn form(service: &'static ServiceInfo, path: &str, body: &'static str) -> Result<Call, ApiError> {
    let head = Head { path, content_type: Some(FORM), ..Head::default() };
    Call::parse(service, &head, Bytes::from_static(body.as_bytes()))
}

fn json_head(target: &str) -> Head<'_> {
    let content_type = Some("application/x-amz-json-1.0");
    Head { path: "/", content_type, target: Some(target), query_mode: Some("true"), ..Head::default() }
}

fn json(service: &'static ServiceInfo, target: &str, body: &'static str) -> Result<Call, ApiError> {
    Call::parse(service, &json_head(target), Bytes::from_static(body.as_bytes()))
}

fn answer<T: serde::Serialize>(call: &Call, output: &T) -> String {
    text(call.response(call.encode(output), "rid"))
}

fn text(response: WireResponse) -> String {
    String::from_utf8(response.body).unwrap()
}

#[test]
fn botocore_publishes() {
    let body = "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%3A111122223333%3At\
                &Message=a%26b%3Dc+%C3%A9%2B&Subject=s&MessageAttributes.entry.1.Name=a\
                &MessageAttributes.entry.1.Value.DataType=Number&MessageAttributes.entry.1.Value.StringValue=99.12\
                &MessageAttributes.entry.2.Name=b&MessageAttributes.entry.2.Value.DataType=Binary\
                &MessageAttributes.entry.2.Value.BinaryValue=AgME";
    let call = form(SNS, "/", body).unwrap();
    assert_eq!((call.op().name, call.protocol()), ("Publish", Protocol::Query));
    let read: PublishRequest = call.decode().unwrap();
    let number = sns::MessageAttributeValue {
        data_type: Some("Number".into()),
        string_value: Some("99.12".into()),
        binary_value: None,
    };
    let binary = sns::MessageAttributeValue {
        data_type: Some("Binary".into()),
        string_value: None,
        binary_value: Some(Blob(vec![2, 3, 4])),
    };
    let expected = PublishRequest {
        topic_arn: Some("arn:aws:sns:eu-central-1:111122223333:t".into()),
        message: Some("a&b=c é+".into()),
        subject: Some("s".into()),
        message_attributes: BTreeMap::from([("a".into(), number), ("b".into(), binary)]),
        ..PublishRequest::default()
    };
    assert_eq!(read, expected);
    assert_eq!(
        answer(&call, &PublishResponse { message_id: "mid".into() }),
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>mid</MessageId>\
         </PublishResult><ResponseMetadata><RequestId>rid</RequestId></ResponseMetadata></PublishResponse>"
    );
}

#[test]
fn botocore_creates_a_topic_and_publishes_a_batch() {
    let body = "Action=CreateTopic&Version=2010-03-31&Name=t&Attributes.entry.1.key=DisplayName\
                &Attributes.entry.1.value=a+b&Attributes.entry.2.key=SignatureVersion&Attributes.entry.2.value=2\
                &Tags.member.1.Key=k&Tags.member.1.Value=v";
    let read: CreateTopicRequest = form(SNS, "/", body).unwrap().decode().unwrap();
    assert_eq!((read.name.as_deref(), read.attributes["DisplayName"].as_str()), (Some("t"), "a b"));
    assert_eq!((read.attributes.len(), read.tags[0].key.as_str(), read.tags[0].value.as_str()), (2, "k", "v"));

    let body = "Action=PublishBatch&Version=2010-03-31&TopicArn=t&PublishBatchRequestEntries.member.1.Id=1\
                &PublishBatchRequestEntries.member.1.Message=m\
                &PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Name=a\
                &PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.DataType=String\
                &PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.StringValue=x\
                &PublishBatchRequestEntries.member.2.Id=2&PublishBatchRequestEntries.member.2.Message=n";
    let read: PublishBatchRequest = form(SNS, "/", body).unwrap().decode().unwrap();
    let entries = &read.publish_batch_request_entries;
    assert_eq!((entries.len(), entries[1].message.as_deref()), (2, Some("n")));
    assert_eq!(entries[0].message_attributes["a"].string_value.as_deref(), Some("x"));

    let empty = "Action=UntagResource&Version=2010-03-31&ResourceArn=a&TagKeys=";
    let read: UntagResourceRequest = form(SNS, "/", empty).unwrap().decode().unwrap();
    assert_eq!(read.tag_keys.len(), 0);
}

#[test]
fn sns_answers() {
    let around = |op: &str, result: &str| {
        format!(
            "<{op}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{result}<ResponseMetadata><RequestId>rid\
             </RequestId></ResponseMetadata></{op}Response>"
        )
    };
    let call = |op: &'static str| {
        let head = Head { path: "/", content_type: Some(FORM), ..Head::default() };
        Call::parse(SNS, &head, Bytes::from(format!("Action={op}&Version=2010-03-31"))).unwrap()
    };
    assert_eq!(answer(&call("DeleteTopic"), &()), around("DeleteTopic", ""));
    assert_eq!(answer(&call("TagResource"), &TagResourceResponse {}), around("TagResource", "<TagResourceResult/>"));
    let topics = ListTopicsResponse {
        topics: ["a", "b"].map(|arn| sns::Topic { topic_arn: arn.into() }).into(),
        next_token: Some("n".into()),
    };
    assert_eq!(
        answer(&call("ListTopics"), &topics),
        around(
            "ListTopics",
            "<ListTopicsResult><Topics><member><TopicArn>a</TopicArn></member><member><TopicArn>b</TopicArn></member>\
             </Topics><NextToken>n</NextToken></ListTopicsResult>"
        )
    );
    assert_eq!(
        answer(&call("ListTopics"), &ListTopicsResponse::default()),
        around("ListTopics", "<ListTopicsResult><Topics/></ListTopicsResult>")
    );
    let attributes = BTreeMap::from([("DisplayName".into(), String::new()), ("Owner".into(), "1".into())]);
    assert_eq!(
        answer(&call("GetTopicAttributes"), &GetTopicAttributesResponse { attributes }),
        around(
            "GetTopicAttributes",
            "<GetTopicAttributesResult><Attributes><entry><key>DisplayName</key><value/></entry><entry><key>Owner</key>\
             <value>1</value></entry></Attributes></GetTopicAttributesResult>"
        )
    );
    let failed = BatchResultErrorEntry { id: "i".into(), code: "c".into(), message: "m".into(), sender_fault: true };
    assert_eq!(
        answer(&call("PublishBatch"), &PublishBatchResponse { successful: Vec::new(), failed: vec![failed] }),
        around(
            "PublishBatch",
            "<PublishBatchResult><Successful/><Failed><member><Id>i</Id><Code>c</Code><Message>m</Message>\
             <SenderFault>true</SenderFault></member></Failed></PublishBatchResult>"
        )
    );
}

#[test]
fn sns_refuses() {
    let call = form(SNS, "/", "Action=Publish").unwrap();
    let error = ApiError::new("NotFound", "Topic <t> does not exist").with_status(404);
    let response = call.response(Err(error), "rid");
    assert_eq!(response.status, 404);
    let headers = [("content-type", "text/xml".to_owned()), ("x-amzn-requestid", "rid".to_owned())];
    assert_eq!(response.headers, headers);
    assert_eq!(
        text(response),
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>NotFound</Code>\
         <Message>Topic &lt;t&gt; does not exist</Message></Error><RequestId>rid</RequestId></ErrorResponse>"
    );
}

#[test]
fn botocore_sends_json() {
    let body = r#"{"QueueUrl": "http://127.0.0.1:4566/111122223333/q", "MessageBody": "hi", "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": "AP8="}}, "DelaySeconds": 3}"#;
    let call = json(SQS, "AmazonSQS.SendMessage", body).unwrap();
    assert_eq!((call.op().name, call.protocol()), ("SendMessage", Protocol::Json { query_compatible: true }));
    let read: SendMessageRequest = call.decode().unwrap();
    assert_eq!((read.message_body.as_deref(), read.delay_seconds), (Some("hi"), Some(3)));
    assert_eq!(read.message_attributes["b"].binary_value, Some(Blob(vec![0, 255])));
    let body = r#"{"QueueName": "q", "Attributes": {"DelaySeconds": "5"}, "tags": {"a": "b"}}"#;
    let read: CreateQueueRequest = json(SQS, "AmazonSQS.CreateQueue", body).unwrap().decode().unwrap();
    assert_eq!((read.attributes["DelaySeconds"].as_str(), read.tags["a"].as_str()), ("5", "b"));
    assert_eq!(answer(&call, &EmptyResult {}), "{}");
    let empty = json(SQS, "AmazonSQS.ReceiveMessage", r#"{"QueueUrl":"u"}"#).unwrap();
    assert_eq!(answer(&empty, &ReceiveMessageResult::default()), "{}");
}

#[test]
fn sqs_by_query() {
    let form_of = |body| form(SQS, "/111122223333/q", body);
    let body = "Action=SendMessage&Version=2012-11-05&MessageBody=hi&DelaySeconds=3&MessageAttribute.1.Name=b\
                &MessageAttribute.1.Value.DataType=Binary&MessageAttribute.1.Value.BinaryValue=AP8%3D\
                &MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.DataType=String\
                &MessageSystemAttribute.1.Value.StringValue=Root%3D1";
    let read: SendMessageRequest = form_of(body).unwrap().decode().unwrap();
    assert_eq!((read.queue_url.as_deref(), read.delay_seconds), (Some("/111122223333/q"), Some(3)));
    assert_eq!(read.message_attributes["b"].binary_value, Some(Blob(vec![0, 255])));
    assert_eq!(read.message_system_attributes["AWSTraceHeader"].string_value.as_deref(), Some("Root=1"));

    let body = "Action=SendMessageBatch&QueueUrl=http%3A%2F%2Fh%2F1%2Fp&SendMessageBatchRequestEntry.1.Id=a\
                &SendMessageBatchRequestEntry.1.MessageBody=m&SendMessageBatchRequestEntry.2.Id=b\
                &SendMessageBatchRequestEntry.2.MessageBody=n&SendMessageBatchRequestEntry.2.MessageAttribute.1.Name=x\
                &SendMessageBatchRequestEntry.2.MessageAttribute.1.Value.DataType=String\
                &SendMessageBatchRequestEntry.2.MessageAttribute.1.Value.StringValue=y";
    let read: SendMessageBatchRequest = form_of(body).unwrap().decode().unwrap();
    assert_eq!(read.queue_url.as_deref(), Some("http://h/1/p"));
    assert_eq!(read.entries[1].message_attributes["x"].string_value.as_deref(), Some("y"));

    let body =
        "Action=CreateQueue&QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=a&Tag.1.Value=b";
    let read: CreateQueueRequest = form_of(body).unwrap().decode().unwrap();
    assert_eq!((read.attributes["DelaySeconds"].as_str(), read.tags["a"].as_str()), ("5", "b"));

    let get = Head { path: "/1/q", query: Some("Action=ReceiveMessage&AttributeName.1=All"), ..Head::default() };
    let read: ReceiveMessageRequest = Call::parse(SQS, &get, Bytes::new()).unwrap().decode().unwrap();
    assert_eq!((read.queue_url.as_deref(), read.attribute_names), (Some("/1/q"), vec!["All".to_owned()]));
}

#[test]
fn sqs_answers_in_xml() {
    let around = |op: &str, result: &str| {
        format!(
            "<?xml version=\"1.0\"?><{op}Response xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">{result}\
             <ResponseMetadata><RequestId>rid</RequestId></ResponseMetadata></{op}Response>"
        )
    };
    let call = |op: &'static str| {
        let head = Head { path: "/", content_type: Some(FORM), ..Head::default() };
        Call::parse(SQS, &head, Bytes::from(format!("Action={op}"))).unwrap()
    };
    assert_eq!(answer(&call("DeleteMessage"), &EmptyResult {}), around("DeleteMessage", ""));
    assert_eq!(
        answer(&call("ReceiveMessage"), &ReceiveMessageResult::default()),
        around("ReceiveMessage", "<ReceiveMessageResult/>")
    );
    let value = sqs::MessageAttributeValue {
        data_type: Some("String".into()),
        string_value: Some("y".into()),
        binary_value: None,
    };
    let message = Message {
        message_id: "i".into(),
        receipt_handle: "r".into(),
        md5_of_body: "5".into(),
        body: "{\"a\":1}\r\n".into(),
        attributes: BTreeMap::from([("SenderId".into(), "s".into())]),
        message_attributes: BTreeMap::from([("x".into(), value)]),
        ..Message::default()
    };
    assert_eq!(
        answer(&call("ReceiveMessage"), &ReceiveMessageResult { messages: vec![message] }),
        around(
            "ReceiveMessage",
            "<ReceiveMessageResult><Message><MessageId>i</MessageId><ReceiptHandle>r</ReceiptHandle>\
             <MD5OfBody>5</MD5OfBody><Body>{&quot;a&quot;:1}&#xD;\n</Body><Attribute><Name>SenderId</Name>\
             <Value>s</Value></Attribute><MessageAttribute><Name>x</Name><Value><DataType>String</DataType>\
             <StringValue>y</StringValue></Value></MessageAttribute></Message></ReceiveMessageResult>"
        )
    );
    let attributes = Some(BTreeMap::from([("DelaySeconds".into(), "0".into())]));
    assert_eq!(
        answer(&call("GetQueueAttributes"), &GetQueueAttributesResult { attributes }),
        around(
            "GetQueueAttributes",
            "<GetQueueAttributesResult><Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute>\
             </GetQueueAttributesResult>"
        )
    );
    let tags = BTreeMap::from([("k".into(), "v".into())]);
    assert_eq!(
        answer(&call("ListQueueTags"), &ListQueueTagsResult { tags }),
        around("ListQueueTags", "<ListQueueTagsResult><Tag><Key>k</Key><Value>v</Value></Tag></ListQueueTagsResult>")
    );
    let sent = SendMessageBatchResultEntry {
        id: "a".into(),
        message_id: "i".into(),
        md5_of_message_body: "5".into(),
        ..SendMessageBatchResultEntry::default()
    };
    assert_eq!(
        answer(&call("SendMessageBatch"), &SendMessageBatchResult { successful: vec![sent], ..Default::default() }),
        around(
            "SendMessageBatch",
            "<SendMessageBatchResult><SendMessageBatchResultEntry><Id>a</Id><MessageId>i</MessageId>\
             <MD5OfMessageBody>5</MD5OfMessageBody></SendMessageBatchResultEntry></SendMessageBatchResult>"
        )
    );
}

#[test]
fn sqs_refuses_in_both_protocols() {
    let missing = || ApiError::new("QueueDoesNotExist", "The specified queue does not exist.");
    let by_json = json(SQS, "AmazonSQS.PurgeQueue", "{}").unwrap().response(Err(missing()), "rid");
    assert_eq!(by_json.status, 400);
    let headers = [
        ("content-type", "application/x-amz-json-1.0".to_owned()),
        ("x-amzn-requestid", "rid".to_owned()),
        ("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender".to_owned()),
    ];
    assert_eq!(by_json.headers, headers);
    assert_eq!(
        text(by_json),
        r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#
    );
    let by_query = form(SQS, "/", "Action=PurgeQueue").unwrap().response(Err(missing()), "rid");
    assert_eq!(
        text(by_query),
        "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error>\
         <Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not \
         exist for this wsdl version.</Message><Detail/></Error><RequestId>rid</RequestId></ErrorResponse>"
    );
}

#[test]
fn sts_answers() {
    let call = form(&sts::SERVICE, "/", "Action=GetCallerIdentity&Version=2011-06-15").unwrap();
    call.decode::<sts::GetCallerIdentityRequest>().unwrap();
    let identity = sts::GetCallerIdentityResponse {
        user_id: "AIDAEXAMPLE".into(),
        account: "111122223333".into(),
        arn: "arn:aws:iam::111122223333:user/a".into(),
    };
    assert_eq!(
        answer(&call, &identity),
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <UserId>AIDAEXAMPLE</UserId><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/a</Arn>\
         </GetCallerIdentityResult><ResponseMetadata><RequestId>rid</RequestId></ResponseMetadata>\
         </GetCallerIdentityResponse>"
    );
}

#[test]
fn targets_with_and_without_a_namespace() {
    for target in ["CloudTrail_20131101.GetTrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrail"] {
        assert_eq!(json(&cloudtrail::SERVICE, target, "{}").unwrap().op().name, "GetTrail");
    }
    let call = json(&events::SERVICE, "AWSEvents.PutRule", "{}").unwrap();
    let response = call.response(Err(ApiError::new("ValidationException", "m")), "rid");
    assert_eq!(response.headers[0], ("content-type", "application/x-amz-json-1.1".to_owned()));
    assert_eq!(text(response), r#"{"__type":"ValidationException","message":"m"}"#);
}

#[test]
fn unknown_operations() {
    let rows = [
        (
            json(SQS, "AmazonSQS.FooBar", "{}"),
            "UnknownOperationException: The operation AmazonSQS.FooBar is unknown or not supported yet.",
        ),
        (
            json(SQS, "AmazonSNS.SendMessage", "{}"),
            "UnknownOperationException: The operation AmazonSNS.SendMessage is unknown or not supported yet.",
        ),
        (form(SQS, "/", "Action=FooBar"), "InvalidAction: The action FooBar is not valid for this endpoint."),
        (form(SNS, "/", "Action=FooBar"), "InvalidAction: Could not find operation FooBar for version 2010-03-31"),
        (form(SNS, "/", "Name=t"), "MissingAction: The request must contain the parameter Action."),
        (
            form(&events::SERVICE, "/", "Action=PutRule"),
            "UnknownOperationException: The operation  is unknown or not supported yet.",
        ),
    ];
    for (parsed, expected) in rows {
        assert_eq!(parsed.unwrap_err().to_string(), expected);
    }
    let json_body = Head { path: "/", content_type: Some("application/json"), ..Head::default() };
    assert_eq!(
        Call::parse(SNS, &json_body, Bytes::from_static(b"{}")).unwrap_err().to_string(),
        "MalformedInput: The Content-Type of the Query protocol is application/x-www-form-urlencoded."
    );
}

/// What an unproven request is called in its record: its body takes no part.
#[test]
fn operations_that_a_head_names() {
    let named = |service: &ServiceInfo, head: Head<'_>| head.op(service).map_or("", |op| op.name);
    let query = |query| Head { path: "/", query: Some(query), content_type: Some(FORM), ..Head::default() };
    assert_eq!(named(SQS, json_head("AmazonSQS.SendMessage")), "SendMessage");
    assert_eq!(named(&cloudtrail::SERVICE, json_head("x.CloudTrail_20131101.GetTrail")), "GetTrail");
    for target in ["AmazonSQS.FooBar", "AmazonSNS.SendMessage", "SendMessage", ""] {
        assert_eq!(named(SQS, json_head(target)), "", "{target}");
    }
    assert_eq!(named(SNS, query("Version=2010-03-31&%41ction=CreateTopic&Name=t&X-Amz-Signature=s")), "CreateTopic");
    for text in ["", "Action=FooBar", "Action=CreateTopic&Action=Publish", "Action=CreateTopic&a=%ff"] {
        assert_eq!(named(SNS, query(text)), "", "{text}");
    }
    assert_eq!(named(&events::SERVICE, query("Action=PutRule")), "", "it does not speak this protocol");
}

#[test]
fn unknown_members_are_named() {
    let by_json = json(SQS, "AmazonSQS.SendMessage", r#"{"QueueUrl":"u","Priority":1}"#).unwrap();
    let by_query = form(SQS, "/", "Action=SendMessage&Priority=1").unwrap();
    for call in [by_json, by_query] {
        let refused = call.decode::<SendMessageRequest>().unwrap_err();
        let expected =
            "UnsupportedOperation: Unsupported parameter: the parameter Priority is unknown or not supported yet.";
        assert_eq!(refused.to_string(), expected);
    }
    let fifo = form(SNS, "/", "Action=Publish&MessageGroupId=g").unwrap();
    assert_eq!(
        fifo.decode::<PublishRequest>().unwrap_err().to_string(),
        "InvalidParameter: Invalid parameter: MessageGroupId Reason: the parameter MessageGroupId is unknown or not \
         supported yet"
    );
}

#[test]
fn parameters_show_in_no_debug_text() {
    let shown = [
        format!("{:?}", form(SNS, "/", "Action=Publish&Message=secret").unwrap()),
        format!("{:?}", json(SQS, "AmazonSQS.SendMessage", r#"{"MessageBody":"secret"}"#).unwrap()),
    ];
    assert!(shown.iter().all(|text| !text.contains("secret")), "{shown:?}");
}
