//! The sample corpus's first batches train to the same losses on every backend of the build; at the paper's sizes, one
//! seed gives the same bits with any number of threads on the CPU backends.
//!
//! GPU backends are built with `--features wgpu` (or `vulkan`, `metal`, `cuda`) and skipped where there is no adapter.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Tensor},
};
use cman::{Config, DeviceKind, Learner, Observer, TrainError, TrainingData, sample};

/// Keeps the mean loss behind each batch, and stops after some.
struct Losses {
    kept: Vec<f64>,
    batches: usize,
}

impl Observer for Losses {
    fn batch(&mut self, _batch: usize, loss: f64) {
        self.kept.push(loss);
    }
    fn wants_stop(&mut self) -> bool {
        self.kept.len() == self.batches
    }
}

fn config(settings: &[&str]) -> Config {
    Config::load(None, &settings.iter().map(ToString::to_string).collect::<Vec<_>>()).expect("sound settings")
}

/// The losses of the first batches, as training gives them: with dropout and the adversarial step.
fn first_losses(device: &Device) -> Vec<f64> {
    let corpus = sample::corpus().expect("the sample corpus");
    let small = ["model.hidden=8", "model.character.width=8", "model.relation.hidden=8", "train.batch_size=8"];
    let data = TrainingData { schema: &corpus.schema, train: &corpus.train.sentences, dev: &[] };
    let mut losses = Losses { kept: Vec::new(), batches: 4 };
    match Learner::new(config(&small), data, None, device).expect("a learner").run(&mut losses) {
        Err(TrainError::Stopped { .. }) => losses.kept,
        other => panic!("{:?}", other.map(|trained| trained.epoch)),
    }
}

#[test]
fn the_first_batches_train_to_the_same_losses_on_every_backend() {
    let mut expected: Option<Vec<f64>> = None;
    for backend in DeviceKind::compiled() {
        let device = match backend.device() {
            Ok(device) => device,
            Err(error) => {
                println!("skipped: {error}");
                continue;
            }
        };
        let found = first_losses(&device);
        let Some(expected) = &expected else {
            assert!(found.len() == 4 && found.iter().all(|loss| loss.is_finite() && *loss > 0.0), "{found:?}");
            expected = Some(found);
            continue;
        };
        let relative = |(a, b): (&f64, &f64)| (a - b).abs() / b.abs();
        let difference = found.iter().zip(expected).map(relative).fold(0.0, f64::max);
        println!("{backend}: losses {found:?} differ by {difference:.1e} at most");
        assert!(difference <= 1e-4, "{backend}: {found:?} for {expected:?}");
    }
}

/// The bits of every weight after three batches at the paper's sizes, trained with this many threads.
fn bits(device: &Device, threads: usize) -> Vec<u32> {
    struct Bits(Vec<u32>);
    impl ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let values: Vec<f32> = param.val().try_into_vec_as().expect("numbers");
            self.0.extend(values.iter().map(|x| x.to_bits()));
        }
    }
    let corpus = sample::corpus().expect("the sample corpus");
    let data = TrainingData { schema: &corpus.schema, train: &corpus.train.sentences[..40], dev: &[] };
    let learner = Learner::new(config(&["train.epochs=1"]), data, None, device).expect("a learner");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
    let trained = pool.install(|| learner.run(&mut ())).expect("a trained model");
    let mut bits = Bits(Vec::new());
    trained.model.network().visit(&mut bits);
    bits.0
}

#[test]
fn at_the_papers_sizes_the_number_of_threads_changes_no_bit() {
    for backend in DeviceKind::compiled().into_iter().filter(|backend| backend.is_cpu()) {
        let device = backend.device().expect("compiled in");
        let one = bits(&device, 1);
        assert!(one.len() > 1_000_000, "{backend}: only {} weights", one.len());
        for threads in [2, 3] {
            assert!(bits(&device, threads) == one, "{backend}: other bits with {threads} threads");
        }
    }
}
