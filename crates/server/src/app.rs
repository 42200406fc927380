//! What all requests share: the store, the configuration, and the way a change of it is made.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use aws_api::{ApiError, Change};
use gateway::{Audit, Embedded, Refusals};
use pipeline::{Callers, Registry};
use s3_embedded::EmbeddedS3;
use store::{Space, Store, StoreError, Unit};
use tokio::sync::{Notify, watch};

use crate::config::Config;
use crate::counters::Counters;
use crate::detector::Covered;
use crate::digests::Turns;
use crate::forbidden::Forbidden;
use crate::handshakes::Handshakes;
use crate::meter::Meter;
use crate::passed::{self, Passed};
use crate::reservations::Reservations;
use crate::signer::Signer;
use crate::waiting::Waiting;
use crate::wakers::Wakers;

/// The server's state.
pub struct App {
    /// What lasts.
    pub store: Store,
    /// What was configured.
    pub config: Config,
    /// Signs notifications.
    pub signer: Signer,
    /// Counts since the start.
    pub counters: Counters,
    /// Deliveries that a policy stood in the way of, as far as somebody was told.
    pub forbidden: Forbidden,
    /// Series and their points.
    pub meter: Meter,
    /// TLS handshakes that came to nothing.
    pub handshakes: Arc<Handshakes>,
    /// Requests that failed authentication, to whichever service.
    pub refusals: Arc<Refusals>,
    /// Wakes receives that wait for messages.
    pub wakers: Arc<Wakers>,
    /// Messages that a receive is about to take.
    pub reservations: Reservations,
    /// How much waits for log files.
    pub waiting: Waiting,
    /// Wakes the housekeeper when it has something new to do.
    pub chores: Notify,
    /// How far the worker is, and the trails as they were there.
    pub passed: Passed,
    /// Who delivers log files or digests.
    pub turns: Turns,
    /// S3 without HTTP, for the delivery of log files.
    pub embedded: EmbeddedS3,
    /// S3 as a backend.
    pub s3: Embedded,
    /// Turns true when the server stops: what waits ends.
    pub stopping: watch::Sender<bool>,
    /// Where the detector has its rule.
    pub covered: Covered,
    /// Counts up when a caller is counted.
    pub callers_changed: watch::Sender<u64>,
    /// Scheme and address that the server itself is reached at, once it listens.
    pub endpoint: OnceLock<String>,
    /// The S3 front, for what this server asks of itself; set once, before anything is served.
    pub front: OnceLock<Arc<Audit<Embedded>>>,
    /// Counts up when an operation of a stack ends.
    pub stacks_changed: watch::Sender<u64>,
    /// Held while a stack changes the policy of an event bus, which it may have to read first.
    pub merging: tokio::sync::Mutex<()>,
    registry: RwLock<Registry>,
    callers: Mutex<Callers>,
    /// One change of the configuration at a time: each is decided on what the one before it left.
    changing: Arc<tokio::sync::Mutex<()>>,
}

/// Why the state of an earlier run cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row cannot be read.
    #[error("a stored row of kind {kind} cannot be read: {source}; was it written by a newer version?")]
    Row {
        /// Which kind.
        kind: &'static str,
        /// Why.
        source: serde_json::Error,
    },
}

