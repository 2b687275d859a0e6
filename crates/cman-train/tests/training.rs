//! Training learns a small task, is reproducible to the bit, and resumes from checkpoints with the same bits.

mod common;

use std::{path::Path, time::Duration};

use burn::tensor::Device;
use burn_ragged::DeviceKind;
use cman_data::Schema;
use cman_model::Config;
use cman_train::{Checkpoints, EpochReport, Learner, Observer, TrainError, Trained, TrainingData};
use common::{bits, config, schema, sentences};

fn learner(config: Config, device: &Device) -> Learner {
    let (schema, sentences) = (schema(), sentences());
    let (train, dev) = sentences.split_at(8);
    Learner::new(config, TrainingData { schema: &schema, train, dev }, None, device).expect("a learner")
}

fn run(config: Config, device: &Device) -> Trained {
    learner(config, device).run(&mut ()).expect("a trained model")
}

/// Stops after this many batches.
struct StopAfter(usize);

impl Observer for StopAfter {
    fn wants_stop(&mut self) -> bool {
        self.0 -= 1;
        self.0 == 0
    }
}

/// Learning rate and losses of each epoch.
#[derive(Default)]
struct Reports(Vec<[f64; 3]>);

impl Observer for Reports {
    fn epoch(&mut self, report: &EpochReport) -> Result<(), TrainError> {
        self.0.push([report.learning_rate, report.ner_loss, report.re_loss]);
        Ok(())
    }
}

#[test]
fn a_small_task_is_learned_on_every_cpu_backend() {
    for backend in DeviceKind::compiled().into_iter().filter(|backend| backend.is_cpu()) {
        let device = backend.device().unwrap();
        let trained = run(config(&["train.epochs=30"]), &device);
        let dev = trained.dev.expect("scores on dev");
        assert!(dev.entities.strict.micro.f1 > 0.9, "{backend}: {dev}");
        assert!(dev.relations.strict.micro.f1 > 0.9, "{backend}: {dev}");
    }
}

#[test]
fn bits_depend_on_the_seed_and_not_on_the_number_of_threads() {
    let device = Device::flex();
    let with_threads = |n: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| bits(run(config(&["train.epochs=2"]), &device).model.network()))
    };
    let one = with_threads(1);
    assert!(one == with_threads(2) && one == with_threads(3));
    assert_ne!(one, bits(run(config(&["train.epochs=2", "seed=2"]), &device).model.network()));
}

#[test]
fn bits_of_many_shards_do_not_depend_on_the_number_of_threads() {
    let (schema, train) = (schema(), vec![sentences(); 5].concat());
    let with_threads = |n: usize| {
        let config = config(&["train.epochs=2", "train.batch_size=64"]);
        let data = TrainingData { schema: &schema, train: &train, dev: &[] };
        let learner = Learner::new(config, data, None, &Device::flex()).expect("a learner");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| bits(learner.run(&mut ()).expect("a trained model").model.network()))
    };
    let one = with_threads(1);
    assert!(one == with_threads(2) && one == with_threads(5));
}

#[test]
fn a_resumed_run_gives_the_same_bits() {
    let device = Device::flex();
    for settings in [&["train.schedule.kind=cosine", "train.predicted_labels=0.5"][..], &["train.patience=1"]] {
        let mut all = Reports::default();
        let expected = learner(config(settings), &device).run(&mut all).unwrap();
        for stop in [1, 2, 3, 4] {
            let folder = tempfile::tempdir().unwrap();
            let checkpoints = || Checkpoints::new(folder.path().join("checkpoint"), Duration::ZERO);
            let first = learner(config(settings), &device).with_checkpoints(checkpoints(), true).unwrap();
            match first.run(&mut StopAfter(stop)) {
                Err(TrainError::Stopped { .. }) => {}
                other => panic!("stopped after {stop} batches: {:?}", other.map(|trained| trained.epoch)),
            }
            let second = learner(config(settings), &device).with_checkpoints(checkpoints(), true).unwrap();
            let mut rest = Reports::default();
            let trained = second.run(&mut rest).unwrap();
            assert!(!rest.0.is_empty() && all.0.ends_with(&rest.0), "stopped after {stop} batches");
            assert_eq!(trained.epoch, expected.epoch, "stopped after {stop} batches");
            assert!(bits(trained.model.network()) == bits(expected.model.network()), "stopped after {stop} batches");
        }
    }
}

