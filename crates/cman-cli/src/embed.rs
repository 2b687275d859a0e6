//! `cman embed`: precomputes the contextual vectors of a corpus.

use std::{
    collections::HashSet,
    io::{self, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use burn_ragged::is_cpu;
use cman_data::{ContextualVectorWriter, Precision, ReaderBuilder};
use cman_encoder::Pooling;
use cman_model::{Encoder, EncoderConfig, EncoderKind, MemoryLimit};

use crate::{
    args::{DeviceArgs, MemoryArgs, poolings},
    corpus::{self, AnnotatedTextArgs},
    inspect::files,
    notes::note_unusual,
};

/// Number of sentences that are encoded before they are written.
const WINDOW: usize = 512;

/// Precompute the contextual vectors of a corpus
///
/// Training and evaluation can read the vectors from the file (`encoder.kind = "cache"`) instead of running the encoder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman embed --encoder minilm --corpus conll04 --out conll04.safetensors
  cman train --corpus conll04 --set encoder.kind=cache --set encoder.path=conll04.safetensors --out model")]
pub struct Args {
    /// Folder of a BERT or ELMo encoder, or the hub name of a BERT, such as sentence-transformers/all-MiniLM-L6-v2
    #[arg(long, value_name = "DIR|NAME")]
    encoder: String,
    /// Corpus file or folder
    #[arg(long, value_name = "FILE|DIR")]
    corpus: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Pooling of word pieces to words (not for ELMo)
    #[arg(long, value_name = "NAME", default_value = "first", value_parser = poolings())]
    pooling: Pooling,
    /// Write 16-bit floats, at half the size
    #[arg(long)]
    half: bool,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    memory: MemoryArgs,
    #[command(flatten)]
    annotation: AnnotatedTextArgs,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let config = EncoderConfig {
        kind: EncoderKind::find(&args.encoder)?,
        path: args.encoder.clone(),
        pooling: args.pooling,
        ..EncoderConfig::default()
    };
    let device = args.device.device.device()?;
    let Some(encoder) = Encoder::open(&config, &device)? else {
        bail!("{}: not an encoder", args.encoder);
    };
    let left = if is_cpu(&device) { args.memory.max_memory.left() } else { MemoryLimit::None.left() };
    let (files, _) = files(&args.corpus)?;
    let mut seen: HashSet<Vec<String>> = HashSet::new();
    let mut sentences: Vec<Vec<String>> = Vec::new();
    for path in files {
        let corpus = corpus::read(&path, &ReaderBuilder::new(), &args.annotation.options())?;
        note_unusual(path.display(), &corpus);
        for (i, sentence) in corpus.sentences.iter().enumerate() {
            let words: Vec<String> = sentence.words().map(str::to_owned).collect();
            if seen.insert(words.clone()) {
                let needed = encoder.batch_memory(&[encoder.encoded_size(sentence)?], false);
                left.check([needed; 2], "encoding", (&path.display().to_string(), i, sentence))?;
                sentences.push(words);
            }
        }
    }
    let precision = if args.half { Precision::Half } else { Precision::Single };
    let shape = [encoder.n_layers(), encoder.width()];
    let mut writer = ContextualVectorWriter::create(&args.out, encoder.identity(), shape, precision, &sentences)?;
    let mut encoding = Duration::ZERO;
    for window in sentences.chunks(WINDOW) {
        let start = Instant::now();
        let vectors = encoder.vectors(&window.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        encoding += start.elapsed();
        vectors.iter().try_for_each(|vectors| writer.write(vectors))?;
    }
    writer.finish()?;
    let tokens: usize = sentences.iter().map(Vec::len).sum();
    let [layers, width] = shape;
    writeln!(
        io::stdout().lock(),
        "wrote {}: {} sentences, {tokens} tokens, {layers} layers of {width}; encoded in {:.3} s",
        args.out.display(),
        sentences.len(),
        encoding.as_secs_f64()
    )?;
    Ok(())
}
