//! The runs of an experiment. The id of a run is a hash of everything that determines its result.

use std::path::{Path, PathBuf};

use burn_ragged::DeviceKind;
use cman_data::{OnError, OverlapPolicy, ReaderBuilder};
use cman_model::{Config, Encoder, EncoderConfig, EncoderKind, ModelError, SearchPath};
use cman_train::{Protocol, checksum};
use serde::Serialize;

use crate::{
    corpus::{CorpusSource, DataFile},
    error::ExperimentError,
    experiment::{Experiment, refuse_seed},
};

/// Options that override the experiment file.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// The data folder. Default: the folder of the experiment file.
    pub data: Option<PathBuf>,
    /// Word vectors that replace the experiment's.
    pub vectors: Option<PathBuf>,
    /// Seeds that replace the experiment's.
    pub seeds: Option<Vec<u64>>,
    /// Settings of every system. They override the experiment's.
    pub set: Vec<String>,
}

/// The runs of an experiment. Loading a plan reads all configurations, corpora and encoders, so that errors in them are
/// found before training starts.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The experiment, with the seeds of the options.
    pub experiment: Experiment,
    /// The runs, ordered by corpus, fold, protocol, seed and system, so that runs that are compared follow each other.
    pub runs: Vec<RunSpec>,
    /// The files of every corpus (of all folds), the word vectors and the encoders.
    pub files: Vec<CorpusFiles>,
    /// The data folder.
    pub(crate) root: PathBuf,
    /// The file of word vectors.
    pub(crate) vectors: Option<PathBuf>,
}

/// The files of a corpus.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct CorpusFiles {
    /// The corpus.
    pub corpus: String,
    /// Its files, without duplicates.
    pub files: Vec<DataFile>,
}

/// One run of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSpec {
    /// Sixteen hexadecimal digits of a hash over configuration and data. Names do not enter the hash.
    pub id: String,
    /// The system.
    pub system: String,
    /// The corpus.
    pub corpus: String,
    /// The training protocol.
    pub protocol: Protocol,
    /// The fold, from 0, if the corpus has folds.
    pub fold: Option<usize>,
    /// The configuration with its seed.
    pub config: Config,
    pub(crate) source: CorpusSource,
    pub(crate) files: Vec<DataFile>,
    /// The place of the encoder; empty without one.
    pub(crate) encoder_path: String,
}

/// Everything that determines the result of a run; its hash is the run's id.
#[derive(Serialize)]
struct Identity<'a> {
    library: &'a str,
    protocol: Protocol,
    config: String,
    data: Vec<(&'a str, &'a str)>,
    folds: Option<usize>,
    fold: Option<usize>,
    dev_share: f64,
}

