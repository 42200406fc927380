//! The text of `Fn::Sub`.

use super::expression::{Expression, Name};

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// `${Name}`: a variable, a parameter, a pseudo parameter or a resource.
    Ref(String),
    /// `${Resource.Attribute}`
    Attribute(String, String),
}

impl Part {
    /// What it names outside of the function's own variables.
    pub(crate) fn name<'e>(&'e self, variables: &'e [(String, Expression)]) -> Option<Name<'e>> {
        let own = |wanted: &str| variables.iter().any(|(name, _)| name == wanted);
        match self {
            Self::Ref(name) if !own(name) => Some(Name::Ref(name)),
            Self::Attribute(resource, attribute) if !own(&format!("{resource}.{attribute}")) => {
                Some(Name::Attribute(resource, attribute))
            }
            _ => None,
        }
    }

    /// Takes a text apart. `${!Literal}` stands for `${Literal}`.
    ///
    /// # Errors
    /// A placeholder that does not end, or that names nothing.
    pub(crate) fn parse(text: &str) -> Result<Vec<Self>, String> {
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            literal.push_str(before);
            let (name, behind) =
                after.split_once('}').ok_or("Template error: a placeholder of Fn::Sub has no closing brace")?;
            rest = behind;
            if let Some(kept) = name.strip_prefix('!') {
                literal.extend(["${", kept, "}"]);
                continue;
            }
            let name = name.trim();
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_' | '-');
            if name.is_empty() || !name.chars().all(fits) {
                return Err(format!(
                    "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons, not {name:?}"
                ));
            }
            if !literal.is_empty() {
                parts.push(Self::Text(std::mem::take(&mut literal)));
            }
            parts.push(match name.split_once('.') {
                Some((resource, attribute)) => Self::Attribute(resource.to_owned(), attribute.to_owned()),
                None => Self::Ref(name.to_owned()),
            });
        }
        literal.push_str(rest);
        if !literal.is_empty() || parts.is_empty() {
            parts.push(Self::Text(literal));
        }
        Ok(parts)
    }
}
