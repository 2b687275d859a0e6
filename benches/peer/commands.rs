//! The commands of the script.

use std::{fmt::Debug, hint::black_box, path::Path, str::FromStr};

use anyhow::{Context, Result, bail};
use burn::{
    module::Module,
    optim::ModuleOptimizer,
    store::{ModuleSnapshot, SafetensorsStore},
    tensor::{Int, Tensor, TensorData},
};
use cman::{
    Config, Device, DeviceKind,
    core::{
        Cman, Gold, GoldError, TokenBatch,
        model::{Given, PredictOptions, Sizes, Workload, train_operations},
    },
    data::{EncodedRelation, EncodedSentence},
    ragged::{Key, Mode},
    train::{BatchShard, Batching, LearningRates, StepBatch, Trainable, batch_gradients, batch_shards, predict},
};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde_json::{Value, json};

use crate::{operations, stopwatch::time};

/// Layers of the contextual input.
const LAYERS: usize = 3;

/// The data, the network and its training state.
pub struct Peer {
    config: Config,
    sizes: Sizes,
    device: Device,
    batches: Vec<Vec<EncodedSentence>>,
    contextual: Vec<Tensor<4>>,
    test: Vec<EncodedSentence>,
    weights: Trainable,
    optimizer: ModuleOptimizer,
    steps: u64,
}

impl Peer {
    /// Reads the file of the script: `config` (TOML), `contextual` (width), `sizes`, `batches` and `test`.
    pub fn new(data: Value, backend: DeviceKind) -> Result<Self> {
        let mut config = Config::from_toml(data["config"].as_str().context("config")?, "configuration")?;
        config.model.contextual.width = number(&data["contextual"])?;
        config.model.contextual.layers = LAYERS;
        let sizes = &data["sizes"];
        let sizes = Sizes {
            words: number(&sizes["words"])?,
            characters: number(&sizes["characters"])?,
            entities: number(&sizes["entities"])?,
            relations: number(&sizes["relations"])?,
        };
        let device = backend.device()?.autodiff();
        let batches: Vec<Vec<EncodedSentence>> = list(&data["batches"], |batch| list(batch, sentence))?;
        let width = config.model.contextual.width;
        let contextual = batches.iter().filter(|_| width > 0).map(|batch| contextual(batch, width, &device)).collect();
        let network = Cman::new(&config.model.check()?, sizes, config.seed, &device);
        Ok(Self {
            test: list(&data["test"], sentence)?,
            optimizer: Trainable::optimizer(0.0),
            steps: 0,
            config,
            sizes,
            device,
            batches,
            contextual,
            weights: network.into(),
        })
    }

    /// Executes a command and returns its answer.
    pub fn answer(&mut self, words: &[&str]) -> Result<Value> {
        match words {
            ["config"] => Ok(json!(self.config.to_toml())),
            ["parameters"] => Ok(json!(self.weights.network.num_params())),
            ["save", path] => self.save(Path::new(path)),
            ["step", batch, kind] => self.step(parse(batch)?, kind),
            ["loss", batch] => self.loss(parse(batch)?),
            ["operations", batch, kind] => Ok(self.operations(parse(batch)?, kind)),
            ["extract", first, last, size] => self.extract(parse(first)?, parse(last)?, parse(size)?),
            ["bilstm", which, batch, steps, d_input, d_hidden, kind] => {
                let shape = [parse(batch)?, parse(steps)?, parse(d_input)?, parse(d_hidden)?];
                operations::bilstm(which, shape, *kind == "train").map(|took| json!(took))
            }
            ["product", n] => Ok(json!(operations::product(parse(n)?))),
            ["relation", n] => Ok(json!(operations::relation(parse(n)?))),
            _ => bail!("no such command"),
        }
    }

    fn save(&self, path: &Path) -> Result<Value> {
        let mut store = SafetensorsStore::from_file(path).overwrite(true).skip_enum_variants(true);
        self.weights.network.save_into(&mut store).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(json!(null))
    }

