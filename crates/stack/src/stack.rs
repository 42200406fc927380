//! A stack as it is kept.

use std::collections::{BTreeMap, BTreeSet};

use aws_api::{Entity, RequestContext, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::evaluate::{Pseudo, Values};
use crate::template::DeletionPolicy;
use crate::types::Properties;

/// The statuses of stacks and resources; `Display` and the stored form are AWS's names.
macro_rules! statuses {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// "Stack status codes", and those of resources.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Status {
            $( #[doc = concat!("`", $name, "`")] #[serde(rename = $name)] $variant, )*
        }

        impl Status {
            /// AWS's name.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }
        }
    };
}

statuses! {
    ReviewInProgress = "REVIEW_IN_PROGRESS",
    CreateInProgress = "CREATE_IN_PROGRESS",
    CreateFailed = "CREATE_FAILED",
    CreateComplete = "CREATE_COMPLETE",
    RollbackInProgress = "ROLLBACK_IN_PROGRESS",
    RollbackFailed = "ROLLBACK_FAILED",
    RollbackComplete = "ROLLBACK_COMPLETE",
    DeleteInProgress = "DELETE_IN_PROGRESS",
    DeleteFailed = "DELETE_FAILED",
    DeleteComplete = "DELETE_COMPLETE",
    DeleteSkipped = "DELETE_SKIPPED",
    UpdateInProgress = "UPDATE_IN_PROGRESS",
    UpdateFailed = "UPDATE_FAILED",
    UpdateCompleteCleanupInProgress = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    UpdateComplete = "UPDATE_COMPLETE",
    UpdateRollbackInProgress = "UPDATE_ROLLBACK_IN_PROGRESS",
    UpdateRollbackFailed = "UPDATE_ROLLBACK_FAILED",
    UpdateRollbackCompleteCleanupInProgress = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    UpdateRollbackComplete = "UPDATE_ROLLBACK_COMPLETE",
}

impl Status {
    /// May the stack be updated, however that ends?
    pub fn may_be_updated(self) -> bool {
        use Status::{CreateComplete, UpdateComplete, UpdateRollbackComplete};
        matches!(self, CreateComplete | UpdateComplete | UpdateRollbackComplete)
    }

    /// Did an operation fail, and was it left so? It may go on, or be rolled back.
    pub(crate) fn is_paused(self) -> bool {
        matches!(self, Self::CreateFailed | Self::UpdateFailed)
    }

    /// Is it to be seen yet what becomes of the last operation?
    pub(crate) fn is_unstable(self) -> bool {
        self.is_paused() || self == Self::UpdateRollbackFailed
    }
}

/// A stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// Twelve digits.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its name, which a later stack may have again once this one is deleted.
    pub name: String,
    /// The last part of its ARN.
    pub uuid: String,
    /// What is being done with it, or was.
    pub status: Status,
    /// Why.
    pub status_reason: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When an update of it last began.
    pub updated: Option<Timestamp>,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
    /// The template as it was given.
    pub template: String,
    /// Every parameter's value.
    pub parameters: BTreeMap<String, String>,
    /// Tags, which its resources have too.
    pub tags: Vec<(String, String)>,
    /// What the template says of it when it was made.
    pub outputs: Vec<OutputValue>,
    /// What was acknowledged.
    pub capabilities: Vec<String>,
    /// What happens if an operation fails.
    pub on_failure: OnFailure,
    /// May it not be deleted?
    pub termination_protection: bool,
    /// Who asked for the operation under way, as the server keeps it: in whose name the operations are made.
    pub caller: Value,
    /// How many events it has.
    pub events: u64,
    /// Its resources by logical id.
    pub resources: BTreeMap<String, Made>,
    /// What is under way.
    pub operation: Option<Operation>,
    /// What an update goes back to if it fails.
    pub before: Option<Box<Wanted>>,
    /// The change set that was executed last.
    #[serde(default)]
    pub change_set_id: Option<String>,
    /// `ClientRequestToken` of the request that the last operation was begun by.
    #[serde(default)]
    pub token: Option<String>,
    /// What is there already under a name of its template is taken over.
    #[serde(default)]
    pub adopts: bool,
}

/// `OnFailure`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnFailure {
    /// What was made is taken back.
    #[default]
    Rollback,
    /// The stack is deleted.
    Delete,
    /// All stays as it is.
    DoNothing,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputValue {
    /// Its name.
    pub key: String,
    /// What it says.
    pub value: String,
    /// For the reader.
    pub description: Option<String>,
    /// The name of its export.
    pub export: Option<String>,
}

/// What decides over the resources of a stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// The template as it was given.
    pub template: String,
    /// Every parameter's value.
    pub parameters: BTreeMap<String, String>,
    /// Tags, which its resources have too.
    pub tags: Vec<(String, String)>,
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// What is being done with it, or was.
    pub status: Status,
    /// Why.
    pub status_reason: Option<String>,
    /// When that changed.
    pub updated: Timestamp,
    /// What there is of it.
    pub real: Real,
    /// What it was when the stack was last stable, if that was changed since.
    pub before: Option<Box<Real>>,
    /// What it was, or was to be, since the stack was last stable: all that may have to be removed or made good.
    #[serde(default)]
    pub earlier: Vec<Real>,
    /// Was it made since the stack was last stable?
    pub is_new: bool,
    /// Nobody else had one of its name when it was about to be made.
    pub looked: bool,
}

