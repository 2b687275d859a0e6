//! Training with a contextual encoder: frozen, fine-tuned, or from a file of contextual vectors.

mod common;
#[path = "encoder/elmo.rs"]
mod elmo;
#[path = "../../../tests/real_data/mod.rs"]
mod real_data;

use std::{fs, path::Path, time::Duration};

use burn::{module::Module, tensor::Device};
use cman_core::embedding::LayerMixer;
use cman_data::{ContextualVectorWriter, Precision, Sentence};
use cman_encoder::BertNetwork;
use cman_model::{Config, Encoder, EncoderConfig, EncoderKind, Model, ModelError};
use cman_train::{Checkpoints, Learner, Observer, RunFacts, TrainError, Trained, TrainingData, evaluate};
use common::{bits, encoder, encoder_copy, schema, sentences};

fn config(folder: &Path, settings: &[&str]) -> Config {
    let path = format!("encoder.path={}", folder.display());
    common::config(&[&["encoder.kind=bert", path.as_str(), "train.epochs=2"][..], settings].concat())
}

fn learner(config: Config) -> Result<Learner, TrainError> {
    let (schema, sentences) = (schema(), sentences());
    let (train, dev) = sentences.split_at(8);
    Learner::new(config, TrainingData { schema: &schema, train, dev }, None, &Device::flex())
}

fn run(config: Config) -> Trained {
    learner(config).unwrap().run(&mut ()).unwrap()
}

fn message<T, E: std::error::Error>(result: Result<T, E>) -> String {
    result.err().expect("refused").to_string()
}

fn load(folder: &Path) -> Result<Model, ModelError> {
    Model::load(folder, &Device::flex())
}

fn open(folder: &Path) -> Encoder {
    let path = folder.display().to_string();
    let config = EncoderConfig { kind: EncoderKind::find(&path).unwrap(), path, ..EncoderConfig::default() };
    Encoder::open(&config, &Device::flex()).unwrap().unwrap()
}

fn words(sentences: &[Sentence]) -> Vec<Vec<String>> {
    sentences.iter().map(|sentence| sentence.words().map(str::to_owned).collect()).collect()
}

