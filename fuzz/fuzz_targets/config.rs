//! Configurations in TOML or, after a first line `set`, one `--set` assignment per line.
#![no_main]

use cman_model::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let config = match text.strip_prefix("set\n") {
        Some(lines) => Config::load(None, &lines.lines().take(8).map(String::from).collect::<Vec<_>>()),
        None => Config::from_toml(text, "input").and_then(|config| config.check().map(|_| config)),
    };
    let Ok(config) = config else { return };
    assert_eq!(Config::from_toml(&config.to_toml(), "written").expect("written configurations are valid"), config);
});
