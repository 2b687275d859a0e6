//! Recognition of inputs, whole or cut, and reading of what is recognized.
#![no_main]

use cman_data::{OnError, ReaderBuilder, Recognized, recognize};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for end in [1, 2, 16, bytes.len() / 2, bytes.len()] {
        let start = &bytes[..end.min(bytes.len())];
        if let (Recognized::Foreign { what, .. }, _) | (_, Recognized::Foreign { what, .. }) =
            (recognize(start, false), recognize(start, true))
        {
            assert!(!what.is_empty());
        }
    }
    if let Ok(mut reader) = ReaderBuilder::new().on_error(OnError::Skip).from_reader(bytes, "input") {
        let sentences = reader.by_ref().flatten().count();
        let report = reader.report();
        assert_eq!((report.sentences, report.reasons.total()), (sentences, report.skipped));
    }
});
