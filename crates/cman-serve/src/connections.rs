//! Connections: accepting them, closing slow ones, and the end of the service.

use std::{future::Future, pin::pin, sync::Arc, thread::JoinHandle, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep, timeout_at},
};
use tokio_io_timeout::TimeoutStream;

use crate::shared::Shared;

/// How long the service waits after a connection could not be accepted, such as for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// How a service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that were still open at the end of the grace period, and were cut.
    pub cut: usize,
}

struct Connections {
    router: Router,
    protocol: http1::Builder,
    graceful: GracefulShutdown,
    places: Arc<Semaphore>,
    client_timeout: Duration,
    /// Becomes true at the end of the grace period.
    cut: watch::Sender<bool>,
}

/// Answers requests until `stop` is ready, then ends the thread of the models.
pub(crate) async fn serve(
    router: Router,
    shared: &Shared,
    worker: JoinHandle<()>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> Stopped {
    let settings = &shared.settings;
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(settings.header_timeout).max_buf_size(1 << 16);
    let connections = Connections {
        router,
        protocol,
        graceful: GracefulShutdown::new(),
        places: Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS))),
        client_timeout: settings.client_timeout,
        cut: watch::Sender::new(false),
    };
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&connections.places).acquire_owned().await.ok()?;
            Some((place, listener.accept().await))
        };
        let next = tokio::select! {
            biased;
            () = &mut stop => break,
            next = next => next,
        };
        match next {
            Some((place, Ok((stream, _)))) => connections.open(stream, place),
            Some((_, Err(error))) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(PAUSE).await;
            }
            None => break,
        }
    }
    drop(listener);
    end(shared, connections, worker).await
}

impl Connections {
    /// Answers the requests of a connection in a task of its own.
    fn open(&self, stream: TcpStream, place: OwnedSemaphorePermit) {
        // Without it, small answers may wait for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        // Reading has other limits: it is normal that nothing arrives while a request is answered.
        stream.set_write_timeout(Some(self.client_timeout));
        let service = TowerToHyperService::new(self.router.clone());
        let connection = self.protocol.serve_connection(TokioIo::new(Box::pin(stream)), service);
        let connection = self.graceful.watch(connection);
        let mut cut = self.cut.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended");
                },
                _ = cut.wait_for(|&is_cut| is_cut) => {}
            }
            drop(place);
        });
    }
}

/// Waits for the requests that were accepted, then for the thread of the models.
async fn end(shared: &Shared, connections: Connections, worker: JoinHandle<()>) -> Stopped {
    let grace = shared.settings.grace;
    let deadline = Instant::now() + grace;
    shared.stopping.send_replace(true);
    tracing::info!(grace_s = grace.as_secs_f64(), "stopping: accepted requests are answered");
    let Connections { graceful, places, cut: end, .. } = connections;
    let cut = match timeout_at(deadline, graceful.shutdown()).await {
        Ok(()) => 0,
        Err(_late) => shared.settings.max_connections.min(Semaphore::MAX_PERMITS) - places.available_permits(),
    };
    end.send_replace(true);
    shared.queue.stop();
    let joined = tokio::task::spawn_blocking(move || worker.join());
    let rest = deadline.max(Instant::now() + Duration::from_secs(1));
    if timeout_at(rest, joined).await.is_err() {
        tracing::warn!("the model was still computing at the end of the grace period");
    }
    if cut > 0 {
        tracing::warn!(connections = cut, "cut at the end of the grace period");
    }
    tracing::info!("stopped");
    Stopped { cut }
}
