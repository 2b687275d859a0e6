//! The identity of a run: what decides its result. A run resumes from a checkpoint of the same identity.

use std::{collections::BTreeMap, fs, path::Path};

use cman_data::file;
use cman_model::{Config, ScheduleKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::TrainError;

/// The setting that may grow when a run resumes.
const EPOCHS: &str = "train.epochs";
/// The checksum of the encoded data. It says nothing beside another difference.
pub(crate) const ENCODED: &str = "encoded sentences";

/// Every setting of a run, and checksums of its data, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunIdentity(BTreeMap<String, String>);

impl RunIdentity {
    /// The identity by these settings and data. An encoder is part of the data, so its path may change.
    pub(crate) fn new(config: &Config, data: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let mut fields = BTreeMap::new();
        add(&mut fields, "", &serde_json::to_value(config).expect("every setting has a JSON form"));
        fields.remove("encoder.path");
        fields.extend(data.into_iter().map(|(name, checksum)| (name.to_owned(), checksum)));
        Self(fields)
    }

    /// Reads a file that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// A file that cannot be read, or is no identity.
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        let text = fs::read(path).map_err(|source| TrainError::io(path, source))?;
        serde_json::from_slice(&text).map_err(|error| TrainError::io(path, error.into()))
    }

    /// Writes a file of JSON.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| TrainError::io(path, error.into()))?;
        file::replace(path, &text).map_err(|source| TrainError::io(path, source))
    }

    /// The differences from an `earlier` run, one text for each, such as `train.batch_size: 16 in the checkpoint, 8
    /// now`. `place` names where the earlier run was found.
    pub fn differences(&self, earlier: &Self, place: &str) -> Vec<String> {
        let mut names = self.differing(earlier);
        if names.len() > 1 {
            names.retain(|&name| name != ENCODED);
        }
        let text = |identity: &Self, name| identity.0.get(name).map_or("none", String::as_str).to_owned();
        let difference = |name| format!("{name}: {} in the {place}, {} now", text(earlier, name), text(self, name));
        names.into_iter().map(difference).collect()
    }

    /// Whether more epochs are the only difference from an `earlier` run.
    pub fn has_only_more_epochs_than(&self, earlier: &Self) -> bool {
        let epochs = |identity: &Self| identity.0.get(EPOCHS).and_then(|epochs| epochs.parse::<usize>().ok());
        self.differing(earlier) == [EPOCHS] && epochs(self) > epochs(earlier)
    }

    /// The names of the fields that differ.
    fn differing<'a>(&'a self, earlier: &'a Self) -> Vec<&'a str> {
        let mut names: Vec<&str> = self.0.keys().chain(earlier.0.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|&name| self.0.get(name) != earlier.0.get(name));
        names
    }
}

/// Adds the settings of a group, under their names in full: `train.batch_size`.
fn add(fields: &mut BTreeMap<String, String>, name: &str, value: &Value) {
    match value {
        Value::Object(group) => {
            let dot = if name.is_empty() { "" } else { "." };
            group.iter().for_each(|(key, value)| add(fields, &format!("{name}{dot}{key}"), value));
        }
        value => _ = fields.insert(name.to_owned(), value.to_string()),
    }
}

/// A run as its checkpoints know it.
#[derive(Debug, Default)]
pub(crate) struct CurrentRun {
    pub identity: RunIdentity,
    /// The identity in checkpoints of format 1, a hash.
    pub hash: String,
    /// The setting by which every epoch depends on the number of epochs.
    pub tied_to_epochs: Option<&'static str>,
}

impl CurrentRun {
    /// Checks that this run may continue from the checkpoint of an `earlier` one, whose state is in the file `path`: its
    /// identity is the same, or it has fewer epochs and no epoch depends on their number.
    pub fn check(&self, earlier: &RunIdentity, path: &Path) -> Result<(), TrainError> {
        let mut differences = self.identity.differences(earlier, "checkpoint");
        if self.identity.has_only_more_epochs_than(earlier) {
            match self.tied_to_epochs {
                None => return Ok(()),
                Some(setting) => differences[0] += &format!(" ({setting} makes every epoch depend on it)"),
            }
        }
        if differences.is_empty() { Ok(()) } else { Err(TrainError::OtherRun { path: path.into(), differences }) }
    }
}