impl App {
    /// Takes up what the store holds.
    pub fn restore(store: Store, config: Config, signer: Signer) -> Result<Arc<Self>, RestoreError> {
        let mut registry = Registry::default();
        let rows = store.registry()?;
        for change in &rows {
            registry.absorb(change).map_err(|source| RestoreError::Row { kind: change.kind, source })?;
        }
        let passed = Passed::restore(&store, &rows)?;
        let meter = Meter::restore(&store)?;
        let mut callers = Callers::default();
        for row in store.range(Space::Callers, ..) {
            callers.absorb(&row?.1).map_err(|source| RestoreError::Row { kind: "caller", source })?;
        }
        let options = s3_embedded::Options { region: config.region.clone(), ..s3_embedded::Options::default() };
        let embedded = EmbeddedS3::new(store.clone(), options);
        Ok(Arc::new(Self {
            s3: Embedded::new(embedded.clone(), config.region.clone()),
            embedded,
            stopping: watch::Sender::new(false),
            covered: Covered::default(),
            callers_changed: watch::Sender::default(),
            store,
            config,
            signer,
            counters: Counters::default(),
            forbidden: Forbidden::default(),
            meter,
            handshakes: Arc::default(),
            refusals: Arc::default(),
            wakers: Arc::default(),
            reservations: Reservations::default(),
            waiting: Waiting::default(),
            chores: Notify::new(),
            passed,
            turns: Turns::default(),
            endpoint: OnceLock::new(),
            front: OnceLock::new(),
            stacks_changed: watch::Sender::default(),
            merging: tokio::sync::Mutex::default(),
            registry: RwLock::new(registry),
            callers: Mutex::new(callers),
            changing: Arc::default(),
        }))
    }

    /// The configuration as it is now. Held for the length of a decision, never across an await.
    pub fn registry(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the callers.
    pub fn with_callers<T>(&self, look: impl FnOnce(&mut Callers) -> T) -> T {
        look(&mut self.callers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Decides a change of the configuration, makes it durable, and only then lets it hold.
    pub async fn change<T>(
        self: &Arc<Self>,
        decide: impl FnOnce(&Registry) -> Result<(T, Vec<Change>), ApiError>,
    ) -> Result<T, ApiError> {
        self.change_with(|registry| decide(registry).map(|(answer, changes)| (answer, changes, Unit::new()))).await
    }

    /// The same with other writes in the same batch.
    pub async fn change_with<T>(
        self: &Arc<Self>,
        decide: impl FnOnce(&Registry) -> Result<(T, Vec<Change>, Unit), ApiError>,
    ) -> Result<T, ApiError> {
        let one_at_a_time = Arc::clone(&self.changing).lock_owned().await;
        let (answer, changes, unit) = decide(&self.registry())?;
        let app = Arc::clone(self);
        // To its end, even if the client does not wait for it: what is stored must also hold.
        let committed = tokio::spawn(async move {
            let committed = app.commit_changes(&changes, unit).await;
            drop(one_at_a_time);
            committed
        });
        committed.await.unwrap_or_else(|_| Err(ApiError::internal("The change could not be applied.")))?;
        Ok(answer)
    }

    /// Before the disk is full, nothing more is taken.
    pub fn check_room(&self) -> Result<(), ApiError> {
        if self.store.has_room() {
            return Ok(());
        }
        Err(ApiError::new("ServiceUnavailable", "The disk is nearly full; nothing more is taken.").with_status(503))
    }

    async fn commit_changes(&self, changes: &[Change], mut unit: Unit) -> Result<(), ApiError> {
        if changes.is_empty() && unit.is_empty() {
            return Ok(());
        }
        for change in changes {
            unit.change(change);
        }
        passed::mark(&mut unit, changes);
        self.store.commit(unit).await.map_err(|error| unavailable(&error))?;
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            // A row that was just made by the same code reads back.
            if let Err(error) = registry.absorb(change) {
                tracing::error!(%error, kind = change.kind, "a change that was stored could not be taken in");
                return Err(ApiError::internal("The change was stored but cannot be applied before a restart."));
            }
        }
        self.forbidden.forget();
        self.chores.notify_one();
        Ok(())
    }

    /// Scheme and address of the server, for URLs in what it sends by itself.
    pub fn endpoint(&self) -> &str {
        self.endpoint.get().map_or("http://localhost", String::as_str)
    }
}

/// The store failed: the client may try again, somebody should look.
pub fn unavailable(error: &StoreError) -> ApiError {
    tracing::error!(%error, "the store failed");
    ApiError::internal("The request could not be stored. Please try again.")
}
