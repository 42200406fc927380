//! What a receiver does with a message: delete it, or change how long it stays hidden.

use aws_api::{ApiError, Timestamp};

use crate::limits::VISIBILITY_S_MAX;
use crate::place::ranged;
use crate::{Class, Effect, Held, Queue, Receipt, Slot, refusal};

impl Queue {
    /// Reads a receipt handle of this queue; [`Receipt::seq`] is what to look up for the two operations.
    ///
    /// A text that is no handle, or one of another queue: `ReceiptHandleIsInvalid`.
    pub fn receipt(&self, handle: Option<&str>) -> Result<Receipt, ApiError> {
        Receipt::read(self.id, handle)
    }

    /// `DeleteMessage`. A message that is gone needs nothing; the handle of an earlier receive deletes too, as on AWS's
    /// standard queues: whoever holds it has processed the message.
    ///
    /// The handle of a receive that never was: `ReceiptHandleIsInvalid`.
    pub fn delete_message(&self, receipt: Receipt, held: Option<&Held>) -> Result<Option<Effect>, ApiError> {
        let Some(held) = held else { return Ok(None) };
        if receipt.receives == 0 || receipt.receives > held.state.receives {
            return Err(refusal::invalid_handle());
        }
        Ok(Some(Effect::Remove { queue: self.id, slot: held.slot }))
    }

    /// `ChangeMessageVisibility`: the window ends `timeout` seconds from now; 0 makes the message visible.
    ///
    /// Refused, in this order: no timeout or one out of range; a message that is gone; one that is visible or that somebody
    /// received since (`MessageNotInflight`); a window of more than twelve hours in all.
    pub fn change_message_visibility(
        &self,
        now: Timestamp,
        receipt: Receipt,
        timeout: Option<i32>,
        held: Option<&Held>,
    ) -> Result<Effect, ApiError> {
        const TIMEOUT: &str = "VisibilityTimeout";
        let timeout_s = timeout.ok_or_else(|| refusal::missing(TIMEOUT))?;
        let reason = format!("VisibilityTimeout must be an integer between 0 and {VISIBILITY_S_MAX}.");
        let timeout_s = ranged(Some(timeout_s), 0..=VISIBILITY_S_MAX, 0, TIMEOUT, &reason)?;
        let Some(held) = held else {
            let reason = "Message does not exist or is not available for visibility timeout change.";
            return Err(refusal::invalid_value(receipt.handle(), "ReceiptHandle", reason));
        };
        if receipt.receives == 0 || receipt.receives > held.state.receives {
            return Err(refusal::invalid_handle());
        }
        let in_flight = held.class == Class::InFlight && held.slot.visible_at > now;
        let Some(since) = held.state.last_received.filter(|_| in_flight && receipt.receives == held.state.receives)
        else {
            return Err(ApiError::new("MessageNotInflight", "The message referred to isn't in flight."));
        };
        let visible_at = now.plus_secs(timeout_s.into());
        if visible_at > since.plus_secs(VISIBILITY_S_MAX.into()) {
            let reason =
                format!("Total VisibilityTimeout for the message is beyond the limit [{VISIBILITY_S_MAX} seconds].");
            return Err(refusal::invalid_value(timeout_s, TIMEOUT, reason));
        }
        let class = if timeout_s == 0 { Class::Visible } else { Class::InFlight };
        let to = Slot { visible_at, ..held.slot };
        Ok(Effect::Move { queue: self.id, from: held.slot, to, class, state: held.state.clone() })
    }
}
