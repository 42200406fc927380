//! A policy document, read.

use std::collections::HashSet;

use crate::condition::Condition;
use crate::error::{PolicyError, Problem, shortened};
use crate::json::Node;
use crate::pattern::Pattern;
use crate::principal::Principal;
use crate::vocabulary::Vocabulary;

/// `Version`. Without it a policy has the older one, which differs only in policy variables; those are not supported.
const VERSIONS: [&str; 2] = ["2012-10-17", "2008-10-17"];

/// A policy that was read, ready to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub(crate) service: String,
    pub(crate) statements: Vec<Statement>,
    pub(crate) is_public: bool,
}

/// What a statement does with requests that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Lets them pass, unless another statement denies.
    Allow,
    /// Refuses them, whatever other statements say.
    Deny,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub(crate) sid: Option<String>,
    /// From one on, for people.
    pub(crate) number: usize,
    pub(crate) effect: Effect,
    pub(crate) principals: Vec<Principal>,
    /// Of names without the service, lower case.
    pub(crate) actions: Patterns,
    pub(crate) resources: Patterns,
    pub(crate) conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Patterns {
    pub negated: bool,
    pub patterns: Vec<Pattern>,
}

impl Patterns {
    pub fn matches(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(text)) != self.negated
    }
}

impl Statement {
    /// `Sid`, if it has one.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Which of the statements it is, counted from one.
    pub fn number(&self) -> usize {
        self.number
    }

    /// What it does.
    pub fn effect(&self) -> Effect {
        self.effect
    }
}

impl Node {
    /// A text, or a list of them that is not empty.
    pub(crate) fn texts(&self) -> Option<Vec<&str>> {
        let text = |node: &'_ Node| matches!(node, Node::Text(_));
        match self {
            Self::Text(text) => Some(vec![text]),
            Self::List(list) if !list.is_empty() && list.iter().all(text) => Some(
                list.iter()
                    .filter_map(|node| if let Node::Text(text) = node { Some(text.as_str()) } else { None })
                    .collect(),
            ),
            _ => None,
        }
    }
}

