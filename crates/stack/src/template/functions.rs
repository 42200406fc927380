//! From a tree to expressions: where a function stands, its form is checked.
//!
//! Source: CloudFormation template reference, "Intrinsic function reference". What needs a transform
//! (`AWS::LanguageExtensions`) or asks EC2 is refused by name.

use crate::document::{Kind, Node};
use crate::problem::{Problem, Problems};

use super::expression::{Expression, Form};
use super::sub::Part;

/// Functions that CloudFormation has and this one does not, and why.
const UNSUPPORTED: [(&str, &str); 10] = [
    ("Fn::GetAZs", "availability zones"),
    ("Fn::Cidr", "networks"),
    ("Fn::Transform", "macros"),
    ("Fn::Length", "the transform AWS::LanguageExtensions"),
    ("Fn::ToJsonString", "the transform AWS::LanguageExtensions"),
    ("Fn::GetStackOutput", "outputs of other stacks without an export"),
    ("Fn::Implies", "rules of Service Catalog"),
    ("Fn::RefAll", "parameters of the types of EC2"),
    ("Fn::ValueOf", "parameters of the types of EC2"),
    ("Fn::ValueOfAll", "parameters of the types of EC2"),
];

fn is_unsupported(name: &str) -> bool {
    UNSUPPORTED.iter().any(|(known, _)| *known == name)
}

/// Which functions may stand here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a property or an output.
    Value,
    /// In the section `Conditions`.
    Condition,
    /// In the section `Rules`.
    Rule,
}

/// Reads expressions and notes what is wrong with them.
pub(crate) struct Functions<'p> {
    pub place: Place,
    pub problems: &'p mut Problems,
}

