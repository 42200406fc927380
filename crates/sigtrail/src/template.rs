//! `sigtrail template`: what `serve` sets up here, for an account on AWS.

use std::io::{Write, stdout};

use anyhow::Result;
use detector::{HOME, OTHER_REGION, to_json};

use crate::args::{TemplateArguments, TemplateFormat};

pub fn run(arguments: &TemplateArguments) -> Result<()> {
    let template = if arguments.other_region { OTHER_REGION } else { HOME };
    let mut out = stdout().lock();
    match arguments.format {
        TemplateFormat::Yaml => out.write_all(template.as_bytes())?,
        TemplateFormat::Json => {
            let json = to_json(template).map_err(|problem| anyhow::anyhow!("{problem}"))?;
            writeln!(out, "{json}")?;
        }
    }
    Ok(out.flush()?)
}