impl Policy {
    /// Reads a document.
    ///
    /// Errors: the first thing that is wrong, in the order of the text; everything that is not understood is wrong, `NotPrincipal`,
    /// policy variables and unknown condition keys too.
    ///
    /// ```
    /// use policy::{Action, Decision, Level, Policy, Request, Requester, Resources, Vocabulary};
    ///
    /// let vocabulary = Vocabulary {
    ///     service: "s3",
    ///     actions: &[Action { name: "GetObject", level: Level::Within }],
    ///     foreign_actions: &[],
    ///     resources: Resources::Nested("arn:aws:s3:::reports"),
    ///     keys: &[],
    ///     len_max: 20 * 1024,
    /// };
    /// let text = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "444455556666"},
    ///     "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/2026/*"}}"#;
    /// let policy = Policy::parse(text.as_bytes(), &vocabulary)?;
    /// let reader = Requester::Identity { account: "444455556666", arn: "arn:aws:iam::444455556666:user/mia", role_arn: None };
    /// let mut request =
    ///     Request { requester: reader, action: "s3:GetObject", resource: "arn:aws:s3:::reports/2026/q1.csv", context: &[] };
    /// assert!(matches!(policy.decide(&request), Decision::Allowed(_)));
    /// request.resource = "arn:aws:s3:::reports/2025/q4.csv";
    /// assert_eq!(policy.decide(&request), Decision::NotMentioned);
    /// # Ok::<(), policy::PolicyError>(())
    /// ```
    pub fn parse(text: &[u8], vocabulary: &Vocabulary<'_>) -> Result<Self, PolicyError> {
        if text.first() != Some(&b'{') {
            return Err(PolicyError::new(Problem::NotAnObject, "the first byte"));
        }
        if text.len() > vocabulary.len_max {
            return Err(PolicyError::new(Problem::TooLong(vocabulary.len_max), format!("{} bytes", text.len())));
        }
        let node: Node =
            serde_json::from_slice(text).map_err(|error| PolicyError::new(Problem::InvalidJson, error.to_string()))?;
        let Node::Object(members) = node else { return Err(PolicyError::new(Problem::NotAnObject, "the first byte")) };
        let mut statements = None;
        for (name, node) in &members {
            match (name.as_str(), node) {
                ("Version", Node::Text(version)) if VERSIONS.contains(&version.as_str()) => {}
                ("Version", _) => return Err(PolicyError::new(Problem::Version, "Version")),
                ("Id", Node::Text(_)) => {}
                ("Id", _) => return Err(PolicyError::new(Problem::Syntax, "Id: a text is expected")),
                ("Statement", node) => statements = Some(node),
                _ => return Err(PolicyError::new(Problem::UnknownField(shortened(name)), "beside Statement")),
            }
        }
        let statements = match statements {
            None => return Err(PolicyError::new(Problem::Missing("Statement"), "the document")),
            Some(Node::List(list)) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        if statements.is_empty() {
            return Err(PolicyError::new(Problem::NoStatement, "Statement"));
        }
        let read = |(index, node)| Statement::read(node, index + 1, vocabulary);
        let statements: Vec<Statement> = statements.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        let mut sids = HashSet::new();
        if let Some(twice) =
            statements.iter().find(|statement| statement.sid.as_deref().is_some_and(|sid| !sids.insert(sid)))
        {
            return Err(PolicyError::new(
                Problem::DuplicateSid,
                format!("Statement {}, Sid {:?}", twice.number, twice.sid()),
            ));
        }
        let is_public = statements.iter().any(|statement| statement.is_public(vocabulary));
        Ok(Self { service: vocabulary.service.to_owned(), statements, is_public })
    }

    /// One whose statements were taken away one by one, down to the last: it grants nothing. As a document it is refused.
    pub fn empty(vocabulary: &Vocabulary<'_>) -> Self {
        Self { service: vocabulary.service.to_owned(), statements: Vec::new(), is_public: false }
    }

    /// Its statements in their order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

/// The elements of a statement, before they are understood.
#[derive(Default)]
struct Elements<'n> {
    sid: Option<&'n Node>,
    effect: Option<&'n Node>,
    principal: Option<&'n Node>,
    action: Option<(bool, &'n Node)>,
    resource: Option<(bool, &'n Node)>,
    condition: Option<&'n Node>,
}

impl<'n> Elements<'n> {
    fn of(node: &'n Node, place: &str) -> Result<Self, PolicyError> {
        let Node::Object(members) = node else {
            return Err(PolicyError::new(Problem::Syntax, format!("{place}: an object is expected")));
        };
        let mut elements = Self::default();
        for (name, node) in members {
            let both = |name: &str| PolicyError::new(Problem::Syntax, format!("{place}: {name} and its opposite"));
            match name.as_str() {
                "Sid" => elements.sid = Some(node),
                "Effect" => elements.effect = Some(node),
                "Principal" => elements.principal = Some(node),
                "Condition" => elements.condition = Some(node),
                "Action" | "NotAction" => {
                    if elements.action.replace((name == "NotAction", node)).is_some() {
                        return Err(both("Action"));
                    }
                }
                "Resource" | "NotResource" => {
                    if elements.resource.replace((name == "NotResource", node)).is_some() {
                        return Err(both("Resource"));
                    }
                }
                "NotPrincipal" => {
                    return Err(PolicyError::new(
                        Problem::Principal,
                        format!("{place}: NotPrincipal is not supported"),
                    ));
                }
                _ => return Err(PolicyError::new(Problem::UnknownField(shortened(name)), place)),
            }
        }
        Ok(elements)
    }
}

impl Statement {
    fn read(node: &Node, number: usize, vocabulary: &Vocabulary<'_>) -> Result<Self, PolicyError> {
        let place = format!("Statement {number}");
        let elements = Elements::of(node, &place)?;
        let missing = |name| PolicyError::new(Problem::Missing(name), place.clone());
        let sid = match elements.sid {
            None => None,
            Some(Node::Text(sid)) => Some(sid.clone()),
            Some(_) => return Err(PolicyError::new(Problem::Syntax, format!("{place}, Sid: a text is expected"))),
        };
        let effect = match elements.effect.ok_or_else(|| missing("Effect"))? {
            Node::Text(effect) if effect == "Allow" => Effect::Allow,
            Node::Text(effect) if effect == "Deny" => Effect::Deny,
            Node::Text(effect) => return Err(PolicyError::new(Problem::Effect(shortened(effect)), place)),
            _ => return Err(PolicyError::new(Problem::Syntax, format!("{place}, Effect: a text is expected"))),
        };
        let principals = Principal::read(elements.principal.ok_or_else(|| missing("Principal"))?, &place)?;
        let (negated, node) = elements.action.ok_or_else(|| missing("Action"))?;
        let actions = Patterns { negated, patterns: read_actions(node, vocabulary, &place)? };
        let (negated, node) = elements.resource.ok_or_else(|| missing("Resource"))?;
        let (patterns, texts) = read_resources(node, vocabulary, &place)?;
        let resources = Patterns { negated, patterns };
        let conditions =
            elements.condition.map_or_else(|| Ok(Vec::new()), |node| Condition::read(node, vocabulary, &place))?;
        let statement = Self { sid, number, effect, principals, actions, resources, conditions };
        statement.check_combination(&texts, vocabulary, &place)?;
        Ok(statement)
    }

    /// Each action can be done to one of the resources, and its requests can have each key of the conditions. What is left over
    /// by `NotAction` and `NotResource` is not looked at.
    fn check_combination(
        &self,
        resources: &[&str],
        vocabulary: &Vocabulary<'_>,
        place: &str,
    ) -> Result<(), PolicyError> {
        if self.actions.negated {
            return Ok(());
        }
        let actions = &self.actions.patterns;
        let homeless = |action: &&Pattern| !resources.iter().any(|resource| vocabulary.applies(action, resource));
        if !self.resources.negated && actions.iter().any(|action| homeless(&action)) {
            return Err(PolicyError::new(Problem::ActionWithoutResource, place));
        }
        for condition in &self.conditions {
            let known = vocabulary.key(&condition.key);
            if !known.is_some_and(|key| actions.iter().all(|action| key.applies(action))) {
                let place = format!("{place}, Condition: {}", condition.key);
                return Err(PolicyError::new(Problem::ConditionWithoutAction, place));
            }
        }
        Ok(())
    }
}

fn read_actions(node: &Node, vocabulary: &Vocabulary<'_>, place: &str) -> Result<Vec<Pattern>, PolicyError> {
    let invalid = |what: String| PolicyError::new(Problem::Action, format!("{place}, Action{what}"));
    let texts = node.texts().ok_or_else(|| invalid(": a text or a list of them is expected".into()))?;
    let read = |text| vocabulary.action(text).ok_or_else(|| invalid(format!(" {text:?}")));
    texts.into_iter().map(read).collect()
}

fn read_resources<'n>(
    node: &'n Node,
    vocabulary: &Vocabulary<'_>,
    place: &str,
) -> Result<(Vec<Pattern>, Vec<&'n str>), PolicyError> {
    let invalid = |what: String| PolicyError::new(Problem::Resource, format!("{place}, Resource{what}"));
    let texts = node.texts().ok_or_else(|| invalid(": a text or a list of them is expected".into()))?;
    let read = |text: &&str| {
        let allowed = vocabulary.allows_resource(text) && !text.contains("${");
        Pattern::new(text).filter(|_| allowed).ok_or_else(|| invalid(format!(" {text:?}")))
    };
    Ok((texts.iter().map(read).collect::<Result<_, _>>()?, texts))
}
