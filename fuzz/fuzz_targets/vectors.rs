//! Word vectors, plain or gzip.
#![no_main]

use cman_data::VectorReader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(reader) = VectorReader::from_reader(bytes, "input") else { return };
    let width = reader.width();
    for item in reader.take(1 << 12) {
        let Ok((word, vector)) = item else { return };
        assert!(!word.is_empty() && vector.len() == width && vector.iter().all(|x| x.is_finite()));
    }
});
