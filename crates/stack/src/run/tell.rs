//! What is told of a stack: its events.

use serde_json::Value;

use super::Around;
use crate::stack::{Event, Real, Stack, Status};
use crate::template::Template;

impl Stack {
    /// Sets the stack's status and tells of it.
    pub fn tell(&mut self, status: Status, reason: Option<String>, around: &mut Around<'_>) {
        self.status = status;
        self.status_reason.clone_from(&reason);
        let (logical_id, physical_id) = (self.name.clone(), Some(self.id()));
        let kind = "AWS::CloudFormation::Stack".to_owned();
        self.push(
            Event { number: 0, time: around.now, logical_id, physical_id, kind, status, reason, properties: None },
            around,
        );
    }

    pub(super) fn tell_resource(&mut self, id: &str, status: Status, reason: Option<String>, around: &mut Around<'_>) {
        let Some(made) = self.resources.get_mut(id) else { return };
        made.status = status;
        made.status_reason.clone_from(&reason);
        made.updated = around.now;
        let real = made.real.clone();
        self.push_resource(id, &real, status, reason, around);
    }

    pub(super) fn tell_victim(
        &mut self,
        key: &str,
        real: &Real,
        status: Status,
        reason: Option<String>,
        around: &mut Around<'_>,
    ) {
        let id = key.trim_start_matches('~');
        if let Some(made) = self.resources.get_mut(id).filter(|_| !key.starts_with('~')) {
            made.status = status;
            made.status_reason.clone_from(&reason);
            made.updated = around.now;
        }
        self.push_resource(id, real, status, reason, around);
    }

    pub(super) fn push_resource(
        &mut self,
        id: &str,
        real: &Real,
        status: Status,
        reason: Option<String>,
        around: &mut Around<'_>,
    ) {
        let properties = Value::Object(real.properties.clone()).to_string();
        let event = Event {
            number: 0,
            time: around.now,
            logical_id: id.to_owned(),
            physical_id: real.physical_id.clone(),
            kind: real.kind.clone(),
            status,
            reason,
            properties: Some(self.without_secrets(properties)),
        };
        self.push(event, around);
    }

    pub(super) fn push(&mut self, event: Event, around: &mut Around<'_>) {
        around.events.push(Event { number: self.events, ..event });
        self.events += 1;
    }

    /// Values of `NoEcho` parameters are not shown.
    pub(crate) fn without_secrets(&self, text: String) -> String {
        // Reading a template for each event is not for nothing.
        if !self.template.contains("NoEcho") {
            return text;
        }
        let Ok(template) = Template::parse(&self.template) else { return text };
        let secrets = template.parameters.iter().filter(|parameter| parameter.no_echo);
        let secrets =
            secrets.filter_map(|parameter| self.parameters.get(&parameter.name)).filter(|value| !value.is_empty());
        secrets.fold(text, |text, secret| {
            let quoted = Value::String(secret.clone()).to_string();
            text.replace(quoted.trim_matches('"'), "****")
        })
    }
}