#[test]
fn checkpoints_touch_only_their_own_files() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = || Checkpoints::new(folder.path(), Duration::ZERO);
    std::fs::write(folder.path().join("diary.txt"), "mine").unwrap();
    std::fs::write(folder.path().join("best-1.bpk"), "of another run").unwrap();
    let expected = run(config(&[]), &device);
    let first = learner(config(&[]), &device).with_checkpoints(checkpoints(), false).unwrap();
    assert!(first.run(&mut StopAfter(5)).is_err());
    let second = learner(config(&[]), &device).with_checkpoints(checkpoints(), true).unwrap();
    assert!(bits(second.run(&mut ()).unwrap().model.network()) == bits(expected.model.network()));
    checkpoints().clear().unwrap();
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["diary.txt"]);
}

#[test]
fn checkpoints_of_other_runs_and_damaged_ones_are_refused() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("checkpoint");
    let checkpoints = || Checkpoints::new(&place, Duration::ZERO);
    let first = learner(config(&[]), &device).with_checkpoints(checkpoints(), false).unwrap();
    assert!(first.run(&mut StopAfter(3)).is_err());
    let resume = |settings: &[&str]| {
        learner(config(settings), &device).with_checkpoints(checkpoints(), true).err().map(|error| error.to_string())
    };
    assert_eq!(resume(&[]), None);
    let other = resume(&["seed=9", "train.batch_size=2"]).unwrap();
    let differences = "seed: 1 in the checkpoint, 9 now; train.batch_size: 4 in the checkpoint, 2 now";
    assert_eq!(other, format!("{}: of another run: {differences}", place.join("state.json").display()));

    let network = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path());
    let network = network.into_iter().find(|path| path.to_string_lossy().contains("network-")).unwrap();
    let bytes = std::fs::read(&network).unwrap();
    std::fs::write(&network, &bytes[..bytes.len() / 2]).unwrap();
    assert!(resume(&[]).unwrap().contains("network-"));
    std::fs::remove_file(&network).unwrap();
    assert!(resume(&[]).unwrap().contains("No such file"));
    let state = std::fs::read_to_string(place.join("state.json")).unwrap();
    assert!(state.contains("\"format\": 2"), "{state}");
    std::fs::write(place.join("state.json"), state.replace("\"format\": 2", "\"format\": 3")).unwrap();
    assert!(resume(&[]).unwrap().ends_with("state.json: format 3, this library reads formats 1 and 2"));
    std::fs::write(place.join("state.json"), state.replace("\"format\": 2,", "")).unwrap();
    assert!(resume(&[]).unwrap().ends_with("state.json: no format, this library reads formats 1 and 2"));
    std::fs::write(place.join("state.json"), "{").unwrap();
    assert!(resume(&[]).unwrap().contains("state.json: EOF while parsing"));
}

#[test]
fn a_refusal_names_the_data_that_differ() {
    let (device, folder, schema) = (Device::flex(), tempfile::tempdir().unwrap(), schema());
    let vectors = |name: &str, value: f32| {
        let (path, row) = (folder.path().join(name), format!(" {value}").repeat(8));
        std::fs::write(&path, format!("Rome{row}\nOslo{row}\n")).unwrap();
        path
    };
    let (a, b) = (vectors("a.txt", 0.25), vectors("b.txt", 0.5));
    let place = folder.path().join("checkpoint");
    let start = |sentences: &[cman_data::Sentence], vectors: Option<&Path>| {
        let (train, dev) = sentences.split_at(8);
        let data = TrainingData { schema: &schema, train, dev };
        let learner = Learner::new(config(&[]), data, vectors, &device).unwrap();
        learner.with_checkpoints(Checkpoints::new(&place, Duration::ZERO), true)
    };
    assert!(start(&sentences(), Some(&a)).unwrap().run(&mut StopAfter(3)).is_err());
    assert!(start(&sentences(), Some(&a)).is_ok());
    let differing = |sentences: &[cman_data::Sentence], vectors| match start(sentences, vectors).err() {
        Some(TrainError::OtherRun { differences, .. }) => {
            let name = |difference: &String| difference.split_once(": ").expect("a name").0.to_owned();
            differences.iter().map(name).collect::<Vec<_>>()
        }
        other => panic!("expected differences, found {other:?}"),
    };
    assert_eq!(differing(&sentences(), Some(&b)), ["word vectors"]);
    assert_eq!(differing(&sentences(), None), ["word vectors"]);
    let [mut train, mut dev] = [sentences(), sentences()];
    train[0].relations.clear();
    dev[9].entities.pop();
    dev[9].relations.clear();
    assert_eq!(differing(&train, Some(&a)), ["training data"]);
    assert_eq!(differing(&dev, Some(&a)), ["dev data"]);
}

