//! Types files: the entity and relation types of a task, in order.

use std::{fmt, fs, io::Write, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::json;

use super::spert_writer::write_error;
use crate::{
    error::{DataError, Location, Quoted},
    labels::{LabelSet, Schema},
};

#[derive(Deserialize)]
struct Types {
    entities: Names,
    relations: Names,
}

/// The keys of an object or the strings of an array, in file order.
struct Names(LabelSet);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with types as keys, or an array of types")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
        let mut names = LabelSet::default();
        while let Some((name, IgnoredAny)) = map.next_entry()? {
            insert_new(&mut names, name)?;
        }
        Ok(Names(names))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names, A::Error> {
        let mut names = LabelSet::default();
        while let Some(name) = seq.next_element()? {
            insert_new(&mut names, name)?;
        }
        Ok(Names(names))
    }
}

fn insert_new<E: Error>(names: &mut LabelSet, name: String) -> Result<(), E> {
    if name.is_empty() {
        return Err(E::custom("a type with an empty name"));
    }
    if names.id(&name).is_some() {
        return Err(E::custom(format_args!("duplicate type {}", Quoted(&name))));
    }
    names.insert(name);
    Ok(())
}

impl Schema {
    /// Reads a types file in SpERT's format: the types are the keys of the objects `entities` and `relations`, in file
    /// order. Arrays of names in place of the objects are also accepted.
    ///
    /// # Errors
    /// If the file cannot be read, is not JSON of this form, or contains a type twice.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        Self::from_json(&fs::read(path).map_err(|source| DataError::io(path, source))?, path)
    }

    /// Parses the content of a types file; messages use `name` as the file name. See [`read`](Self::read).
    ///
    /// # Errors
    /// If the content is not JSON of this form, or contains a type twice.
    pub fn from_json(bytes: &[u8], name: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = name.as_ref();
        let json = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let types: Types = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| DataError::json_path(Location::file(path), &error))?;
        deserializer.end().map_err(|error| DataError::json(Location::file(path), None, &error))?;
        Ok(Self { entities: types.entities.0, relations: types.relations.0 })
    }
}

/// Writes a types file for [`Schema::read`] and SpERT.
///
/// # Errors
/// [`DataError::Io`] if writing fails.
pub fn write_types(schema: &Schema, mut writer: impl Write) -> Result<(), DataError> {
    let object = |names: &LabelSet, relations: bool| {
        let entries: Vec<String> = names
            .names()
            .iter()
            .map(|name| {
                let mut entry = json!({"short": name, "verbose": name});
                if relations {
                    entry["symmetric"] = false.into();
                }
                format!("    {}: {entry}", json!(name))
            })
            .collect();
        if entries.is_empty() { "{}".to_owned() } else { format!("{{\n{}\n  }}", entries.join(",\n")) }
    };
    let entities = object(&schema.entities, false);
    let relations = object(&schema.relations, true);
    write!(writer, "{{\n  \"entities\": {entities},\n  \"relations\": {relations}\n}}\n")
        .and_then(|()| writer.flush())
        .map_err(write_error)
}
