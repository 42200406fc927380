//! Sockets: accepts, encrypts, and hands requests on.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use gateway::{Body, BodyError, Peer};
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::Sleep;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use crate::clock::stopped;
use crate::handshakes::Handshakes;
use crate::tls;

/// Connections that are served at one time; more wait to be accepted.
pub const CONNECTIONS_MAX: usize = 10_000;
/// A request's head must be complete so long after its first byte, or after the connection was made.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Of a body something must come at least so often.
const BODY_IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// Of an answer the client must take something at least so often.
const WRITE_TIMEOUT: Duration = Duration::from_secs(90);
/// A TLS handshake may take so long.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Header lines of a request, `http::HeaderMap` among them.
const HEADERS_MAX: usize = signature::HEADERS_MAX;
/// What is in flight when the server stops may take so long.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// What answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers one.
    fn handle(&self, request: Request<Body>, peer: &Peer) -> impl Future<Output = Response<Body>> + Send;
}

/// A bound socket that serves until it is told to stop.
pub struct Listener {
    socket: TcpListener,
    tls: Option<Arc<ServerConfig>>,
}

impl Listener {
    /// Binds the address.
    pub async fn bind(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address).await?, tls })
    }

    /// The address, with the port that the system picked.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// `http://127.0.0.1:4566`
    pub fn endpoint(&self) -> io::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.address()?))
    }

    /// Serves until `stop` turns true; then finishes what is in flight.
    pub async fn serve<H: Handler>(
        self,
        handler: Arc<H>,
        handshakes: Arc<Handshakes>,
        mut stop: watch::Receiver<bool>,
    ) {
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let slot = Arc::clone(&slots).acquire_owned();
            let accepted = tokio::select! {
                accepted = async { (slot.await, self.socket.accept().await) } => accepted,
                () = stopped(&mut stop) => break,
            };
            let (Ok(slot), connection) = accepted else { break };
            let (stream, peer) = match connection {
                Ok(connection) => connection,
                Err(error) => {
                    // Out of file descriptors, mostly: others must end first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let served = Connection {
                stream,
                peer: peer.ip(),
                tls: self.tls.clone(),
                handler: Arc::clone(&handler),
                handshakes: Arc::clone(&handshakes),
                watcher: graceful.watcher(),
            };
            tokio::spawn(async move {
                served.serve().await;
                drop(slot);
            });
        }
        drop(self.socket);
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests were still in flight {} s after the stop", SHUTDOWN_TIMEOUT.as_secs());
        }
    }
}

struct Connection<H> {
    stream: TcpStream,
    peer: IpAddr,
    tls: Option<Arc<ServerConfig>>,
    handler: Arc<H>,
    handshakes: Arc<Handshakes>,
    watcher: hyper_util::server::graceful::Watcher,
}

impl<H: Handler> Connection<H> {
    async fn serve(self) {
        // Answers are small and many: waiting to fill a packet would delay each of them.
        if let Err(error) = self.stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let Some(config) = self.tls.clone() else {
            let peer = Peer { address: self.peer, tls: None };
            return serve(self.stream, peer, self.handler, self.watcher).await;
        };
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(config).accept(self.stream));
        match handshake.await {
            Ok(Ok(stream)) => {
                let (_, session) = stream.get_ref();
                let tls = session.protocol_version().zip(session.negotiated_cipher_suite());
                let tls = tls.map(|(version, suite)| tls::names(version, suite));
                serve(stream, Peer { address: self.peer, tls }, self.handler, self.watcher).await;
            }
            Ok(Err(error)) => {
                self.handshakes.refused(self.peer);
                tracing::debug!(peer = %self.peer, %error, "a TLS handshake failed");
            }
            Err(_) => {
                self.handshakes.refused(self.peer);
                tracing::debug!(peer = %self.peer, "a TLS handshake took too long");
            }
        }
    }
}

/// A request's body that may not stand still for too long.
struct IdleBody {
    body: Incoming,
    /// Begins where something has to be waited for: most bodies are there with their heads.
    idle: Option<Pin<Box<Sleep>>>,
}

/// The client sent nothing for [`BODY_IDLE_TIMEOUT`].
#[derive(Debug, thiserror::Error)]
#[error("the client sent nothing of the body for {} s", BODY_IDLE_TIMEOUT.as_secs())]
struct Idle;

impl IdleBody {
    fn new(body: Incoming) -> Self {
        Self { body, idle: None }
    }
}

impl http_body::Body for IdleBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.idle = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| BodyError(error.into()))));
        }
        let idle = self.idle.get_or_insert_with(|| Box::pin(tokio::time::sleep(BODY_IDLE_TIMEOUT)));
        idle.as_mut().poll(cx).map(|()| Some(Err(BodyError(Idle.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn serve<S, H>(stream: S, peer: Peer, handler: Arc<H>, watcher: hyper_util::server::graceful::Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (handler, peer) = (Arc::clone(&handler), peer.clone());
        async move {
            let request = request.map(|body| IdleBody::new(body).boxed_unsync());
            Ok::<_, std::convert::Infallible>(handler.handle(request, &peer).await)
        }
    });
    // A reader who takes nothing of its answer is not waited for.
    let mut timed = TimeoutStream::new(stream);
    timed.set_write_timeout(Some(WRITE_TIMEOUT));
    let timed = Box::pin(timed);
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(timed), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
