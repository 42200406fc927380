//! Records of calls to the services besides S3: their management events.
//!
//! An operation that changes something is announced in the store before it runs: the journal is in order, so the announcement
//! is durable whenever the change is. The record takes its place before the answer is sent. What a crash leaves announced is
//! recorded at the next start ([`gateway::Recorder::recover`]).
//!
//! A request that failed authentication is recorded, too, and marked as refused. Of such a request only the head is looked at.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_api::{Access, ApiError, Codec, OpInfo, RequestContext};
use aws_wire::{Call, WireResponse};
use bytes::Bytes;
use gateway::Peer;
use http::HeaderValue;
use http::request::Parts;
use record::{ApiCall, Common, Elements, Entry, Failure, Outcome, UserIdentity};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{StoreError, Unit};
use uuid::Uuid;

use crate::app::{App, unavailable};
use crate::clock;
use crate::counters::add;
use crate::rpc::{Request, dispatch};
use crate::services::Services;

/// What was seen of a call before it is done.
pub fn seen(call: &Call, ctx: &RequestContext, identity: UserIdentity, parts: &Parts, peer: &Peer) -> ApiCall {
    let common = Common {
        identity,
        recipient_account: ctx.account().to_owned(),
        region: ctx.region.clone(),
        ..of_head(parts, peer, &ctx.request_id)
    };
    ApiCall { service: call.service(), op: call.op(), common, parameters: None, response: None }
}

/// What is known of a call that a service of this server makes in the name of a caller that it proved before.
pub fn seen_on_behalf(call: &Call, ctx: &RequestContext, identity: UserIdentity, via: &str) -> ApiCall {
    let common = Common {
        identity: UserIdentity { invoked_by: Some(via.to_owned()), ..identity },
        claimed_access_key_id: None,
        recipient_account: ctx.account().to_owned(),
        region: ctx.region.clone(),
        source_ip: via.to_owned(),
        user_agent: Some(via.to_owned()),
        host: String::new(),
        tls: None,
        request_id: ctx.request_id.clone(),
        event_id: clock::new_id().to_string(),
        failure: None,
    };
    ApiCall { service: call.service(), op: call.op(), common, parameters: None, response: None }
}

/// What a head and its connection say by themselves, which is nothing of whose call it is.
fn of_head(parts: &Parts, peer: &Peer, request_id: &str) -> Common {
    let header = |name| parts.headers.get(name).map(|value: &HeaderValue| lossy(value));
    Common {
        identity: UserIdentity::default(),
        claimed_access_key_id: None,
        recipient_account: String::new(),
        region: String::new(),
        source_ip: peer.address.to_canonical().to_string(),
        user_agent: header(http::header::USER_AGENT),
        host: header(http::header::HOST).unwrap_or_default(),
        tls: peer.tls.clone(),
        request_id: request_id.to_owned(),
        event_id: clock::new_id().to_string(),
        failure: None,
    }
}

fn lossy(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn failure(error: &ApiError) -> Failure {
    Failure { code: error.code.to_string(), message: error.message.clone() }
}

/// Keeps a request that failed authentication apart, and tells how it is answered: with `error`, once its record is durable.
pub async fn refuse(
    app: &App,
    request: &Request<'_>,
    claimed_access_key_id: Option<String>,
    error: ApiError,
) -> ApiError {
    add(&app.counters.api_refused, 1);
    let now = clock::now();
    if !app.refusals.is_kept(request.peer.address, now) {
        add(&app.counters.api_refused_not_kept, 1);
        return error;
    }
    let common = Common {
        identity: UserIdentity::unproven(),
        claimed_access_key_id,
        // Nobody's call is of no account and no region, so it is the server's.
        recipient_account: app.config.accounts().into_iter().next().unwrap_or_default(),
        region: app.config.region.clone(),
        failure: Some(failure(&error)),
        ..of_head(request.parts, request.peer, &request.id)
    };
    let op = request.head.op(request.service).unwrap_or(&OpInfo::UNKNOWN);
    let seen = ApiCall { service: request.service, op, common, parameters: None, response: None };
    let mut unit = Unit::new();
    unit.append(Entry::encode(Outcome::Refused, &seen.record(now)).into());
    match app.store.commit(unit).await {
        Ok(_) => error,
        Err(failed) => unavailable(&failed),
    }
}

/// Does what was asked, unless it is refused already, and records it: in a task of its own, so that a client that goes away
/// does not keep its call from being recorded.
pub async fn perform(
    services: Services,
    call: Call,
    ctx: RequestContext,
    seen: ApiCall,
    refused: Option<ApiError>,
) -> WireResponse {
    let (call, request_id) = (Arc::new(call), ctx.request_id.clone());
    let answer = performed(services, Arc::clone(&call), ctx, seen, refused).await;
    call.response(answer, &request_id)
}

/// The same, with the answer as the codec wrote it.
pub async fn performed(
    services: Services,
    call: Arc<Call>,
    ctx: RequestContext,
    seen: ApiCall,
    refused: Option<ApiError>,
) -> Result<Vec<u8>, ApiError> {
    let app = Arc::clone(&services.0);
    let state = Arc::new(Mutex::new(State { seen, opened: false, closed: false }));
    let of_call = Arc::clone(&state);
    let answered = tokio::spawn(async move {
        let recording = Recording { app: &services.0, call: &call, state: of_call };
        let answer = match refused {
            Some(error) => Err(error),
            None => dispatch(&services, &ctx, call.service().service, call.op().name, &recording).await,
        };
        match recording.close(answer.as_ref().err()).await {
            Ok(()) => answer,
            Err(error) => Err(unavailable(&error)),
        }
    });
    match answered.await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "a call was not answered");
            if let Err(error) = record_broken(&app, &state).await {
                tracing::error!(%error, "a call that was not answered is recorded at the next start");
            }
            Err(ApiError::internal("The call could not be answered."))
        }
    }
}

