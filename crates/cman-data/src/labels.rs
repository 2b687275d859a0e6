//! Label sets: the entity and relation types of a corpus or a model.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// An ordered set of label names. The id of a label is its index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct LabelSet {
    names: Vec<String>,
    ids: HashMap<String, usize>,
}

impl LabelSet {
    /// Number of labels.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The id of `name`, if it is in the set.
    pub fn id(&self, name: &str) -> Option<usize> {
        self.ids.get(name).copied()
    }

    /// The name of label `id`.
    ///
    /// # Panics
    /// If there is no such label.
    pub fn name(&self, id: usize) -> &str {
        &self.names[id]
    }

    /// The names, in order of their ids.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Adds `name` if it is new. Returns its id.
    pub fn insert(&mut self, name: impl Into<String>) -> usize {
        let name = name.into();
        *self.ids.entry(name).or_insert_with_key(|name| {
            self.names.push(name.clone());
            self.names.len() - 1
        })
    }
}

impl<S: Into<String>> FromIterator<S> for LabelSet {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut set = Self::default();
        for name in names {
            set.insert(name);
        }
        set
    }
}

impl From<Vec<String>> for LabelSet {
    fn from(names: Vec<String>) -> Self {
        names.into_iter().collect()
    }
}

impl From<LabelSet> for Vec<String> {
    fn from(set: LabelSet) -> Self {
        set.names
    }
}

/// The entity types and the relation types of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The entity types.
    pub entities: LabelSet,
    /// The relation types.
    pub relations: LabelSet,
}

impl Schema {
    /// Adds the types of another schema that are new.
    pub fn extend(&mut self, other: &Self) {
        for (own, others) in [(&mut self.entities, &other.entities), (&mut self.relations, &other.relations)] {
            for name in others.names() {
                own.insert(name.as_str());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_order_of_insertion() {
        let set: LabelSet = ["Peop", "Loc", "Peop"].into_iter().collect();
        assert_eq!((set.len(), set.id("Loc"), set.id("Org")), (2, Some(1), None));
        assert_eq!(set.name(0), "Peop");
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, r#"["Peop","Loc"]"#);
        assert_eq!(serde_json::from_str::<LabelSet>(&json).unwrap(), set);
    }
}