impl Functions<'_> {
    /// Reads a value. What is wrong is noted, and `null` stands in its place.
    pub fn read(&mut self, node: &Node) -> Expression {
        if let Some((name, argument)) = node.single()
            && let Some(form) = self.function(name, argument)
        {
            return Expression { at: node.at, form };
        }
        let form = match &node.kind {
            Kind::Null => Form::Null,
            Kind::Bool(value) => Form::Bool(*value),
            Kind::Number(text) => Form::Number(text.clone()),
            Kind::Text(text) => self.text(node, text),
            Kind::List(values) => Form::List(values.iter().map(|value| self.read(value)).collect()),
            Kind::Map(members) => Form::Map(
                members
                    .iter()
                    .map(|member| {
                        if member.name.starts_with("Fn::") {
                            let what = format!("the function {} stands beside other members.", member.name);
                            self.problems.push(Problem::format(member.at, what));
                        }
                        (member.name.clone(), member.at, self.read(&member.value))
                    })
                    .collect(),
            ),
        };
        Expression { at: node.at, form }
    }

    /// Dynamic references are looked up when a resource is made; there is nothing here to look them up in.
    fn text(&mut self, node: &Node, text: &str) -> Form {
        if text.contains("{{resolve:") {
            self.problems.push(Problem::error(node.at, "dynamic references ({{resolve:…}}) are not supported."));
        }
        Form::Text(text.to_owned())
    }

    /// The function of this name; `None` if it is no function here.
    fn function(&mut self, name: &str, argument: &Node) -> Option<Form> {
        let form = match name {
            "Ref" => self.reference(argument),
            "Condition" if self.place == Place::Condition => self.named_condition(argument),
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => self.logical(name, argument),
            "Fn::Contains" | "Fn::EachMemberEquals" | "Fn::EachMemberIn" => self.membership(name, argument),
            _ if self.place == Place::Rule && name.starts_with("Fn::") && !is_unsupported(name) => {
                self.wrong(argument, format!("the function {name} cannot be used in the Rules section."))
            }
            "Fn::If" => self.fn_if(argument),
            "Fn::FindInMap" => self.find_in_map(argument),
            "Fn::Join" => self.join(argument),
            "Fn::Select" => self.select(argument),
            "Fn::Split" => self.split(argument),
            "Fn::Sub" => self.sub(argument),
            "Fn::Base64" => Some(Form::Base64(Box::new(self.read(argument)))),
            "Fn::GetAtt" => self.get_att(argument),
            "Fn::ImportValue" => Some(Form::ImportValue(Box::new(self.read(argument)))),
            _ if name.starts_with("Fn::ForEach") => {
                self.unsupported(name, "the transform AWS::LanguageExtensions", argument)
            }
            _ if name.starts_with("Fn::") => match UNSUPPORTED.iter().find(|(known, _)| *known == name) {
                Some((name, why)) => self.unsupported(name, why, argument),
                None => self.wrong(argument, format!("the function {name} does not exist.")),
            },
            _ => return None,
        };
        Some(form.unwrap_or(Form::Null))
    }

    fn wrong(&mut self, node: &Node, what: impl std::fmt::Display) -> Option<Form> {
        self.problems.push(Problem::error(node.at, what));
        None
    }

    fn unsupported(&mut self, name: &str, why: &str, node: &Node) -> Option<Form> {
        self.wrong(node, format!("the function {name} is not supported ({why})."))
    }

    fn reference(&mut self, argument: &Node) -> Option<Form> {
        match &argument.kind {
            Kind::Text(name) if !name.is_empty() => Some(Form::Ref(name.clone())),
            _ => self.wrong(argument, "every Ref object must have a single String value."),
        }
    }

    fn named_condition(&mut self, argument: &Node) -> Option<Form> {
        match argument.text() {
            Some(name) => Some(Form::Condition(name.to_owned())),
            None => self.wrong(argument, "a Condition names another condition."),
        }
    }

    fn logical(&mut self, name: &str, argument: &Node) -> Option<Form> {
        let what = match name {
            "Fn::Equals" => "every Fn::Equals object requires a list of 2 string parameters.".to_owned(),
            "Fn::Not" => "every Fn::Not object requires a list of 1 condition.".to_owned(),
            _ => format!("every {name} object requires a list of at least 2 and at most 10 boolean parameters."),
        };
        if self.place == Place::Value {
            return self.wrong(argument, format!("the function {name} belongs into the Conditions section."));
        }
        let values = argument.list().unwrap_or_default();
        let fits = match name {
            "Fn::Equals" => values.len() == 2,
            "Fn::Not" => values.len() == 1,
            _ => (2..=10).contains(&values.len()),
        };
        if !fits {
            return self.wrong(argument, what);
        }
        let mut read: Vec<_> = values.iter().map(|value| self.read(value)).collect();
        Some(match name {
            "Fn::And" => Form::And(read),
            "Fn::Or" => Form::Or(read),
            "Fn::Not" => Form::Not(Box::new(read.remove(0))),
            _ => {
                let second = read.remove(1);
                Form::Equals(Box::new([read.remove(0), second]))
            }
        })
    }

    fn membership(&mut self, name: &str, argument: &Node) -> Option<Form> {
        if self.place != Place::Rule {
            return self.wrong(argument, format!("the function {name} belongs into the Rules section."));
        }
        let Some([list, other]) = argument.list() else {
            return self.wrong(argument, format!("every {name} object requires a list of 2 parameters."));
        };
        let pair = Box::new([self.read(list), self.read(other)]);
        Some(match name {
            "Fn::Contains" => Form::Contains(pair),
            "Fn::EachMemberEquals" => Form::EachMemberEquals(pair),
            _ => Form::EachMemberIn(pair),
        })
    }

    fn fn_if(&mut self, argument: &Node) -> Option<Form> {
        match argument.list() {
            Some([condition, yes, no]) if condition.text().is_some() && self.place == Place::Value => {
                let condition = condition.text().unwrap_or_default().to_owned();
                Some(Form::If(condition, Box::new(self.read(yes)), Box::new(self.read(no))))
            }
            Some([_, _, _]) if self.place == Place::Condition => {
                self.wrong(argument, "Fn::If cannot be used in the Conditions section.")
            }
            _ => self.wrong(
                argument,
                "Fn::If requires a list argument with the first element being a condition and two values.",
            ),
        }
    }

    fn find_in_map(&mut self, argument: &Node) -> Option<Form> {
        match argument.list() {
            Some([map, first, second]) => {
                let keys = [self.read(map), self.read(first), self.read(second)];
                Some(Form::FindInMap(Box::new(keys)))
            }
            Some([_, _, _, _]) => {
                self.wrong(argument, "a default of Fn::FindInMap needs a transform, which is not supported.")
            }
            _ => self.wrong(
                argument,
                "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value.",
            ),
        }
    }

    fn join(&mut self, argument: &Node) -> Option<Form> {
        match argument.list() {
            Some([delimiter, values]) if delimiter.text().is_some() && (values.list().is_some() || values.single().is_some()) => {
                let delimiter = delimiter.text().unwrap_or_default().to_owned();
                Some(Form::Join(delimiter, Box::new(self.read(values))))
            }
            _ => self.wrong(
                argument,
                "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
            ),
        }
    }

    fn select(&mut self, argument: &Node) -> Option<Form> {
        match argument.list() {
            Some([index, values]) => Some(Form::Select(Box::new(self.read(index)), Box::new(self.read(values)))),
            _ => self
                .wrong(argument, "Fn::Select requires a list argument with two elements: an integer index and a list."),
        }
    }

    fn split(&mut self, argument: &Node) -> Option<Form> {
        match argument.list() {
            Some([delimiter, text]) if delimiter.text().is_some_and(|delimiter| !delimiter.is_empty()) => {
                let delimiter = delimiter.text().unwrap_or_default().to_owned();
                Some(Form::Split(delimiter, Box::new(self.read(text))))
            }
            _ => self.wrong(
                argument,
                "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.",
            ),
        }
    }

    fn sub(&mut self, argument: &Node) -> Option<Form> {
        const WRONG: &str = "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string.";
        let (text, variables) = match (argument.text(), argument.list()) {
            (Some(text), _) => (text, Vec::new()),
            (None, Some([text, variables])) if text.text().is_some() && variables.members().is_some() => {
                let members = variables.members().unwrap_or_default();
                let read = members.iter().map(|member| (member.name.clone(), self.read(&member.value))).collect();
                (text.text().unwrap_or_default(), read)
            }
            _ => return self.wrong(argument, WRONG),
        };
        self.text(argument, text);
        match Part::parse(text) {
            Ok(parts) => Some(Form::Sub(parts, variables)),
            Err(what) => {
                self.problems.push(Problem::new(argument.at, what));
                None
            }
        }
    }

    fn get_att(&mut self, argument: &Node) -> Option<Form> {
        let parts = match (argument.text(), argument.list()) {
            (Some(text), _) => text.split_once('.'),
            (None, Some([resource, attribute])) => resource.text().zip(attribute.text()),
            _ => None,
        };
        match parts {
            Some((resource, attribute)) if !resource.is_empty() && !attribute.is_empty() => {
                Some(Form::GetAtt(resource.to_owned(), attribute.to_owned()))
            }
            _ => self.wrong(
                argument,
                "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute.",
            ),
        }
    }
}
