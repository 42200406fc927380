//! The event history: what `LookupEvents` reads, and its end after 90 days. Which rows there are, `trail` says.

use aws_api::cloudtrail::LookupEventsResponse;
use bytes::Bytes;
use record::{Entry, EntryError, Outcome, Record};
use store::{Space, Store, StoreError, Unit};
use trail::{Lookup, Place, expired_before, finder_keys, first_event_key};

use crate::clock;

/// Events that are forgotten in one unit.
const FORGOTTEN_COUNT: usize = 1000;

/// Adds the rows of a management event; of any other record, none.
pub fn stage(unit: &mut Unit, entry: &Entry<'_>, seq: u64) -> Result<(), EntryError> {
    if entry.outcome != Outcome::Admitted || !entry.outline.is_management() {
        return Ok(());
    }
    let record = entry.record()?;
    let place = Place::of(&record, seq);
    unit.put(Space::History, place.event_key(), Bytes::copy_from_slice(entry.json));
    for key in finder_keys(&record, place) {
        unit.put(Space::History, key, Bytes::new());
    }
    Ok(())
}

/// Reads one page.
pub fn look_up(store: &Store, lookup: &Lookup) -> Result<LookupEventsResponse, StoreError> {
    let mut answer = LookupEventsResponse::default();
    let mut last = None;
    for row in store.range(Space::History, lookup.range()).rev() {
        let (key, _) = row?;
        if let Some(last) = last.filter(|_| answer.events.len() == lookup.limit()) {
            answer.next_token = Some(lookup.next_token(last));
            break;
        }
        let Some(place) = Place::read(&key) else { continue };
        // It may have been forgotten since the walk began.
        let Some(json) = store.get(Space::History, &place.event_key())? else { continue };
        let event = trail::shown(&json).map_err(|error| damaged(place, &error))?;
        answer.events.push(event);
        last = Some(place);
    }
    Ok(answer)
}

/// Forgets the events that are too old to be found.
pub async fn forget_old(store: &Store) -> Result<(), StoreError> {
    loop {
        let mut unit = Unit::new();
        let old = store.range(Space::History, first_event_key()..expired_before(clock::now()));
        let mut count = 0;
        for row in old.take(FORGOTTEN_COUNT) {
            let (key, json) = row?;
            if let Some(place) = Place::read(&key) {
                let record: Record = serde_json::from_slice(&json).map_err(|error| damaged(place, &error))?;
                for key in finder_keys(&record, place) {
                    unit.delete(Space::History, key);
                }
            }
            unit.delete(Space::History, key.to_vec());
            count += 1;
        }
        if count > 0 {
            store.commit(unit).await?;
        }
        if count < FORGOTTEN_COUNT {
            return Ok(());
        }
    }
}

fn damaged(place: Place, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged { detail: format!("an event of the history ({place:?}): {error}") }
}

#[cfg(test)]
mod tests {
    use aws_api::cloudtrail::LookupEventsRequest;
    use aws_api::{Caller, RequestContext, Role, Timestamp};
    use serde_json::json;

    use super::*;

    fn record(number: u64, management: bool, time: Timestamp) -> Record {
        serde_json::from_value(json!({
            "eventVersion": "1.11", "userIdentity": {}, "eventTime": time.to_rfc3339_seconds(),
            "eventSource": "sqs.amazonaws.com", "eventName": "PurgeQueue", "awsRegion": "us-east-1",
            "sourceIPAddress": "", "eventID": number.to_string(), "eventType": "AwsApiCall",
            "managementEvent": management, "recipientAccountId": "111122223333",
        }))
        .unwrap()
    }

    fn staged(unit: &mut Unit, outcome: Outcome, record: &Record, seq: u64) {
        stage(unit, &Entry::decode(&Entry::encode(outcome, record)).unwrap(), seq).unwrap();
    }

    fn ids(store: &Store) -> Vec<String> {
        let ctx = RequestContext {
            caller: Caller {
                account: "111122223333".into(),
                arn: String::new(),
                principal_id: String::new(),
                role_arn: None,
                role: Role::Audit,
            },
            region: "us-east-1".into(),
            now: clock::now(),
            request_id: String::new(),
            endpoint: String::new(),
            via: None,
        };
        let lookup = Lookup::read(&ctx, &LookupEventsRequest::default()).unwrap().unwrap();
        look_up(store, &lookup).unwrap().events.into_iter().map(|event| event.event_id).collect()
    }

    #[tokio::test]
    async fn only_management_events_and_only_for_90_days() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), store::Options::default()).unwrap();
        let now = clock::now();
        let mut unit = Unit::new();
        staged(&mut unit, Outcome::Admitted, &record(1, true, now), 1);
        staged(&mut unit, Outcome::Admitted, &record(2, false, now), 2);
        staged(&mut unit, Outcome::Refused, &record(3, true, now), 3);
        // More than go in one unit.
        for number in 4..FORGOTTEN_COUNT as u64 + 10 {
            staged(&mut unit, Outcome::Admitted, &record(number, true, now.plus_secs(-91 * 86_400)), number);
        }
        store.commit(unit).await.unwrap();
        assert_eq!(ids(&store), ["1"]);
        let first = record(1, true, now);
        let of_one = 1 + finder_keys(&first, Place::of(&first, 1)).len();
        assert!(store.range(Space::History, ..).count() > of_one);
        forget_old(&store).await.unwrap();
        assert_eq!(store.range(Space::History, ..).count(), of_one, "nothing is left of the old ones");
        assert_eq!(ids(&store), ["1"]);
    }
}