    /// The sentences of a batch with these indices.
    fn part(&self, batch: usize, members: &[usize]) -> Result<(TokenBatch, Gold), GoldError> {
        let sentences: Vec<&EncodedSentence> = members.iter().map(|&i| &self.batches[batch][i]).collect();
        let mut tokens = TokenBatch::new(&sentences, &self.device);
        if let Some(vectors) = self.contextual.get(batch) {
            let rows: Vec<i64> = members.iter().map(|&i| i as i64).collect();
            let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [members.len()]), &self.device);
            let steps = tokens.layout().steps();
            tokens = tokens.with_contextual(vectors.clone().select(0, rows).narrow(1, 0, steps));
        }
        Ok((tokens, Gold::new(&sentences)?))
    }

    fn batch(&self, batch: usize) -> Result<(TokenBatch, Gold), GoldError> {
        self.part(batch, &(0..self.batches[batch].len()).collect::<Vec<_>>())
    }

    /// One update, from encoded sentences to new weights.
    fn step(&mut self, batch: usize, kind: &str) -> Result<Value> {
        let mut config = self.config.train.clone();
        if kind == "clean" {
            config.adversarial.alpha = 0.0;
        }
        self.steps += 1;
        let (rate, key) = (config.learning_rate, Key::new(self.steps));
        let (what, took) = time(|| -> Result<_> {
            let n_sentences = self.batches[batch].len();
            let prepare = |shard: BatchShard| {
                let (tokens, gold) = self.part(batch, &shard.shard.members(n_sentences).collect::<Vec<_>>())?;
                anyhow::Ok((StepBatch { tokens, labels: gold.tags().to_vec(), gold }, shard))
            };
            let shards = batch_shards(&self.weights, n_sentences).into_par_iter().map(prepare);
            let gradients = batch_gradients(&self.weights, shards.collect::<Result<_>>()?, &config, key);
            let what = gradients.not_finite();
            let rates = LearningRates { network: rate, encoder: rate };
            self.weights = gradients.apply(&self.weights, &mut self.optimizer, rates);
            self.device.sync()?;
            Ok(what)
        });
        if let Some(what) = what? {
            bail!("the {what} is not finite");
        }
        Ok(json!(took))
    }

    /// The losses of a batch without dropout.
    fn loss(&self, batch: usize) -> Result<Value> {
        let (tokens, gold) = self.batch(batch)?;
        let network = &self.weights.network;
        let losses = network.losses(network.embed(&tokens), &gold, gold.tags(), Mode::Evaluate);
        Ok(json!([losses.ner.into_scalar::<f64>(), losses.re.into_scalar::<f64>()]))
    }

    fn operations(&self, batch: usize, kind: &str) -> Value {
        let members: Vec<&EncodedSentence> = self.batches[batch].iter().collect();
        let mut config = self.config.train.clone();
        if kind == "clean" {
            config.adversarial.alpha = 0.0;
        }
        let tokens = TokenBatch::new(&members, &self.device);
        let workload = Workload::new(&tokens, config.adversarial.alpha > 0.0);
        json!(train_operations(&self.config.model, self.sizes, &workload))
    }

    /// Extraction from the test sentences `first..last`, `size` at a time.
    fn extract(&self, first: usize, last: usize, size: usize) -> Result<Value> {
        let network = self.weights.network.valid();
        let options = PredictOptions::from(&self.config.model.relation);
        let (found, took) =
            time(|| predict(&network, &self.test[first..last], None, Batching::new(size), Given::Nothing, options));
        let found = found?;
        let entities: usize = found.iter().map(|sentence| sentence.entities.len()).sum();
        let relations: usize = found.iter().map(|sentence| sentence.relations.len()).sum();
        Ok(json!({ "took": took, "entities": entities, "relations": relations }))
    }
}

fn parse<T: FromStr<Err: Debug>>(word: &str) -> Result<T> {
    word.parse().map_err(|error| anyhow::anyhow!("{word}: {error:?}"))
}

fn number(value: &Value) -> Result<usize> {
    Ok(usize::try_from(value.as_u64().context("a number")?)?)
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> Result<T>) -> Result<Vec<T>> {
    value.as_array().context("a list")?.iter().map(read).collect()
}

fn sentence(value: &Value) -> Result<EncodedSentence> {
    let ids = |value: &Value| list(value, |id| Ok(u32::try_from(number(id)?)?));
    let relation = |value: &Value| {
        let [head, tail, kind] = list(value, number)?.try_into().map_err(|_| anyhow::anyhow!("head, tail, type"))?;
        Ok(EncodedRelation { head, tail, kind })
    };
    Ok(EncodedSentence {
        words: ids(&value["words"])?,
        chars: list(&value["chars"], ids)?,
        tags: ids(&value["tags"])?,
        relations: list(&value["relations"], relation)?,
        ..EncodedSentence::default()
    })
}

/// Contextual vectors by a formula that the script uses too. `[batch, steps, layers, width]`
fn contextual(batch: &[EncodedSentence], width: usize, device: &Device) -> Tensor<4> {
    let steps = batch.iter().map(|sentence| sentence.words.len()).max().unwrap_or(0);
    let shape = [batch.len(), steps, LAYERS, width];
    let n: u32 = shape.iter().product::<usize>().try_into().expect("a batch of fewer than 2^32 values");
    let values = (0..n).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect();
    black_box(Tensor::from_data(TensorData::new(values, shape), device))
}
