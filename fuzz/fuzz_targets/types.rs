//! Types files: what was read comes back the same.
#![no_main]

use cman_data::{Schema, write_types};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(schema) = Schema::from_json(bytes, "input") else { return };
    let mut written = Vec::new();
    write_types(&schema, &mut written).expect("memory can be written");
    assert_eq!(Schema::from_json(&written, "again").expect("what was written can be read"), schema);
});
