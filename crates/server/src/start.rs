//! Starts and stops the server.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use gateway::{Audit, Body, Embedded, KeyRing, Peer, Surroundings};
use http::{HeaderValue, Request, Response, StatusCode};
use pipeline::Caller;
use store::{OpenError, Options, Store, StoreError};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::app::{App, RestoreError};
use crate::config::{Config, ConfigError};
use crate::listener::{Handler, Listener};
use crate::route::{Route, route};
use crate::rpc::{Rpc, full};
use crate::services::Services;
use crate::signer::{Signer, SignerError};
use crate::tls::{TlsError, TlsSource, server_config};
use crate::to_its_end::to_its_end;
use crate::{alarms, clock, detector, digests, drift, housekeeper, log_files, meter, pages, stacks, worker};

/// The command line of `sigtrail serve`.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where to listen; port 0 lets the system pick.
    pub listen: SocketAddr,
    /// Where everything but S3 is answered; without it, on the same port.
    pub admin_listen: Option<SocketAddr>,
    /// The data directory.
    pub data: PathBuf,
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// Encrypt connections?
    pub tls: Option<TlsSource>,
    /// Start without the detector?
    pub bare: bool,
}

/// Why the server does not start. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The test key must not be reachable from elsewhere.
    #[error(
        "without a configuration the only key is test/test, which everybody knows: it is served on loopback only, not on {0}; \
         give keys with --config FILE"
    )]
    TestKeyBeyondLoopback(SocketAddr),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data directory cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What an earlier run left cannot be taken up.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The key for SNS's signatures.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on: {source}; is another server running there? choose another with --listen")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The detector cannot be made.
    #[error("the detector could not be set up: {0}; --bare starts without it")]
    Detector(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the server did not stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// A task ended badly.
    #[error("a part of the server ended badly: {0}")]
    Task(#[from] JoinError),
    /// The last sync failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A server that answers requests.
pub struct Running {
    app: Arc<App>,
    endpoint: String,
    /// Listeners stop first, then what works behind them.
    stop_listening: watch::Sender<bool>,
    stop_working: watch::Sender<bool>,
    listeners: JoinSet<()>,
    workers: JoinSet<Result<(), StoreError>>,
}

/// Starts the server. When this returns, requests are answered.
pub async fn start(options: ServeOptions) -> Result<Running, StartError> {
    let config = options.config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
    for address in [Some(options.listen), options.admin_listen].into_iter().flatten() {
        if config.is_default && !address.ip().is_loopback() {
            return Err(StartError::TestKeyBeyondLoopback(address));
        }
    }
    let tls = options.tls.as_ref().map(|source| server_config(source, options.listen.ip())).transpose()?;
    let listener = bind(options.listen, tls.clone()).await?;
    let admin = match options.admin_listen {
        Some(address) => Some(bind(address, tls).await?),
        None => None,
    };
    let store = Store::open(&options.data, Options::default())?;
    let signer = Signer::open(&store).await?;
    let app = App::restore(store, config, signer)?;
    let address = |source| StartError::Listen { address: options.listen, source };
    let endpoint = listener.endpoint().map_err(address)?;
    let reached = admin.as_ref().unwrap_or(&listener).endpoint().map_err(address)?;
    // Set once, here.
    let _ = app.endpoint.set(reached);
    let keys = Arc::new(KeyRing::new(app.config.keys.iter().cloned()));
    let audit = Arc::new(audit(&app, &keys));
    // Set once, here.
    let _ = app.front.set(Arc::clone(&audit));
    let completed = audit.recorder().recover().await?;
    if completed > 0 {
        tracing::info!(completed, "records of answers that were cut off have been completed");
    }
    stacks::resume(&app);
    drift::resume(&app);
    if !options.bare {
        // On loopback nobody listens in; elsewhere whoever encrypts wants it so.
        let require_tls = options.tls.is_some() && !options.listen.ip().is_loopback();
        detector::install(&app, require_tls).await.map_err(|error| StartError::Detector(error.message))?;
    }
    Ok(run(app, endpoint, listener, admin, &keys, &audit, options.bare))
}

async fn bind(address: SocketAddr, tls: Option<Arc<rustls::ServerConfig>>) -> Result<Listener, StartError> {
    Listener::bind(address, tls).await.map_err(|source| StartError::Listen { address, source })
}

fn audit(app: &Arc<App>, keys: &Arc<KeyRing>) -> Audit<Embedded> {
    let registry = Arc::clone(app);
    let around = Surroundings {
        keys: Arc::clone(keys),
        clock: Arc::new(clock::now),
        ids: Arc::new(clock::new_id),
        domains: app.config.domains.clone(),
        region: app.config.region.clone(),
        account: app.config.accounts().into_iter().next().unwrap_or_default(),
        is_log_bucket: Arc::new(move |bucket| registry.registry().is_log_bucket(bucket)),
        refusals: Arc::clone(&app.refusals),
    };
    Audit::new(app.s3.clone(), app.store.clone(), around)
}

fn run(
    app: Arc<App>,
    endpoint: String,
    listener: Listener,
    admin: Option<Listener>,
    keys: &Arc<KeyRing>,
    audit: &Arc<Audit<Embedded>>,
    bare: bool,
) -> Running {
    let (stop_listening, stop_working) = (watch::Sender::new(false), watch::Sender::new(false));
    let recorder = audit.recorder().clone();
    let front = |doors| {
        let rpc = Rpc::new(Services(Arc::clone(&app)), Arc::clone(keys));
        Arc::new(Front { app: Arc::clone(&app), audit: Arc::clone(audit), rpc, doors })
    };
    let mut listeners = JoinSet::new();
    let doors = if admin.is_some() { Doors::S3 } else { Doors::All };
    let handshakes = || Arc::clone(&app.handshakes);
    listeners.spawn(listener.serve(front(doors), handshakes(), stop_listening.subscribe()));
    if let Some(admin) = admin {
        listeners.spawn(admin.serve(front(Doors::Admin), handshakes(), stop_listening.subscribe()));
    }
    let (mut workers, passed) = (JoinSet::new(), app.passed.last());
    workers.spawn(worker::run(Arc::clone(&app), bare, stop_working.subscribe()));
    workers.spawn(log_files::run(Arc::clone(&app), passed, stop_working.subscribe()));
    workers.spawn(alarms::run(Arc::clone(&app), stop_working.subscribe()));
    workers.spawn(meter::run(Arc::clone(&app), stop_working.subscribe()));
    workers.spawn(digests::run(Arc::clone(&app), stop_working.subscribe()));
    workers.spawn(housekeeper::run(Arc::clone(&app), recorder, stop_working.subscribe()));
    Running { app, endpoint, stop_listening, stop_working, listeners, workers }
}

impl Running {
    /// `http://127.0.0.1:4566`
    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// Every caller that was counted until now.
    pub fn callers(&self) -> Vec<Caller> {
        self.app.with_callers(|callers| callers.iter().cloned().collect())
    }

    /// Counts up when a caller is counted.
    pub fn callers_changed(&self) -> watch::Receiver<u64> {
        self.app.callers_changed.subscribe()
    }

    /// Resolves when the server cannot go on, and says why.
    pub async fn failed(&mut self) -> String {
        loop {
            match self.workers.join_next().await {
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => return error.to_string(),
                Some(Err(error)) => return format!("a part of the server ended badly: {error}"),
                None => std::future::pending().await,
            }
        }
    }

    /// Finishes what is in flight, passes on what was recorded, and syncs.
    pub async fn stop(mut self) -> Result<(), StopError> {
        self.stop_listening.send_replace(true);
        self.app.stopping.send_replace(true);
        while let Some(ended) = self.listeners.join_next().await {
            ended?;
        }
        self.stop_working.send_replace(true);
        while let Some(ended) = self.workers.join_next().await {
            ended??;
        }
        self.app.meter.fold(&self.app.store).await?;
        self.app.store.clone().close().await?;
        Ok(())
    }
}

/// What a listener answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doors {
    All,
    S3,
    Admin,
}

struct Front {
    app: Arc<App>,
    audit: Arc<Audit<Embedded>>,
    rpc: Rpc,
    doors: Doors,
}

impl Handler for Front {
    async fn handle(&self, request: Request<Body>, peer: &Peer) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let route = route(&parts, &self.app.config.domains);
        if self.doors == Doors::Admin && route == Route::S3 {
            return said(StatusCode::NOT_FOUND, "S3 is answered on the other address of this server");
        }
        if self.doors == Doors::S3 && route != Route::S3 {
            return said(StatusCode::NOT_FOUND, "only S3 is answered here");
        }
        match route {
            Route::S3 => self.s3(Request::from_parts(parts, body), peer).await,
            Route::Rpc(service) => self.rpc.call(service, &parts, body, peer).await,
            Route::Page => pages::page(&self.app, &self.audit, &parts, peer),
            Route::SnsCertificate if parts.uri.path() == self.app.signer.path() => {
                Response::new(full(self.app.signer.certificate().to_owned()))
            }
            Route::SnsCertificate => said(StatusCode::NOT_FOUND, "no such certificate"),
            Route::Unknown => unknown_service(),
        }
    }
}

impl Front {
    /// A client that goes away does not keep its request from being recorded.
    async fn s3(&self, request: Request<Body>, peer: &Peer) -> Response<Body> {
        let (audit, peer) = (Arc::clone(&self.audit), peer.clone());
        let answered = to_its_end(async move { audit.call(request, &peer).await }).await;
        answered.unwrap_or_else(|| said(StatusCode::INTERNAL_SERVER_ERROR, "the request could not be answered"))
    }
}

/// A service that is not here, in the words that a client of any of AWS's JSON protocols reads.
fn unknown_service() -> Response<Body> {
    let body = r#"{"__type":"UnknownOperationException","message":"This server has no such service."}"#;
    let mut response = Response::new(full(body));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    response
}

fn said(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(full(format!("{text}\n")));
    *response.status_mut() = status;
    response
}
