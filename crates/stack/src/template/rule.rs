//! Rules: what must hold of the parameters together.
//!
//! Source: CloudFormation user guide, "Rules". `Fn::RefAll`, `Fn::ValueOf` and `Fn::ValueOfAll` ask of parameters of EC2's types,
//! of which there are none here.

use super::expression::Expression;
use super::functions::{Functions, Place};
use super::read::Reader;
use crate::document::{Member, Node};

/// A rule as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// It is looked at only if this holds.
    pub condition: Option<Expression>,
    /// What must hold, all of it.
    pub assertions: Vec<Assertion>,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    /// True or false.
    pub assert: Expression,
    /// What is said if it does not.
    pub description: Option<String>,
}

impl Rule {
    /// What is said of an assertion that does not hold.
    pub(crate) fn broken(&self, assertion: &Assertion) -> String {
        match &assertion.description {
            Some(description) => format!("the rule {} is not met: {description}", self.name),
            None => format!("the rule {} is not met.", self.name),
        }
    }
}

impl Reader {
    pub(super) fn rules(&mut self, node: &Node) -> Vec<Rule> {
        let members = self.section(node, "Rules", usize::MAX);
        members.into_iter().map(|member| self.rule(member)).collect()
    }

    fn rule(&mut self, member: &Member) -> Rule {
        let path = format!("/Rules/{}", member.name);
        let attributes = self.attributes(member, &path, &["RuleCondition", "Assertions"]);
        let get = |name: &str| attributes.iter().find(|attribute| attribute.name == name).map(|member| &member.value);
        let assertions = get("Assertions").and_then(Node::list).unwrap_or_default();
        if assertions.is_empty() {
            self.wrong(member.at, format!("[{path}] Every Rules object must contain a list of Assertions."));
        }
        Rule {
            name: member.name.clone(),
            condition: get("RuleCondition").map(|condition| self.rule_expression(condition)),
            assertions: assertions.iter().filter_map(|assertion| self.assertion(assertion, &path)).collect(),
        }
    }

    fn assertion(&mut self, node: &Node, path: &str) -> Option<Assertion> {
        let known = |member: &Member| matches!(member.name.as_str(), "Assert" | "AssertDescription");
        let Some(assert) = node.get("Assert").filter(|_| node.members().is_some_and(|all| all.iter().all(known)))
        else {
            self.wrong(
                node.at,
                format!("[{path}] an assertion has an Assert, may have an AssertDescription, and nothing else."),
            );
            return None;
        };
        let description = node.get("AssertDescription").and_then(|text| self.text(text, "AssertDescription"));
        Some(Assertion { assert: self.rule_expression(assert), description })
    }

    fn rule_expression(&mut self, node: &Node) -> Expression {
        Functions { place: Place::Rule, problems: &mut self.problems }.read(node)
    }
}

/// Where in a rule's text an expression stands that names something.
pub(super) fn expressions(rule: &Rule) -> impl Iterator<Item = &Expression> {
    rule.condition.iter().chain(rule.assertions.iter().map(|assertion| &assertion.assert))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::evaluate::{Pseudo, rules};
    use crate::template::Template;

    const TEMPLATE: &str = r"
Parameters:
  All: {Type: String, Default: 'false'}
  Names: {Type: CommaDelimitedList, Default: ''}
Rules:
  Watched:
    Assertions:
      - Assert: !Or [!Equals [!Ref All, 'true'], !Not [!Contains [!Ref Names, '']]]
        AssertDescription: name something
  Known:
    RuleCondition: !Equals [!Ref 'AWS::Region', eu-central-1]
    Assertions:
      - Assert: !Or [!EachMemberIn [!Ref Names, [a, b]], !EachMemberEquals [!Ref Names, c]]
Resources:
  Nothing: {Type: 'AWS::CloudFormation::WaitConditionHandle'}
";

    fn decided(region: &str, values: &[(&str, &str)]) -> Result<(), String> {
        let template = Template::parse(TEMPLATE).unwrap();
        let values: BTreeMap<_, _> = values.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let pseudo = Pseudo {
            account: "111122223333".into(),
            region: region.into(),
            stack_name: "s".into(),
            stack_id: "arn".into(),
        };
        rules(&template, &values, &pseudo).map_err(|problem| problem.to_string())
    }

    #[test]
    fn an_assertion_that_does_not_hold_is_told_with_its_description() {
        let refusal = decided("eu-west-1", &[("All", "false"), ("Names", "")]).unwrap_err();
        assert_eq!(refusal, "Template error: the rule Watched is not met: name something (line 8, column 17)");
        for fits in [[("All", "true"), ("Names", "")], [("All", "false"), ("Names", "x")]] {
            assert_eq!(decided("eu-west-1", &fits), Ok(()));
        }
    }

    #[test]
    fn a_rule_counts_where_its_condition_holds() {
        for (names, fits) in [("a, b", true), ("c,c", true), ("a,c", false), ("x", false)] {
            let values = [("All", "true"), ("Names", names)];
            assert_eq!(decided("eu-central-1", &values).is_ok(), fits, "{names}");
            assert_eq!(decided("eu-west-1", &values), Ok(()), "{names}");
        }
    }

    #[test]
    fn what_a_rule_cannot_ask_is_refused() {
        for (expression, refusal) in [
            ("!RefAll 'AWS::EC2::VPC::Id'", "the function Fn::RefAll is not supported"),
            ("!Equals [!Sub 'x', x]", "the function Fn::Sub cannot be used in the Rules section"),
            ("!Equals [!Ref Nothing, x]", "Unresolved dependencies [Nothing]"),
            ("!Contains [x]", "requires a list of 2 parameters"),
        ] {
            let text = TEMPLATE.replace("!Equals [!Ref 'AWS::Region', eu-central-1]", expression);
            let problems = Template::parse(&text).unwrap_err().to_string();
            assert!(problems.contains(refusal), "{problems}");
        }
        let misplaced =
            TEMPLATE.replace("Nothing: {", "Nothing: {Condition: C, ") + "Conditions: {C: !Contains [[a], a]}\n";
        let problems = Template::parse(&misplaced).unwrap_err().to_string();
        assert!(problems.contains("belongs into the Rules section"), "{problems}");
    }
}
