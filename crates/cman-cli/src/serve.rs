//! `cman serve`: an HTTP service.

use std::{
    env, io,
    net::{IpAddr, Ipv4Addr},
    panic,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use burn_ragged::DeviceKind;
use clap::ValueEnum;
use cman_model::{Extractor, LoadOptions, MemoryLimit};
use cman_serve::{ApiKey, Models, Service, Settings};
use tokio::{
    net::TcpListener,
    runtime,
    signal::unix::{SignalKind, signal},
};
use tracing::Level;

use crate::args::{default_device, devices, load_demo, load_model};

/// The environment variable with the key.
const KEY: &str = "CMAN_API_KEY";

/// Threads that check requests, beside those of the model.
const CHECKING_THREADS: usize = 4;

/// Answer requests for extraction over HTTP
///
/// Texts that arrive at the same time are read in one batch. `http://127.0.0.1:3000/` is a page to try it, and
/// `/openapi.json` describes the routes. Every option can be an environment variable, such as CMAN_SERVE_PORT for
/// `--port`. SIGTERM and Ctrl-C stop the service after it has answered what it has accepted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman serve
  cman serve --model model
  curl http://127.0.0.1:3000/extract -H 'Content-Type: application/json' \\
    -d '{\"text\": \"Ada Lovelace lived in London.\"}'")]
pub struct Args {
    /// Model directory or package, or NAME=PATH; several models by repeating it, the first is the default. Without it, a
    /// small demo model answers
    #[arg(long, value_name = "[NAME=]PATH", env = "CMAN_SERVE_MODEL", value_delimiter = ',')]
    model: Vec<String>,
    /// Folder of the encoder, if it is not where the models say
    #[arg(long, value_name = "DIR", env = "CMAN_SERVE_ENCODER")]
    encoder: Option<PathBuf>,
    /// Backend to run on
    #[arg(long, value_name = "NAME", env = "CMAN_SERVE_DEVICE", default_value = default_device(), value_parser = devices())]
    device: DeviceKind,
    /// Most memory to take, such as 4GB, or `none`; default: what the system allows
    #[arg(long, value_name = "SIZE", env = "CMAN_SERVE_MAX_MEMORY", default_value_t, hide_default_value = true)]
    max_memory: MemoryLimit,
    /// Address to listen on; others than loopback are reachable from outside
    #[arg(long, value_name = "ADDRESS", env = "CMAN_SERVE_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one
    #[arg(long, value_name = "N", env = "CMAN_SERVE_PORT", default_value_t = 3000)]
    port: u16,
    /// File with the key that clients have to send; or the environment variable CMAN_API_KEY
    #[arg(long, value_name = "FILE", env = "CMAN_SERVE_API_KEY_FILE")]
    api_key_file: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    times: TimeArgs,
    /// Form of the log on standard error
    #[arg(long, value_name = "FORM", env = "CMAN_SERVE_LOG_FORMAT", default_value = "text", help_heading = "Log")]
    log_format: LogFormat,
    /// Least important events to log
    #[arg(long, value_name = "LEVEL", env = "CMAN_SERVE_LOG_LEVEL", default_value = "info", help_heading = "Log")]
    log_level: LogLevel,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Most tokens per batch
    #[arg(long, value_name = "N", env = "CMAN_SERVE_MAX_BATCH_TOKENS", default_value_t = Settings::default().max_batch_tokens)]
    max_batch_tokens: usize,
    /// Most texts per batch
    #[arg(long, value_name = "N", env = "CMAN_SERVE_MAX_BATCH_TEXTS", default_value_t = Settings::default().max_batch_texts)]
    max_batch_texts: usize,
    /// Most texts that wait; a request that finds no room has status 503
    #[arg(long, value_name = "N", env = "CMAN_SERVE_MAX_QUEUE", default_value_t = Settings::default().max_queue)]
    max_queue: usize,
    /// Most requests at a time; the next one has status 429
    #[arg(long, value_name = "N", env = "CMAN_SERVE_MAX_CONCURRENT_REQUESTS", default_value_t = Settings::default().max_concurrent_requests)]
    max_concurrent_requests: usize,
    /// Most connections at a time; the next ones wait
    #[arg(long, value_name = "N", env = "CMAN_SERVE_MAX_CONNECTIONS", default_value_t = Settings::default().max_connections)]
    max_connections: usize,
    /// Most bytes per request, and per line of a stream
    #[arg(long, value_name = "BYTES", env = "CMAN_SERVE_MAX_BODY", default_value_t = Settings::default().max_body)]
    max_body: usize,
    /// Most texts per request
    #[arg(long, value_name = "N", env = "CMAN_SERVE_MAX_TEXTS", default_value_t = Settings::default().max_texts)]
    max_texts: usize,
    /// Most characters per text
    #[arg(long, value_name = "N", env = "CMAN_SERVE_MAX_TEXT_CHARS", default_value_t = Settings::default().max_text_chars)]
    max_text_chars: usize,
    /// Longest sentence that is read as a whole, in tokens; longer ones are read in windows
    #[arg(long, value_name = "N", env = "CMAN_SERVE_MAX_SENTENCE_TOKENS", default_value_t = Settings::default().max_sentence_tokens)]
    max_sentence_tokens: usize,
    /// Most lines of a stream to read ahead of the answers
    #[arg(long, value_name = "N", env = "CMAN_SERVE_STREAM_WINDOW", default_value_t = Settings::default().stream_window)]
    stream_window: usize,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Times")]
struct TimeArgs {
    /// Seconds until a request that was not answered has status 504
    #[arg(long, value_name = "S", env = "CMAN_SERVE_REQUEST_TIMEOUT", default_value_t = 30.0, value_parser = seconds)]
    request_timeout: f64,
    /// Seconds in which the head of a request has to arrive; also how long a connection may be idle
    #[arg(long, value_name = "S", env = "CMAN_SERVE_HEADER_TIMEOUT", default_value_t = 10.0, value_parser = seconds)]
    header_timeout: f64,
    /// Seconds in which a body has to arrive, and the longest pause of a stream or of a client that reads its answer
    #[arg(long, value_name = "S", env = "CMAN_SERVE_CLIENT_TIMEOUT", default_value_t = 30.0, value_parser = seconds)]
    client_timeout: f64,
    /// Seconds in which accepted requests are answered when the service stops
    #[arg(long, value_name = "S", env = "CMAN_SERVE_GRACE", default_value_t = 30.0, value_parser = seconds)]
    grace: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Lines for people
    Text,
    /// A JSON object per line
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// Runs the subcommand with this many threads for the model.
pub fn run(args: &Args, threads: usize) -> Result<()> {
    start_log(args);
    let settings = args.settings(threads)?;
    if !args.host.is_loopback() && settings.api_key.is_none() {
        tracing::warn!(host = %args.host, "reachable from outside without a key; `--api-key-file` or {KEY} sets one");
    }
    let models = args.models()?;
    for name in models.names() {
        tracing::info!(model = name, "loaded");
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(CHECKING_THREADS))
        .max_blocking_threads(CHECKING_THREADS + 1)
        .enable_all()
        .build()
        .context("cannot start the threads of the service")?;
    runtime.block_on(async {
        let address = (args.host, args.port);
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("{}, port {}: cannot listen", args.host, args.port))?;
        // A signal that arrives from here on is not lost.
        let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let service = Service::new(models, settings)?;
        tracing::info!("listening on http://{}", listener.local_addr()?);
        let stop = async {
            tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
        };
        match service.serve(listener, stop).await?.cut {
            0 => Ok(()),
            cut => bail!("{cut} connections were cut after {} s (--grace)", args.times.grace),
        }
    })
}

impl Args {
    fn settings(&self, threads: usize) -> Result<Settings> {
        let (limits, times, seconds) = (&self.limits, &self.times, Duration::from_secs_f64);
        let api_key = match (&self.api_key_file, env::var(KEY)) {
            (Some(path), _) => Some(ApiKey::read(path)?),
            (None, Ok(key)) => Some(ApiKey::new(&key).context(KEY)?),
            (None, Err(_)) => None,
        };
        let settings = Settings {
            max_batch_tokens: limits.max_batch_tokens,
            max_batch_texts: limits.max_batch_texts,
            max_queue: limits.max_queue,
            max_concurrent_requests: limits.max_concurrent_requests,
            max_connections: limits.max_connections,
            max_body: limits.max_body,
            max_texts: limits.max_texts,
            max_text_chars: limits.max_text_chars,
            max_sentence_tokens: limits.max_sentence_tokens,
            stream_window: limits.stream_window,
            request_timeout: seconds(times.request_timeout),
            header_timeout: seconds(times.header_timeout),
            client_timeout: seconds(times.client_timeout),
            grace: seconds(times.grace),
            threads,
            api_key,
        };
        settings.check()?;
        Ok(settings)
    }

    /// Loads the models. The name of a path is that of its model, unless another one is given.
    fn models(&self) -> Result<Models> {
        let options = LoadOptions { encoder: self.encoder.clone(), max_memory: self.max_memory };
        if self.model.is_empty() {
            return Ok(Models::new("demo", Extractor::new(load_demo(self.device, &options)?))?);
        }
        let mut models: Option<Models> = None;
        for argument in &self.model {
            let (name, path) = named_path(argument);
            let extractor = Extractor::new(load_model(&path, self.device, &options)?);
            models = Some(match models {
                None => Models::new(&name, extractor)?,
                Some(models) => models.with(&name, extractor)?,
            });
        }
        models.context("no model was given")
    }
}

/// The name and the path of `NAME=PATH` or `PATH`.
fn named_path(argument: &str) -> (String, PathBuf) {
    match argument.split_once('=') {
        Some((name, folder)) if !name.contains(['/', '\\']) => (name.into(), folder.into()),
        _ => {
            let folder = PathBuf::from(argument);
            let whole = folder.canonicalize().unwrap_or_else(|_| folder.clone());
            let name = if whole.is_file() { whole.file_stem() } else { whole.file_name() };
            let name = name.map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
            (name, folder)
        }
    }
}

/// Parses a number of seconds.
fn seconds(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    if (0.0..=86_400.0).contains(&number) { Ok(number) } else { Err("expected from 0 to 86400 seconds".into()) }
}

fn start_log(args: &Args) {
    let level = match args.log_level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_writer(io::stderr);
    match args.log_format {
        LogFormat::Text => log.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    // The message of a panic may quote a text.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_the_name_that_is_given_or_that_of_its_folder() {
        assert_eq!(named_path("news=models/a"), ("news".into(), "models/a".into()));
        assert_eq!(named_path("models/a"), ("a".into(), "models/a".into()));
        assert_eq!(named_path("./x=y/z"), ("z".into(), "./x=y/z".into()));
    }

    #[test]
    fn times_are_numbers_of_seconds() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        assert!(["-1", "x", "NaN", "inf"].into_iter().all(|text| seconds(text).is_err()));
    }
}
