//! Loads a model directory and extracts a sentence: `outside MODEL MILLISECONDS`. A sentence that takes longer than so
//! many milliseconds is an error.

use std::{env, error::Error, time::Instant};

use cman::{DeviceKind, Extractor};

const SENTENCE: &str = "Mrs. Tsuruyama is from Kumamoto Prefecture in Japan.";
const REPETITIONS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [model, limit] = &arguments[..] else { return Err("usage: outside MODEL MILLISECONDS".into()) };
    let limit: f64 = limit.parse()?;

    let start = Instant::now();
    let extractor = Extractor::load(model.as_ref(), &DeviceKind::Flex.device()?)?;
    println!("load: {:.0} ms", milliseconds(start));

    let mut times = Vec::new();
    for _ in 0..REPETITIONS {
        let start = Instant::now();
        let sentences = extractor.extract(SENTENCE)?;
        times.push(milliseconds(start));
        if sentences.len() != 1 || sentences[0].text != SENTENCE {
            return Err(format!("expected one sentence, found {sentences:?}").into());
        }
    }
    times.sort_by(f64::total_cmp);
    let median = times[REPETITIONS / 2];
    println!("sentence: {median:.1} ms (median of {REPETITIONS}), {limit} ms at most");
    if median > limit { Err(format!("{median:.1} ms per sentence, more than {limit}").into()) } else { Ok(()) }
}

fn milliseconds(since: Instant) -> f64 {
    1000.0 * since.elapsed().as_secs_f64()
}
