//! The multi-head table.
#![no_main]

use cman_data::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| cman_fuzz::corpus(bytes, Format::Multihead));
