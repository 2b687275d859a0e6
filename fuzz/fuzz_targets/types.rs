//! Types files, with a round trip.
#![no_main]

use cman_data::{Schema, write_types};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(schema) = Schema::from_json(bytes, "input") else { return };
    let mut written = Vec::new();
    write_types(&schema, &mut written).expect("writing to memory");
    assert_eq!(Schema::from_json(&written, "written").expect("written types files are valid"), schema);
});
