//! A service in a thread.

use std::{
    net::SocketAddr,
    sync::mpsc,
    thread::{self, JoinHandle},
};

use cman_serve::{Engine, Models, Service, Settings, Stopped};
use tokio::{net::TcpListener, runtime, sync::oneshot};

use crate::{client, engines::extractor};

/// A service that stops when it is dropped.
pub struct Running {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Stopped>>,
}

/// A service with a model and settings.
pub fn serve(engine: impl Engine, settings: Settings) -> Running {
    serve_models(Models::new("small", engine).unwrap(), settings)
}

pub fn serve_models(models: Models, settings: Settings) -> Running {
    let (stop, stopped) = oneshot::channel();
    let (send, address) = mpsc::channel();
    let thread = thread::spawn(move || {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            let service = Service::new(models, settings).unwrap();
            service.serve(listener, async { _ = stopped.await }).await.unwrap()
        })
    });
    Running { address: address.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
}

/// A service with the small model and the default settings.
pub fn plain() -> Running {
    serve(extractor(), Settings::default())
}

impl Running {
    /// Tells it to stop.
    pub fn stop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
    }

    /// Waits until it has stopped.
    pub fn join(mut self) -> Stopped {
        self.stop();
        self.thread.take().unwrap().join().unwrap()
    }

    /// The value of a metric.
    pub fn metric(&self, name: &str) -> f64 {
        let text = client::get(self.address, "/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