/// The setting by which every epoch depends on the number of epochs, if there is one.
pub(crate) fn tied_to_epochs(config: &Config) -> Option<&'static str> {
    let decreases_to_0 = |kind| matches!(kind, ScheduleKind::Linear | ScheduleKind::Cosine);
    [
        ("train.schedule.kind", decreases_to_0(config.train.schedule.kind)),
        ("train.predicted_labels", config.train.predicted_labels > 0.0),
        ("encoder.schedule.kind", config.encoder.fine_tune && decreases_to_0(config.encoder.schedule.kind)),
    ]
    .into_iter()
    .find_map(|(setting, is_tied)| is_tied.then_some(setting))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(settings: &[&str], train: &str) -> RunIdentity {
        let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
        let config = Config::load(None, &settings).unwrap();
        RunIdentity::new(&config, [("training data", train.to_owned()), (ENCODED, train.to_owned())])
    }

    #[test]
    fn every_difference_is_named_with_both_values() {
        let earlier = identity(&["train.schedule.kind=cosine"], "a");
        assert_eq!(identity(&["train.schedule.kind=cosine"], "a").differences(&earlier, "model"), [""; 0]);
        let path = ["encoder.kind=bert", "encoder.path=a", "encoder.layers=[1,3]"];
        let moved = ["encoder.kind=bert", "encoder.path=b", "encoder.layers=[1,3]"];
        assert_eq!(identity(&path, "a"), identity(&moved, "a"), "an encoder is known by its checksum");
        let now = identity(&["train.learning_rate=0.01", "train.batch_size=8", "encoder.layers=[1]"], "b");
        let expected = [
            "encoder.layers: [] in the model, [1] now",
            "train.batch_size: 16 in the model, 8 now",
            "train.learning_rate: 0.0005 in the model, 0.01 now",
            "train.schedule.kind: \"cosine\" in the model, \"constant\" now",
            "training data: a in the model, b now",
        ];
        assert_eq!(now.differences(&earlier, "model"), expected);
        let mut encoded = earlier.clone();
        encoded.0.insert(ENCODED.into(), "b".into());
        assert_eq!(encoded.differences(&earlier, "model"), ["encoded sentences: a in the model, b now"]);
        encoded.0.remove(ENCODED);
        assert_eq!(encoded.differences(&earlier, "model"), ["encoded sentences: a in the model, none now"]);
    }

    #[test]
    fn only_the_number_of_epochs_may_grow() {
        let run = |settings: &[&str]| {
            let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
            tied_to_epochs(&Config::load(None, &settings).unwrap())
        };
        assert_eq!((run(&[]), run(&["train.schedule.kind=exponential"])), (None, None));
        assert_eq!(run(&["train.schedule.kind=linear"]), Some("train.schedule.kind"));
        assert_eq!(run(&["train.predicted_labels=0.5"]), Some("train.predicted_labels"));
        let tuned = ["encoder.kind=bert", "encoder.path=a", "encoder.fine_tune=true"];
        assert_eq!(run(&tuned), Some("encoder.schedule.kind"));
        assert_eq!(run(&[&tuned[..], &["encoder.schedule.kind=constant"]].concat()), None);

        let check = |now: &[&str], earlier: &[&str], tied_to_epochs| {
            let now = CurrentRun { identity: identity(now, "a"), hash: String::new(), tied_to_epochs };
            now.check(&identity(earlier, "a"), "state.json".as_ref()).map_err(|error| error.to_string())
        };
        assert_eq!(check(&["train.epochs=9"], &["train.epochs=8"], None), Ok(()));
        let fewer = "state.json: of another run: train.epochs: 8 in the checkpoint, 7 now";
        assert_eq!(check(&["train.epochs=7"], &["train.epochs=8"], None), Err(fewer.into()));
        let tied = "state.json: of another run: train.epochs: 8 in the checkpoint, 9 now (train.schedule.kind makes \
                    every epoch depend on it)";
        assert_eq!(check(&["train.epochs=9"], &["train.epochs=8"], Some("train.schedule.kind")), Err(tied.into()));
    }
}
