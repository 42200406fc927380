//! SQS's own names in the Query protocol, which differ from the members' names in its model.
//!
//! Lists and maps are flattened under a name in the singular: `AttributeName.1`, `<Message>`. From the Query examples in the
//! SQS API reference.

/// The member that a parameter of the Query protocol stands for.
pub(crate) fn member<'n>(op: &str, parameter: &'n str) -> &'n str {
    match parameter {
        "Attribute" => "Attributes",
        "AttributeName" => "AttributeNames",
        "MessageAttribute" => "MessageAttributes",
        "MessageAttributeName" => "MessageAttributeNames",
        "MessageSystemAttribute" => "MessageSystemAttributes",
        "MessageSystemAttributeName" => "MessageSystemAttributeNames",
        "SendMessageBatchRequestEntry" if op == "SendMessageBatch" => "Entries",
        "DeleteMessageBatchRequestEntry" if op == "DeleteMessageBatch" => "Entries",
        "ChangeMessageVisibilityBatchRequestEntry" if op == "ChangeMessageVisibilityBatch" => "Entries",
        // The model writes one of them in lower case.
        "Tag" if op == "CreateQueue" => "tags",
        "Tag" => "Tags",
        "TagKey" => "TagKeys",
        "AWSAccountId" => "AWSAccountIds",
        "ActionName" => "Actions",
        other => other,
    }
}

/// The element that each value of a list or map has in an answer.
pub(crate) fn element<'n>(op: &str, member: &'n str) -> &'n str {
    match (member, op) {
        ("Attributes", _) => "Attribute",
        ("MessageAttributes", _) => "MessageAttribute",
        ("Messages", _) => "Message",
        ("QueueUrls" | "queueUrls", _) => "QueueUrl",
        ("Tags" | "tags", _) => "Tag",
        ("Results", _) => "ListMessageMoveTasksResultEntry",
        ("Failed", _) => "BatchResultErrorEntry",
        ("Successful", "SendMessageBatch") => "SendMessageBatchResultEntry",
        ("Successful", "DeleteMessageBatch") => "DeleteMessageBatchResultEntry",
        ("Successful", "ChangeMessageVisibilityBatch") => "ChangeMessageVisibilityBatchResultEntry",
        (other, _) => other,
    }
}

/// The elements of a map's entry.
pub(crate) fn entry(member: &str) -> (&'static str, &'static str) {
    if matches!(member, "Tags" | "tags") { ("Key", "Value") } else { ("Name", "Value") }
}

/// Whether an operation is about one queue, which the request's path may name in place of `QueueUrl`.
pub(crate) fn takes_queue(op: &str) -> bool {
    !matches!(
        op,
        "CreateQueue"
            | "GetQueueUrl"
            | "ListQueues"
            | "StartMessageMoveTask"
            | "ListMessageMoveTasks"
            | "CancelMessageMoveTask"
    )
}

/// Whether an operation's answer has a result element.
pub(crate) fn has_result(op: &str) -> bool {
    !matches!(
        op,
        "AddPermission"
            | "ChangeMessageVisibility"
            | "DeleteMessage"
            | "DeleteQueue"
            | "PurgeQueue"
            | "RemovePermission"
            | "SetQueueAttributes"
            | "TagQueue"
            | "UntagQueue"
    )
}