/// Records a call that a fault of ours ended, in the place of its announcement.
async fn record_broken(app: &App, state: &Mutex<State>) -> Result<(), StoreError> {
    let mut unit = Unit::new();
    {
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Ok(());
        }
        if state.opened {
            unit.close_entry(entry_id(&state.seen));
        }
        unit.append(announced(&state.seen));
    }
    app.store.commit(unit).await?;
    Ok(())
}

/// A call between its parameters and its answer. As a codec it sees both as they are read and written.
struct Recording<'c> {
    app: &'c Arc<App>,
    call: &'c Call,
    state: Arc<Mutex<State>>,
}

struct State {
    seen: ApiCall,
    /// Whether the call was announced.
    opened: bool,
    /// Whether its record is durable.
    closed: bool,
}

impl Recording<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the parameters, and announces a call that may change something.
    fn open(&self, parameters: Option<Elements>) -> Result<(), StoreError> {
        let mut state = self.state();
        state.seen.parameters = parameters;
        if self.call.op().access == Access::Write {
            let mut unit = Unit::new();
            unit.open_entry(entry_id(&state.seen), announced(&state.seen));
            self.app.store.submit(unit)?;
            state.opened = true;
        }
        Ok(())
    }

    /// Makes the record durable.
    async fn close(&self, error: Option<&ApiError>) -> Result<(), StoreError> {
        let mut unit = Unit::new();
        {
            let mut state = self.state();
            if let Some(error) = error {
                state.seen.response = None;
                state.seen.common.failure = Some(failure(error));
            }
            if state.opened {
                unit.close_entry(entry_id(&state.seen));
            }
            unit.append(encode(&state.seen));
        }
        self.app.store.commit(unit).await?;
        self.state().closed = true;
        Ok(())
    }
}

fn entry_id(seen: &ApiCall) -> [u8; 16] {
    Uuid::parse_str(&seen.common.event_id).unwrap_or_default().into_bytes()
}

fn encode(seen: &ApiCall) -> Bytes {
    Entry::encode(Outcome::Admitted, &seen.record(clock::now())).into()
}

/// The record of a call that is never answered. Nobody knows then what became of it, and the record says so.
fn announced(seen: &ApiCall) -> Bytes {
    let message = "The server ended, or failed, before the call was answered. It may have taken effect or not.";
    let failure = Failure { code: "InternalFailure".into(), message: message.into() };
    let mut seen = seen.clone();
    seen.common.failure = Some(failure);
    encode(&seen)
}

impl Codec for Recording<'_> {
    fn decode<T: DeserializeOwned + Serialize>(&self) -> Result<T, ApiError> {
        let input: T = self.call.decode()?;
        let parameters = record::request_parameters(&input).map_err(|error| unrecordable(&error))?;
        self.open(parameters).map_err(|error| unavailable(&error))?;
        Ok(input)
    }

    fn encode<T: Serialize>(&self, output: &T) -> Result<Vec<u8>, ApiError> {
        if self.call.op().access == Access::Write {
            self.state().seen.response = record::response_elements(output).map_err(|error| unrecordable(&error))?;
        }
        self.call.encode(output)
    }
}

/// A shape that has no form in a record: a mistake of ours, which the test of all operations finds.
fn unrecordable(error: &serde_json::Error) -> ApiError {
    tracing::error!(%error, "a call cannot be recorded");
    ApiError::internal("The call could not be recorded.")
}

#[cfg(test)]
pub(crate) mod tests;
