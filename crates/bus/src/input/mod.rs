//! What a target is sent: the event, a constant, a part of the event, or a text made from parts
//! ("Amazon EventBridge input transformation" in the guide).

mod path;
mod template;

use std::borrow::Cow;

use aws_api::ApiError;
use aws_api::events::{InputTransformer, Target};

use crate::buses::RuleEntry;
use crate::route::{Arrival, InvocationError};
use path::JsonPath;
use template::Template;

/// The longest `Input` and `InputTemplate`, in characters.
const INPUT_LEN_MAX: usize = 8192;
/// The longest `InputPath`, in characters.
const PATH_LEN_MAX: usize = 256;
/// Members of `InputPathsMap`.
const PATHS_MAX: usize = 100;

/// What a target is sent, ready to be made.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Event,
    Constant(String),
    Path(JsonPath),
    Template(Template),
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationException", message)
}

impl Input {
    /// Checks and compiles what a target asks for.
    pub fn compile(target: &Target) -> Result<Self, ApiError> {
        let id = &target.id;
        match (&target.input, &target.input_path, &target.input_transformer) {
            (None, None, None) => Ok(Self::Event),
            (Some(text), None, None) => constant(id, text),
            (None, Some(path), None) => {
                check_len(path, 0, PATH_LEN_MAX, || format!("InputPath for target {id}"))?;
                let path = JsonPath::parse(path);
                Ok(Self::Path(path.ok_or_else(|| invalid(format!("InputPath for target {id} is invalid.")))?))
            }
            (None, None, Some(transformer)) => transform(id, transformer),
            _ => Err(invalid(format!(
                "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
            ))),
        }
    }

    /// Makes it from an event.
    pub fn render<'e>(&self, rule: &RuleEntry, arrival: &Arrival<'e>) -> Result<Cow<'e, [u8]>, InvocationError> {
        let event = || std::str::from_utf8(arrival.envelope).map_err(|_| InvocationError::Event);
        let text = match self {
            Self::Event => return Ok(Cow::Borrowed(arrival.envelope)),
            Self::Constant(text) => text.clone(),
            // Nothing at the path is JSON's nothing: a message must have a body.
            Self::Path(path) => path.find(event()?).unwrap_or("null").to_owned(),
            Self::Template(template) => template.render(rule, arrival, event()?)?,
        };
        Ok(Cow::Owned(text.into_bytes()))
    }
}

fn check_len(text: &str, min: usize, max: usize, what: impl Fn() -> String) -> Result<(), ApiError> {
    let length = text.chars().count();
    if (min..=max).contains(&length) {
        return Ok(());
    }
    Err(invalid(format!("{} must have {min} to {max} characters.", what())))
}

fn constant(id: &str, text: &str) -> Result<Input, ApiError> {
    check_len(text, 0, INPUT_LEN_MAX, || format!("Input for target {id}"))?;
    if let Err(error) = serde_json::from_str::<&serde_json::value::RawValue>(text) {
        return Err(invalid(format!("JSON syntax error in input for target {id} : {error}")));
    }
    Ok(Input::Constant(text.to_owned()))
}

fn transform(id: &str, transformer: &InputTransformer) -> Result<Input, ApiError> {
    check_len(&transformer.input_template, 1, INPUT_LEN_MAX, || format!("InputTemplate for target {id}"))?;
    if transformer.input_paths_map.len() > PATHS_MAX {
        return Err(invalid(format!("InputPathsMap for target {id} must have up to {PATHS_MAX} members.")));
    }
    let mut paths = Vec::new();
    for (name, text) in &transformer.input_paths_map {
        if name.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws.")) {
            return Err(invalid(format!(
                "InputPathsMap for target {id} contains the key {name}: keys must not begin with AWS."
            )));
        }
        let path = JsonPath::parse(text).filter(|_| text.chars().count() <= PATH_LEN_MAX);
        let path =
            path.ok_or_else(|| invalid(format!("InputPathsMap for target {id} has an invalid path for {name}.")))?;
        paths.push((name.as_str(), path));
    }
    Template::parse(&transformer.input_template, &paths).map(Input::Template).map_err(|placeholder| {
        invalid(format!("InputTemplate for target {id} contains invalid placeholder {placeholder}."))
    })
}
