//! Loads an ELMo and prints the loading time, the memory beyond the size of its file, and tokens per second:
//! `elmo_speed DIR SENTENCES [--passes N] [--first FILE]`. SENTENCES holds one sentence of space-separated tokens per
//! line. The vectors of the first sentence are written to FILE as raw `f32` values. `scripts/elmo_speed.py` runs this
//! program beside PyTorch.

use std::{error::Error, fs, path::Path, time::Instant};

use burn::tensor::Device;
use cman_encoder::Elmo;

/// The peak memory of this process, in bytes (Linux).
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

/// The CPU time of all threads of this process, in seconds (Linux).
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut positional, mut passes, mut first) = (Vec::new(), 3, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--passes" => passes = rest.next().ok_or("--passes N")?.parse()?,
            "--first" => first = Some(rest.next().ok_or("--first FILE")?),
            _ => positional.push(Path::new(argument)),
        }
    }
    let [dir, sentences] = positional[..] else { return Err("elmo_speed DIR SENTENCES".into()) };
    let text = fs::read_to_string(sentences)?;
    let sentences: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    let sentences: Vec<&[&str]> = sentences.iter().map(Vec::as_slice).collect();
    let n_tokens: usize = sentences.iter().map(|sentence| sentence.len()).sum();

    let start = Instant::now();
    let elmo = Elmo::load_dir(dir, &Device::default())?;
    println!("load_seconds {:.3}", start.elapsed().as_secs_f64());
    let mut sizes = fs::read_dir(dir)?.filter_map(|entry| entry.ok()?.metadata().ok()).map(|file| file.len());
    let file = sizes.by_ref().max().unwrap_or(0);
    let above = |peak: u64| (peak as f64 - file as f64) / 1e6;
    if let Some(peak) = peak() {
        println!("load_megabytes_above_file {:.0}", above(peak));
    }
    for pass in 0..passes {
        let (start, cpu) = (Instant::now(), cpu_seconds());
        let vectors = elmo.encode(&sentences);
        // In the first pass, no word vector is in the cache.
        let name = if pass == 0 { "new_words" } else { "known_words" };
        println!("{name}_tokens_per_second {:.0}", n_tokens as f64 / start.elapsed().as_secs_f64());
        if let (Some(before), Some(after)) = (cpu, cpu_seconds()) {
            println!("{name}_tokens_per_cpu_second {:.0}", n_tokens as f64 / (after - before));
        }
        if let (0, Some(path)) = (pass, &first) {
            let bytes: Vec<u8> = vectors[0].iter().flat_map(|x| x.to_le_bytes()).collect();
            fs::write(path, bytes)?;
        }
    }
    if let Some(peak) = peak() {
        println!("encode_megabytes_above_file {:.0}", above(peak));
    }
    Ok(())
}