impl Plan {
    /// Plans the runs of the experiment in the file at `path`.
    ///
    /// # Errors
    /// An experiment file, configuration, setting or data file that is invalid or missing.
    pub fn load(path: &Path, options: &PlanOptions) -> Result<Self, ExperimentError> {
        let mut experiment = Experiment::load(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let root = options.data.clone().unwrap_or_else(|| folder.to_owned());
        let invalid = |place: &'static str| move |message| ExperimentError::Config { place: place.into(), message };
        refuse_seed(options.set.iter().map(String::as_str)).map_err(invalid("--set"))?;
        if let Some(seeds) = &options.seeds {
            experiment.seeds.clone_from(seeds);
            experiment.validate().map_err(invalid("--seeds"))?;
        }
        let mut systems = Vec::new();
        for system in experiment.systems() {
            let file = system.config.as_ref().or(experiment.config.as_ref()).map(|file| folder.join(file));
            let set = [&experiment.set[..], &system.set, &options.set].concat();
            let config = Config::load(file.as_deref(), &set)?;
            if config.data.on_error == OnError::Skip {
                let (expected, found) = ("refuse, because systems are compared on all sentences", "skip".into());
                return Err(ModelError::Setting { field: "data.on_error", expected, found }.into());
            }
            let of_config = file.as_deref().and_then(Path::parent).map(Path::to_owned);
            let places = SearchPath::new([root.clone(), folder.to_owned()].into_iter().chain(of_config));
            let encoder = encoder_file(&root, &places, &config.encoder)?;
            systems.push((system.name, config, encoder));
        }
        let vectors = match (&options.vectors, &experiment.vectors) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(named)) => {
                Some(SearchPath::new([root.clone(), folder.to_owned()]).find(&named.to_string_lossy())?)
            }
            (None, None) => None,
        };
        let vector_file = vectors.as_ref().map(|path| DataFile::new("vectors", &root, path)).transpose()?;
        let mut overlaps: Vec<OverlapPolicy> = systems.iter().map(|(_, config, _)| config.data.overlap).collect();
        overlaps.dedup();
        let (mut runs, mut files) = (Vec::new(), Vec::new());
        for source in &experiment.corpora {
            let mut all = Vec::new();
            for fold in source.folds() {
                let mut of_fold = source.checksums(&root, fold)?;
                of_fold.extend(vector_file.clone());
                all.extend(of_fold.clone());
                for &overlap in &overlaps {
                    source.read(&root, fold, &ReaderBuilder::new().overlap(overlap))?;
                }
                for &protocol in &experiment.protocols {
                    for &seed in &experiment.seeds {
                        for (system, config, encoder) in &systems {
                            let config = Config { seed, ..config.clone() };
                            config.check()?;
                            let encoder_file = encoder.as_ref().map(|encoder| &encoder.file);
                            let files: Vec<DataFile> = of_fold.iter().chain(encoder_file).cloned().collect();
                            all.extend(encoder_file.cloned());
                            let mut run = RunSpec::new(system, source, &files, protocol, fold, config);
                            run.encoder_path =
                                encoder.as_ref().map(|encoder| encoder.place.clone()).unwrap_or_default();
                            runs.push(run);
                        }
                    }
                }
            }
            all.sort();
            all.dedup();
            files.push(CorpusFiles { corpus: source.name.clone(), files: all });
        }
        Ok(Self { experiment, runs, files, root, vectors })
    }
}

/// The encoder as a data file with its hash, and the place where it was found.
#[derive(Clone)]
struct EncoderFile {
    file: DataFile,
    place: String,
}

/// Finds and opens the encoder of a configuration.
fn encoder_file(
    root: &Path,
    places: &SearchPath,
    config: &EncoderConfig,
) -> Result<Option<EncoderFile>, ExperimentError> {
    config.validate()?;
    if config.kind == EncoderKind::None {
        return Ok(None);
    }
    let place = places.find_encoder(&config.path)?.to_string_lossy().into_owned();
    let device = DeviceKind::compiled()[0].device();
    let device = device.map_err(|e| ExperimentError::Folder { path: root.into(), reason: e.to_string() })?;
    let encoder = Encoder::open_in(places, &EncoderConfig { path: place.clone(), ..config.clone() }, &device)?;
    let file = |encoder: Encoder| DataFile {
        part: "encoder".into(),
        path: config.path.clone(),
        sha256: encoder.identity().hash.clone(),
    };
    Ok(encoder.map(|encoder| EncoderFile { file: file(encoder), place }))
}

impl RunSpec {
    fn new(
        system: &str,
        source: &CorpusSource,
        files: &[DataFile],
        protocol: Protocol,
        fold: Option<usize>,
        config: Config,
    ) -> Self {
        let identity = Identity {
            library: env!("CARGO_PKG_VERSION"),
            protocol,
            config: config.to_identity(),
            data: files.iter().map(|file| (file.part.as_str(), file.sha256.as_str())).collect(),
            folds: source.folds,
            fold,
            dev_share: source.dev_share,
        };
        let mut id = checksum::of(&serde_json::to_vec(&identity).expect("strings and numbers are always JSON"));
        id.truncate(16);
        Self {
            id,
            system: system.into(),
            corpus: source.name.clone(),
            protocol,
            fold,
            config,
            source: source.clone(),
            files: files.to_vec(),
            encoder_path: String::new(),
        }
    }

    /// The same run with another protocol.
    pub(crate) fn with_protocol(&self, protocol: Protocol) -> Self {
        let run = Self::new(&self.system, &self.source, &self.files, protocol, self.fold, self.config.clone());
        Self { encoder_path: self.encoder_path.clone(), ..run }
    }
}
