//! Parameters, and what is a value of one.

use std::fmt;

use regex_lite::Regex;

use crate::document::Position;

/// A parameter as it is declared.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where that stands.
    pub at: Position,
    /// What its values are.
    pub kind: ParameterKind,
    /// The value if none is given.
    pub default: Option<String>,
    /// The only values it may have, if any are listed.
    pub allowed_values: Vec<String>,
    /// What the whole value must match, as it is written.
    pub allowed_pattern: Option<(String, Regex)>,
    /// Fewest characters.
    pub min_length: Option<usize>,
    /// Most characters.
    pub max_length: Option<usize>,
    /// Smallest number, as it is written.
    pub min_value: Option<String>,
    /// Greatest number, as it is written.
    pub max_value: Option<String>,
    /// Whether its value is never shown.
    pub no_echo: bool,
    /// For who fills it in.
    pub description: Option<String>,
    /// What is said if a value is not allowed.
    pub constraint_description: Option<String>,
}

/// Types of parameters. Those of the Systems Manager's parameter store and of EC2 are not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A text.
    String,
    /// A number, which stays a text.
    Number,
    /// Texts with commas between them.
    CommaDelimitedList,
    /// Numbers with commas between them.
    NumberList,
}

impl ParameterKind {
    /// By its name in a template.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "String" => Self::String,
            "Number" => Self::Number,
            "CommaDelimitedList" => Self::CommaDelimitedList,
            "List<Number>" => Self::NumberList,
            _ => return None,
        })
    }

    /// Is a value of it a list?
    pub fn is_list(self) -> bool {
        matches!(self, Self::CommaDelimitedList | Self::NumberList)
    }

    fn is_numeric(self) -> bool {
        matches!(self, Self::Number | Self::NumberList)
    }
}

impl fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "String",
            Self::Number => "Number",
            Self::CommaDelimitedList => "CommaDelimitedList",
            Self::NumberList => "List<Number>",
        })
    }
}

impl Parameter {
    /// The elements of a value: of a list each, without the space around it; otherwise the value itself. A list of nothing has
    /// one empty element, as on AWS: rules ask for it by `Fn::Contains` of `""`.
    pub fn elements(&self, value: &str) -> Vec<String> {
        if self.kind.is_list() {
            value.split(',').map(|element| element.trim().to_owned()).collect()
        } else {
            vec![value.to_owned()]
        }
    }

    /// Why a value is not one of this parameter, in CloudFormation's words.
    pub fn refusal(&self, value: &str) -> Option<String> {
        let name = &self.name;
        let elements = self.elements(value);
        if self.kind.is_numeric() && !elements.iter().all(|element| is_number(element)) {
            return Some(format!("Parameter '{name}' must be a number"));
        }
        let reason = elements.iter().find_map(|element| self.broken_constraint(element))?;
        let reason = self.constraint_description.clone().unwrap_or(reason);
        Some(format!("Parameter '{name}' {reason}"))
    }

    fn broken_constraint(&self, element: &str) -> Option<String> {
        if !self.allowed_values.is_empty() && !self.allowed_values.iter().any(|allowed| self.same(allowed, element)) {
            return Some(format!("must be one of AllowedValues [{}]", self.allowed_values.join(", ")));
        }
        let len = element.chars().count();
        if let Some(min) = self.min_length.filter(|min| len < *min) {
            return Some(format!("must contain at least {min} characters"));
        }
        if let Some(max) = self.max_length.filter(|max| len > *max) {
            return Some(format!("must contain at most {max} characters"));
        }
        if let Some((pattern, _)) = self.allowed_pattern.as_ref().filter(|(_, regex)| !regex.is_match(element)) {
            return Some(format!("must match pattern {pattern}"));
        }
        let number = element.parse::<f64>().ok()?;
        if let Some(min) = self.min_value.as_ref().filter(|min| min.parse::<f64>().is_ok_and(|min| number < min)) {
            return Some(format!("must be a number not less than {min}"));
        }
        let above = |max: &&String| max.parse::<f64>().is_ok_and(|max| number > max);
        self.max_value.as_ref().filter(above).map(|max| format!("must be a number not greater than {max}"))
    }

    fn same(&self, allowed: &str, element: &str) -> bool {
        let numbers = || self.kind.is_numeric() && allowed.parse::<f64>().ok() == element.parse::<f64>().ok();
        allowed == element || numbers()
    }
}

impl PartialEq for Parameter {
    /// Whatever of it decides over values; positions and descriptions do not.
    fn eq(&self, other: &Self) -> bool {
        let pattern = |parameter: &Self| parameter.allowed_pattern.as_ref().map(|(text, _)| text.clone());
        self.name == other.name
            && self.kind == other.kind
            && self.default == other.default
            && self.allowed_values == other.allowed_values
            && pattern(self) == pattern(other)
            && (self.min_length, self.max_length) == (other.min_length, other.max_length)
            && (&self.min_value, &self.max_value) == (&other.min_value, &other.max_value)
            && self.no_echo == other.no_echo
    }
}

/// An integer or a float; `inf` and `NaN`, which Rust would take, are none.
fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite) && !text.contains(['n', 'N', 'i', 'I'])
}

/// A pattern of `AllowedPattern`, which the whole value must match.
pub(crate) fn allowed_pattern(text: &str) -> Result<Regex, regex_lite::Error> {
    Regex::new(&format!("^(?:{text})$"))
}
