//! Back because somebody asked for it: of an update under way, of one that failed and was left as it was, and of one that could
//! not be undone.

use super::{Around, operation_mut};
use crate::stack::{Stack, Status};

impl Stack {
    /// Begins no more of an update: once what runs has ended, all is undone.
    pub(crate) fn cancel(&mut self, around: &mut Around<'_>) {
        operation_mut(self).cancelled = true;
        self.tell(self.status_back(), Some("User Initiated".into()), around);
    }

    /// Begins to undo what is left of a failed operation.
    pub(crate) fn roll_back(&mut self, around: &mut Around<'_>) {
        self.take_back("User Initiated".into(), around);
    }

    /// Goes on undoing. Resources of the ids in `skipped` are taken for what they were before the update.
    pub(crate) fn roll_back_on(&mut self, skipped: &[String], around: &mut Around<'_>) {
        self.roll_back(around);
        for id in skipped {
            operation_mut(self).done.insert(id.clone());
            self.tell_resource(id, Status::UpdateComplete, Some("Resource update skipped.".into()), around);
        }
    }

    /// Resources that could not be made again what they were.
    pub(crate) fn stuck(&self) -> Vec<String> {
        let failed = self.resources.iter().filter(|(_, made)| made.status == Status::UpdateFailed);
        failed.map(|(id, _)| id.clone()).collect()
    }
}