/// Writes the contextual vectors of these sentences to a file.
fn embed(folder: &Path, sentences: &[Sentence], path: &Path) {
    let (encoder, words) = (open(folder), words(sentences));
    let shape = [encoder.n_layers(), encoder.width()];
    let mut writer =
        ContextualVectorWriter::create(path, encoder.identity(), shape, Precision::Single, &words).unwrap();
    for vectors in encoder.vectors(&words.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap() {
        writer.write(&vectors).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn a_frozen_encoder_determines_the_shape_and_keeps_its_weights() {
    for name in ["bert", "distilbert", "roberta"] {
        let trained = run(config(&encoder(name), &["encoder.pooling=mean"]));
        let contextual = &trained.model.config().model.contextual;
        assert_eq!((contextual.width, contextual.layers), (16, 3));
        let used = trained.model.encoder().unwrap().as_bert().unwrap();
        let fresh = open(&encoder(name));
        assert!(bits(&used.network) == bits(&fresh.as_bert().unwrap().network));
        let Some(LayerMixer::Scalar(mix)) = &trained.model.network().embedding.contextual else {
            panic!("a learned mix")
        };
        assert_ne!(mix.gamma.val().into_scalar::<f32>(), 1.0, "the mix of the layers is trained");
    }
}

#[test]
fn layers_are_selected_from_cached_and_computed_vectors() {
    let trained = run(config(&encoder("bert"), &["encoder.layers=[0, 2]"]));
    assert_eq!(trained.model.config().model.contextual.layers, 2);
    // The learner cached the vectors and the model computes them. The dev scores are equal.
    let scores = evaluate(&trained.model, &sentences()[8..], 3, false).unwrap().scores;
    assert_eq!(Some(scores), trained.dev);
    let refused = message(learner(config(&encoder("bert"), &["encoder.layers=[0, 3]"])));
    assert!(refused.ends_with("encoder.layers: expected layers that the encoder has, found 3 (its last one is 2)"));
}

#[test]
fn a_model_names_its_encoder_and_refuses_another() {
    let encoder = encoder_copy("bert");
    let trained = run(config(encoder.path(), &[]));
    let folder = tempfile::tempdir().unwrap();
    trained.model.save(folder.path(), &()).unwrap();
    assert!(!folder.path().join("encoder").exists());
    let loaded = load(folder.path()).unwrap();
    assert_eq!(loaded.predict(&sentences(), 5).unwrap(), trained.model.predict(&sentences(), 5).unwrap());

    let options = fs::read_to_string(encoder.path().join("config.json")).unwrap();
    fs::write(encoder.path().join("config.json"), options.replace("0.1,", "0.2,")).unwrap();
    let refused = message(load(folder.path()));
    assert!(
        refused.contains("model.json: the model needs the encoder '") && refused.contains(", found '"),
        "{refused}"
    );
    fs::remove_file(encoder.path().join("model.safetensors")).unwrap();
    let refused = message(load(folder.path()));
    assert!(refused.contains("needs the encoder") && refused.contains("model.safetensors: No such file"), "{refused}");

    let place = folder.path().join("config.toml");
    let text = fs::read_to_string(&place).unwrap();
    fs::write(&place, text.replace("kind = \"bert\"", "kind = \"none\"")).unwrap();
    assert!(message(load(folder.path())).contains("config.toml names none"));
}

#[test]
fn a_fine_tuned_encoder_is_saved_with_the_model() {
    let tune = ["encoder.fine_tune=true", "encoder.learning_rate=0.001", "encoder.schedule.warmup_epochs=0"];
    let trained = run(config(&encoder("bert"), &tune));
    let bert = |model: &Model| bits(&model.encoder().unwrap().as_bert().unwrap().network);
    let (before, after) = (bits(&open(&encoder("bert")).as_bert().unwrap().network), bert(&trained.model));
    let changed = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    // Vectors of unused pieces and positions and of token type 1 never change.
    assert!(changed > before.len() / 2, "{changed} of {}", before.len());
    assert!(bert(&run(config(&encoder("bert"), &tune)).model) == after, "same seed, same bits");

    let folder = tempfile::tempdir().unwrap();
    trained.model.save(folder.path(), &()).unwrap();
    let loaded = load(folder.path()).unwrap();
    assert!(bert(&loaded) == after);
    assert_eq!(loaded.predict(&sentences(), 4).unwrap(), trained.model.predict(&sentences(), 4).unwrap());
    let scores = evaluate(&loaded, &sentences()[8..], 8, false).unwrap().scores;
    assert_eq!(Some(scores), trained.dev);
    let weights = folder.path().join("encoder/model.safetensors");
    fs::copy(encoder("bert").join("model.safetensors"), weights).unwrap();
    assert!(message(load(folder.path())).contains("the model needs the encoder"));
}

#[test]
fn an_encoder_can_be_frozen_in_the_first_epochs() {
    let tune = |frozen: &str| {
        let epochs = format!("encoder.frozen_epochs={frozen}");
        let rate = ["encoder.learning_rate=0.001", "encoder.schedule.warmup_epochs=0"];
        run(config(&encoder("bert"), &[&["encoder.fine_tune=true", &epochs][..], &rate].concat()))
    };
    let bert = |trained: &Trained| bits(&trained.model.encoder().unwrap().as_bert().unwrap().network);
    let fresh = bits(&open(&encoder("bert")).as_bert().unwrap().network);
    let (never, frozen) = (tune("2"), run(config(&encoder("bert"), &[])));
    assert!(bert(&never) == fresh);
    assert!(bits(never.model.network()) == bits(frozen.model.network()), "frozen in all epochs equals frozen");
    // Without dev data the model is that of the last epoch.
    let last = |settings: &[&str]| {
        let (schema, sentences) = (schema(), sentences());
        let data = TrainingData { schema: &schema, train: &sentences, dev: &[] };
        let config = config(&encoder("bert"), &[&["encoder.fine_tune=true"][..], settings].concat());
        Learner::new(config, data, None, &Device::flex()).unwrap().run(&mut ()).unwrap()
    };
    assert!(bert(&last(&["encoder.frozen_epochs=1"])) != fresh, "then it is trained");
    assert!(bert(&last(&["encoder.frozen_epochs=2"])) == fresh);
}

/// Number of trained parameters of the encoder.
#[derive(Default)]
struct TrainedParameters(usize);

impl Observer for TrainedParameters {
    fn start(&mut self, facts: &RunFacts) {
        self.0 = facts.encoder_parameters;
    }
}

#[test]
fn the_lowest_layers_can_be_frozen_in_all_epochs() {
    let mut n_trained = TrainedParameters::default();
    let mut tune = |frozen: usize| {
        let layers = format!("encoder.frozen_layers={frozen}");
        let rate = ["encoder.learning_rate=0.001", "encoder.schedule.warmup_epochs=0"];
        let config = config(&encoder("bert"), &[&["encoder.fine_tune=true", &layers][..], &rate].concat());
        let trained = learner(config).unwrap().run(&mut n_trained).unwrap();
        let bert = trained.model.encoder().unwrap().as_bert().unwrap().network.clone();
        let expected = bert.blocks[frozen.saturating_sub(1)..].iter().map(Module::num_params).sum::<usize>();
        let embeddings = if frozen == 0 { bert.num_params() - expected } else { 0 };
        assert_eq!(n_trained.0, expected + embeddings);
        bert
    };
    let fresh = open(&encoder("bert")).as_bert().unwrap().network.clone();
    let embeddings = |bert: &BertNetwork| {
        let tables = [Some(&bert.words), Some(&bert.positions), bert.types.as_ref()].into_iter().flatten();
        (tables.map(bits).collect::<Vec<_>>(), bits(&bert.norm))
    };
    for n in [1, 2] {
        let tuned = tune(n);
        assert!(embeddings(&tuned) == embeddings(&fresh));
        for (i, (tuned, fresh)) in tuned.blocks.iter().zip(&fresh.blocks).enumerate() {
            assert_eq!(bits(tuned) == bits(fresh), i + 1 < n, "block {i} with {n} frozen layers");
        }
    }
    assert!(embeddings(&tune(0)) != embeddings(&fresh));
    let refused = message(learner(config(&encoder("bert"), &["encoder.fine_tune=true", "encoder.frozen_layers=3"])));
    assert!(
        refused.ends_with("encoder.frozen_layers: expected fewer layers than the encoder has, found 3 (it has 3)"),
        "{refused}"
    );
}

/// Stops after this many batches.
struct StopAfter(usize);

impl Observer for StopAfter {
    fn wants_stop(&mut self) -> bool {
        self.0 -= 1;
        self.0 == 0
    }
}

#[test]
fn a_resumed_run_with_a_fine_tuned_encoder_gives_the_same_bits() {
    let settings =
        ["encoder.fine_tune=true", "encoder.frozen_layers=1", "train.clip_norm=0.5", "train.predicted_labels=0.5"];
    for (frozen, stop) in [("0", 3), ("1", 1)] {
        let frozen = format!("encoder.frozen_epochs={frozen}");
        let config = || config(&encoder("distilbert"), &[&settings[..], &[&frozen]].concat());
        let expected = run(config()).model;
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = || Checkpoints::new(folder.path(), Duration::ZERO);
        let start = || learner(config()).unwrap();
        assert!(start().with_checkpoints(checkpoints(), false).unwrap().run(&mut StopAfter(stop)).is_err());
        // The same encoder in another folder.
        let moved = encoder_copy("distilbert");
        let mut config = config();
        config.encoder.path = moved.path().display().to_string();
        let second = learner(config).unwrap().with_checkpoints(checkpoints(), true).unwrap();
        let found = second.run(&mut ()).unwrap().model;
        assert!(bits(found.network()) == bits(expected.network()));
        let bert = |model: &Model| bits(&model.encoder().unwrap().as_bert().unwrap().network);
        assert!(bert(&found) == bert(&expected));
    }
}

#[test]
fn vectors_from_a_file_train_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    let (bert, file) = (encoder_copy("bert"), folder.path().join("features.safetensors"));
    let all = sentences();
    embed(bert.path(), &all, &file);
    let from_file = ["encoder.kind=cache", &format!("encoder.path={}", file.display())];
    let trained = run(config(bert.path(), &from_file));
    let expected = run(config(bert.path(), &[]));
    assert!(bits(trained.model.network()) == bits(expected.model.network()));

    // Sentences that are not in the file go to the encoder that computed it.
    let new = [Sentence::from_tokens("new", ["Bo", "left", "Rome", "."])];
    let place = folder.path().join("model");
    trained.model.save(&place, &()).unwrap();
    let predict = |model: &Model| model.predict(&new, 1).unwrap();
    assert_eq!(predict(&load(&place).unwrap()), predict(&expected.model));
    fs::rename(bert.path().join("config.json"), bert.path().join("config")).unwrap();
    let loaded = load(&place).unwrap();
    assert!(message(loaded.predict(&new, 1)).contains("config.json: No such file"));
    assert_eq!(loaded.predict(&all, 2).unwrap().len(), all.len());
    // Without the file, the encoder is used.
    fs::rename(bert.path().join("config"), bert.path().join("config.json")).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(predict(&load(&place).unwrap()), predict(&expected.model));
}

#[test]
fn vectors_of_another_corpus_or_encoder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (bert, file) = (encoder_copy("bert"), folder.path().join("features.safetensors"));
    let from_file = ["encoder.kind=cache", &format!("encoder.path={}", file.display())];
    embed(bert.path(), &sentences()[1..], &file);
    let refused = message(learner(config(bert.path(), &from_file)));
    let expected =
        "expected vectors of all 8 sentences, found none for 1 of them, such as 'Ann lives in lovely Rome .'";
    assert!(refused.ends_with(expected), "{refused}");

    embed(bert.path(), &sentences(), &file);
    let other = [&from_file[..], &["encoder.pooling=max"]].concat();
    let refused = message(learner(config(bert.path(), &other)));
    assert!(refused.ends_with("expected vectors pooled by 'max' (encoder.pooling), found 'first'"), "{refused}");

    // The file is replaced by vectors of another encoder.
    let place = folder.path().join("model");
    run(config(bert.path(), &from_file)).model.save(&place, &()).unwrap();
    embed(&encoder("distilbert"), &sentences(), &file);
    assert!(message(load(&place)).contains("the model needs the encoder"));

    // The encoder changed after its vectors were written.
    embed(bert.path(), &sentences(), &file);
    let model = load(&place).unwrap();
    fs::copy(encoder("distilbert").join("config.json"), bert.path().join("config.json")).unwrap();
    fs::copy(encoder("distilbert").join("model.safetensors"), bert.path().join("model.safetensors")).unwrap();
    let refused = message(model.predict(&[Sentence::from_tokens("", ["new"])], 1));
    assert!(refused.contains("expected the encoder '") && refused.contains(", found the encoder '"), "{refused}");

    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 4]).unwrap();
    assert!(message(learner(config(bert.path(), &from_file))).contains("size: expected"));
}
