//! What may stand where a template wants a value: literals, lists, maps and intrinsic functions.

use crate::document::Position;

use super::sub::Part;

/// A value that a template computes.
#[derive(Debug, Clone)]
pub struct Expression {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub form: Form,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form
    }
}

/// The forms of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number as it is written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Expression>),
    /// A map; no name is there twice.
    Map(Vec<(String, Position, Expression)>),
    /// `Ref` of a parameter, a pseudo parameter or a resource.
    Ref(String),
    /// `Fn::GetAtt`: resource, attribute.
    GetAtt(String, String),
    /// `Fn::Sub`, with variables of its own.
    Sub(Vec<Part>, Vec<(String, Expression)>),
    /// `Fn::Join`: delimiter, values.
    Join(String, Box<Expression>),
    /// `Fn::Select`: index, values.
    Select(Box<Expression>, Box<Expression>),
    /// `Fn::Split`: delimiter, text.
    Split(String, Box<Expression>),
    /// `Fn::If`: condition, value if it holds, value if not.
    If(String, Box<Expression>, Box<Expression>),
    /// `Fn::FindInMap`: mapping, first key, second key.
    FindInMap(Box<[Expression; 3]>),
    /// `Fn::ImportValue`: the name of an export.
    ImportValue(Box<Expression>),
    /// `Fn::Base64`
    Base64(Box<Expression>),
    /// `Fn::Equals`
    Equals(Box<[Expression; 2]>),
    /// `Fn::And`, of two to ten.
    And(Vec<Expression>),
    /// `Fn::Or`, of two to ten.
    Or(Vec<Expression>),
    /// `Fn::Not`
    Not(Box<Expression>),
    /// `Fn::Contains`: a list, and a text that may be one of it. Of rules only, as those that follow.
    Contains(Box<[Expression; 2]>),
    /// `Fn::EachMemberEquals`: a list, and a text that each of it may be.
    EachMemberEquals(Box<[Expression; 2]>),
    /// `Fn::EachMemberIn`: a list, and one that each of it may be of.
    EachMemberIn(Box<[Expression; 2]>),
    /// `Condition`: another condition.
    Condition(String),
}

/// What an expression names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'e> {
    /// By `Ref` or `${…}`: a parameter, a pseudo parameter or a resource.
    Ref(&'e str),
    /// A resource and an attribute of it.
    Attribute(&'e str, &'e str),
    /// A condition.
    Condition(&'e str),
    /// A mapping, if its name is written out.
    Mapping(&'e str),
}

impl Expression {
    /// Tells of every name in it. Of `Fn::If` only the branch that `decides` says is taken, both if it cannot say.
    pub fn names<'e>(&'e self, decides: &dyn Fn(&str) -> Option<bool>, tell: &mut dyn FnMut(Name<'e>, Position)) {
        match &self.form {
            Form::Null | Form::Bool(_) | Form::Number(_) | Form::Text(_) => {}
            Form::Ref(name) => tell(Name::Ref(name), self.at),
            Form::GetAtt(resource, attribute) => tell(Name::Attribute(resource, attribute), self.at),
            Form::Condition(name) => tell(Name::Condition(name), self.at),
            Form::Sub(parts, variables) => {
                for part in parts {
                    if let Some(name) = part.name(variables) {
                        tell(name, self.at);
                    }
                }
                for (_, value) in variables {
                    value.names(decides, tell);
                }
            }
            Form::If(condition, yes, no) => {
                tell(Name::Condition(condition), self.at);
                let taken = decides(condition);
                if taken != Some(false) {
                    yes.names(decides, tell);
                }
                if taken != Some(true) {
                    no.names(decides, tell);
                }
            }
            Form::FindInMap(keys) => {
                if let Form::Text(name) = &keys[0].form {
                    tell(Name::Mapping(name), self.at);
                }
                for key in keys.iter() {
                    key.names(decides, tell);
                }
            }
            Form::List(values) | Form::And(values) | Form::Or(values) => {
                for value in values {
                    value.names(decides, tell);
                }
            }
            Form::Map(members) => {
                for (_, _, value) in members {
                    value.names(decides, tell);
                }
            }
            Form::Equals(values)
            | Form::Contains(values)
            | Form::EachMemberEquals(values)
            | Form::EachMemberIn(values) => {
                for value in values.iter() {
                    value.names(decides, tell);
                }
            }
            Form::Select(index, values) => {
                index.names(decides, tell);
                values.names(decides, tell);
            }
            Form::Join(_, value)
            | Form::Split(_, value)
            | Form::ImportValue(value)
            | Form::Base64(value)
            | Form::Not(value) => value.names(decides, tell),
        }
    }
}