#[test]
fn a_finished_run_goes_on_with_more_epochs_to_the_same_bits() {
    let device = Device::flex();
    for settings in [&[][..], &["train.schedule.kind=exponential", "train.schedule.decay=0.5"], &["train.patience=3"]] {
        let folder = tempfile::tempdir().unwrap();
        let start = |epochs: &str| {
            let settings = [settings, &[epochs][..]].concat();
            let checkpoints = Checkpoints::new(folder.path(), Duration::ZERO);
            learner(config(&settings), &device).with_checkpoints(checkpoints, true)
        };
        start("train.epochs=2").unwrap().run(&mut ()).unwrap();
        let more = start("train.epochs=5").unwrap();
        assert_eq!(more.epochs_done(), 2);
        let more = more.run(&mut ()).unwrap();
        let expected = run(config(&[settings, &["train.epochs=5"]].concat()), &device);
        assert_eq!(more.epoch, expected.epoch);
        assert!(bits(more.model.network()) == bits(expected.model.network()));
        let fewer = start("train.epochs=3").err().expect("refused").to_string();
        assert!(fewer.ends_with("of another run: train.epochs: 5 in the checkpoint, 3 now"), "{fewer}");
    }
    let folder = tempfile::tempdir().unwrap();
    let start = |epochs: &str| {
        let checkpoints = Checkpoints::new(folder.path(), Duration::ZERO);
        learner(config(&["train.schedule.kind=linear", epochs]), &device).with_checkpoints(checkpoints, true)
    };
    start("train.epochs=2").unwrap().run(&mut ()).unwrap();
    let tied = start("train.epochs=3").err().expect("refused").to_string();
    let reason = "train.epochs: 2 in the checkpoint, 3 now (train.schedule.kind makes every epoch depend on it)";
    assert!(tied.ends_with(reason), "{tied}");
}

#[test]
fn invalid_training_data_are_refused() {
    let device = Device::flex();
    let schema = schema();
    let fail = |train: &[cman_data::Sentence], settings: &[&str]| {
        let data = TrainingData { schema: &schema, train, dev: &[] };
        Learner::new(config(settings), data, None, &device).err().expect("refused").to_string()
    };
    assert_eq!(fail(&[], &[]), "training data: no sentence to learn from");
    let mut unknown = sentences();
    unknown[2].entities[0].kind = "Person".into();
    assert!(fail(&unknown, &[]).contains("Person"), "{}", fail(&unknown, &[]));
    let contextual = fail(&sentences(), &["model.contextual.width=4", "model.contextual.layers=1"]);
    assert!(contextual.starts_with("configuration: model.contextual.width: expected 0"), "{contextual}");
    let untyped = Schema { entities: Default::default(), ..schema.clone() };
    let data = TrainingData { schema: &untyped, train: &sentences(), dev: &[] };
    let error = Learner::new(config(&[]), data, None, &device).err().expect("refused").to_string();
    assert_eq!(error, "training data: no entity types");
}

#[test]
fn a_loss_that_is_not_finite_is_an_error_that_names_the_sentences() {
    let result = learner(config(&["train.learning_rate=1e30"]), &Device::flex()).run(&mut ());
    let message = result.expect_err("an error").to_string();
    assert!(message.contains("is not finite (sentences ") && message.starts_with("epoch "), "{message}");
}
