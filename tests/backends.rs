//! The first batches of the sample corpus give the same losses on every backend of the build. On the CPU backends, the
//! same seed gives the same bits with any number of threads, at the paper's sizes.
//!
//! GPU backends need `--features wgpu` (or `vulkan`, `metal`, `cuda`) and are skipped if there is no adapter.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Tensor},
};
use cman::{Config, DeviceKind, Learner, Observer, TrainError, TrainingData, sample};

/// Records the mean loss after each batch, and stops after `batches`.
struct Losses {
    values: Vec<f64>,
    batches: usize,
}

impl Observer for Losses {
    fn batch(&mut self, _batch: usize, loss: f64) {
        self.values.push(loss);
    }
    fn wants_stop(&mut self) -> bool {
        self.values.len() == self.batches
    }
}

fn config(settings: &[&str]) -> Config {
    Config::load(None, &settings.iter().map(ToString::to_string).collect::<Vec<_>>()).expect("valid settings")
}

/// The training losses of the first batches, with dropout and the adversarial step.
fn first_losses(device: &Device) -> Vec<f64> {
    let corpus = sample::corpus().expect("the sample corpus");
    let small = ["model.hidden=8", "model.character.width=8", "model.relation.hidden=8", "train.batch_size=8"];
    let data = TrainingData { schema: &corpus.schema, train: &corpus.train.sentences, dev: &[] };
    let mut losses = Losses { values: Vec::new(), batches: 4 };
    match Learner::new(config(&small), data, None, device).expect("a learner").run(&mut losses) {
        Err(TrainError::Stopped { .. }) => losses.values,
        other => panic!("{:?}", other.map(|trained| trained.epoch)),
    }
}

#[test]
fn the_first_losses_are_equal_on_every_backend() {
    let mut expected: Option<Vec<f64>> = None;
    for backend in DeviceKind::compiled() {
        let device = match backend.device() {
            Ok(device) => device,
            Err(error) => {
                println!("skipped: {error}");
                continue;
            }
        };
        let losses = first_losses(&device);
        let Some(expected) = &expected else {
            assert!(losses.len() == 4 && losses.iter().all(|loss| loss.is_finite() && *loss > 0.0), "{losses:?}");
            expected = Some(losses);
            continue;
        };
        let relative = |(a, b): (&f64, &f64)| (a - b).abs() / b.abs();
        let difference = losses.iter().zip(expected).map(relative).fold(0.0, f64::max);
        println!("{backend}: losses {losses:?} differ by {difference:.1e} at most");
        assert!(difference <= 1e-4, "{backend}: {losses:?}, expected {expected:?}");
    }
}

/// The bits of all weights after one epoch of 40 sentences at the paper's sizes, with `threads` threads.
fn bits(device: &Device, threads: usize) -> Vec<u32> {
    struct Bits(Vec<u32>);
    impl ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let values: Vec<f32> = param.val().try_into_vec_as().expect("f32 values");
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
fn the_number_of_threads_does_not_change_the_weights() {
    for backend in DeviceKind::compiled().into_iter().filter(|backend| backend.is_cpu()) {
        let device = backend.device().expect("compiled in");
        let one = bits(&device, 1);
        assert!(one.len() > 1_000_000, "{backend}: only {} weights", one.len());
        for threads in [2, 3] {
            assert!(bits(&device, threads) == one, "{backend}: different bits with {threads} threads");
        }
    }
}
