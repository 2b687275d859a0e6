//! Labels that a column has as numbers.

use serde_json::Value;

use crate::error::{DataError, Location};

/// The columns that hold annotation, as lists of objects.
const COLUMNS: [&str; 2] = ["entities", "relations"];

/// The names of the numbers in the columns of a dataset.
///
/// Hugging Face's datasets describe their columns in the metadata of the file. A label may be a `ClassLabel`: a number
/// whose names are in that description.
#[derive(Default)]
pub(super) struct ClassLabels(Vec<ClassLabel>);

struct ClassLabel {
    column: &'static str,
    field: String,
    names: Vec<String>,
}

impl ClassLabels {
    /// The labels of this metadata, the value of the key `huggingface`.
    pub(super) fn of(metadata: &str) -> Self {
        let Ok(metadata) = serde_json::from_str::<Value>(metadata) else { return Self::default() };
        let labels = COLUMNS.into_iter().flat_map(|column| {
            let fields = fields(&metadata["info"]["features"][column]).and_then(Value::as_object);
            let label = move |(field, feature): (&String, &Value)| {
                let names = feature["names"].as_array()?.iter();
                let names = names.map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?;
                Some(ClassLabel { column, field: field.clone(), names })
            };
            fields.into_iter().flatten().filter_map(label)
        });
        Self(labels.collect())
    }

    /// Puts the names in place of the numbers of a row.
    pub(super) fn name(&self, row: &mut Value, at: &Location) -> Result<(), DataError> {
        for ClassLabel { column, field, names } in &self.0 {
            for (i, item) in row[*column].as_array_mut().into_iter().flatten().enumerate() {
                let Some(number) = item.get(field).and_then(Value::as_i64) else { continue };
                let name = usize::try_from(number).ok().and_then(|number| names.get(number)).ok_or_else(|| {
                    let expected = format!("the number of one of {} labels", names.len());
                    DataError::invalid(at.clone(), format!("{column}[{i}].{field}"), expected, number.to_string())
                })?;
                item[field] = name.as_str().into();
            }
        }
        Ok(())
    }
}

/// The fields of the objects in a list, in one of the forms that datasets has had for it.
fn fields(feature: &Value) -> Option<&Value> {
    match feature {
        Value::Array(list) => list.first(),
        _ => feature.get("feature").or(Some(feature)),
    }
}

/// Makes lists of objects of objects of lists: datasets writes a sequence of objects as an object with a list for each key.
pub(super) fn transpose(row: &mut Value, at: &Location) -> Result<(), DataError> {
    for column in COLUMNS {
        let Some(lists) = row.get(column).and_then(Value::as_object) else { continue };
        let length = lists.values().filter_map(Value::as_array).map(Vec::len).max().unwrap_or(0);
        let mut items = vec![serde_json::Map::new(); length];
        for (key, list) in lists {
            let list = list.as_array().filter(|list| list.len() == length).ok_or_else(|| {
                let expected = format!("a list of {length} values");
                DataError::invalid(at.clone(), format!("{column}.{key}"), expected, "another length")
            })?;
            items.iter_mut().zip(list).for_each(|(item, value)| drop(item.insert(key.clone(), value.clone())));
        }
        row[column] = items.into();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(features: &Value, mut row: Value) -> Result<Value, String> {
        let labels = ClassLabels::of(&json!({"info": {"features": features}}).to_string());
        let at = Location::file("a.parquet").with_record(2);
        transpose(&mut row, &at).and_then(|()| labels.name(&mut row, &at)).map_err(|error| error.to_string())?;
        Ok(row)
    }

    #[test]
    fn numbers_of_labels_get_their_names_in_every_form_of_a_list() {
        let kind = json!({"type": {"names": ["Peop", "Loc"], "_type": "ClassLabel"}, "start": {"dtype": "int64"}});
        let row = json!({"entities": [{"type": 1, "start": 0}, {"type": "Org", "start": 1}]});
        let expected = json!({"entities": [{"type": "Loc", "start": 0}, {"type": "Org", "start": 1}]});
        for list in
            [json!([kind]), json!({"feature": kind, "_type": "Sequence"}), json!({"feature": kind, "_type": "List"})]
        {
            assert_eq!(named(&json!({"entities": list}), row.clone()), Ok(expected.clone()));
        }
        let lists = json!({"entities": {"type": [1, "Org"], "start": [0, 1]}});
        assert_eq!(named(&json!({"entities": {"feature": kind}}), lists), Ok(expected));
        let error = named(&json!({"entities": [kind]}), json!({"entities": [{"type": 2}]})).unwrap_err();
        assert_eq!(error, "a.parquet: record 2, entities[0].type: expected the number of one of 2 labels, found 2");
        assert_eq!(named(&json!({}), row.clone()), Ok(row), "no names");
    }

    #[test]
    fn lists_of_one_object_have_one_length() {
        let error = named(&json!({}), json!({"relations": {"head": [0, 1], "tail": [1]}})).unwrap_err();
        assert_eq!(error, "a.parquet: record 2, relations.tail: expected a list of 2 values, found another length");
        assert_eq!(named(&json!({}), json!({"relations": {"head": [], "tail": []}})), Ok(json!({"relations": []})));
    }
}
