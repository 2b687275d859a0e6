//! Our side of the comparison with PyTorch: a process that `benches/peer/run.py` starts and commands.
//!
//! `peer DATA.json [THREADS [DEVICE]]` reads the batches of the script, then one command per line from standard input,
//! and answers each with a line of JSON. Times are in seconds.

mod commands;
mod operations;
mod stopwatch;

use std::{
    env, fs,
    io::{self, BufRead, Write},
};

use anyhow::{Context, Result};
use cman::DeviceKind;

use crate::commands::Peer;

// The allocator of the command line.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let data = arguments.next().context("peer DATA.json [THREADS [DEVICE]]")?;
    let threads = arguments.next().map_or(Ok(0), |threads| threads.parse()).context("THREADS is a number")?;
    let kind = arguments.next().map_or(Ok(DeviceKind::Flex), |name| name.parse())?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build_global()?;
    let data = serde_json::from_str(&fs::read_to_string(&data).context(data)?)?;
    let mut peer = Peer::new(data, kind)?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let answer = peer.answer(&line.split_whitespace().collect::<Vec<_>>()).with_context(|| line.clone())?;
        println!("{answer}");
        io::stdout().flush()?;
    }
    Ok(())
}