impl Made {
    /// Did what was last done with it fail?
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.status, Status::CreateFailed | Status::UpdateFailed)
    }
}

/// A resource in the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Real {
    /// `AWS::SQS::Queue`
    pub kind: String,
    /// The name that it has or will have.
    pub name: String,
    /// Its physical id; `None` as long as nothing of it exists.
    pub physical_id: Option<String>,
    /// The properties it has.
    pub properties: Properties,
    /// `Ref` and `Fn::GetAtt`.
    pub values: Values,
    /// Which resources of the stack it needs.
    pub depends_on: BTreeSet<String>,
    /// What happens to it when the stack lets go of it.
    pub deletion_policy: DeletionPolicy,
    /// The same when another one takes its place.
    pub update_replace_policy: DeletionPolicy,
}

/// What is under way with a stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// What.
    pub kind: OperationKind,
    /// Resources that are as they should be.
    pub done: BTreeSet<String>,
    /// Resources, or keys of victims, that are being worked on.
    pub running: BTreeSet<String>,
    /// Those with which it did not work.
    pub failed: BTreeSet<String>,
    /// What is to be removed, by logical id; a replaced resource's has a `~` before it, or several.
    pub victims: BTreeMap<String, Real>,
    /// Victims that had to be looked for, and where the look goes on.
    #[serde(default)]
    pub searches: BTreeMap<String, Option<String>>,
    /// Nothing more is begun: what runs ends, and then all is undone.
    #[serde(default)]
    pub cancelled: bool,
}

/// The parts of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationKind {
    /// The template's resources are made.
    Create,
    /// They are made what a new template says.
    Update,
    /// They are made again what they were before an update.
    Undo,
    /// Victims are removed; the status says what for.
    Remove,
}

impl Operation {
    pub(crate) fn new(kind: OperationKind) -> Self {
        Self {
            kind,
            done: BTreeSet::new(),
            running: BTreeSet::new(),
            failed: BTreeSet::new(),
            victims: BTreeMap::new(),
            searches: BTreeMap::new(),
            cancelled: false,
        }
    }
}

impl Stack {
    /// A stack of the caller's of which nothing is there yet.
    pub(crate) fn new(ctx: &RequestContext, name: String, uuid: String) -> Self {
        Self {
            account: ctx.account().to_owned(),
            region: ctx.region.clone(),
            name,
            uuid,
            status: Status::ReviewInProgress,
            status_reason: Some("User Initiated".into()),
            created: ctx.now,
            updated: None,
            deleted: None,
            template: String::new(),
            parameters: BTreeMap::new(),
            tags: Vec::new(),
            outputs: Vec::new(),
            capabilities: Vec::new(),
            on_failure: OnFailure::Rollback,
            termination_protection: false,
            caller: Value::Null,
            events: 0,
            resources: BTreeMap::new(),
            operation: None,
            before: None,
            change_set_id: None,
            token: None,
            adopts: false,
        }
    }

    /// `arn:aws:cloudformation:<region>:<account>:stack/<name>/<uuid>`
    pub fn id(&self) -> String {
        format!("arn:aws:cloudformation:{}:{}:stack/{}/{}", self.region, self.account, self.name, self.uuid)
    }

    /// Its place among the stacks of its account and region, the newest first: a text that no change of a stack changes.
    pub(crate) fn place(&self) -> String {
        let until_the_end = Timestamp::MAX.millis_since(self.created);
        format!("{until_the_end:015} {} {}", self.name, self.uuid)
    }

    /// Takes over what is wanted of it; what was wanted until now.
    pub(crate) fn become_wanted(&mut self, wanted: Wanted) -> Wanted {
        Wanted {
            template: std::mem::replace(&mut self.template, wanted.template),
            parameters: std::mem::replace(&mut self.parameters, wanted.parameters),
            tags: std::mem::replace(&mut self.tags, wanted.tags),
        }
    }

    /// Is it there, as far as its name goes?
    pub fn exists(&self) -> bool {
        self.status != Status::DeleteComplete
    }

    /// What the pseudo parameters say.
    pub fn pseudo(&self) -> Pseudo {
        Pseudo {
            account: self.account.clone(),
            region: self.region.clone(),
            stack_name: self.name.clone(),
            stack_id: self.id(),
        }
    }
}

impl Entity for Stack {
    const KIND: &'static str = "stack";

    fn key(&self) -> String {
        key(&self.account, &self.region, &self.uuid)
    }
}

/// The key of a stack's row.
pub fn key(account: &str, region: &str, uuid: &str) -> String {
    format!("{account}/{region}/{uuid}")
}

/// One event of a stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the stack's history.
    pub number: u64,
    /// When.
    pub time: Timestamp,
    /// The resource; of the stack itself, its name.
    pub logical_id: String,
    /// Its physical id, once there is one; of the stack itself, its ARN.
    pub physical_id: Option<String>,
    /// `AWS::SQS::Queue`
    pub kind: String,
    /// What is being done, or was.
    pub status: Status,
    /// Why.
    pub reason: Option<String>,
    /// The properties as JSON, secrets hidden.
    pub properties: Option<String>,
}
