//! The SQL function `cman_extract`.

use std::sync::Arc;

use cman_arrow::{data_type, extract, is_readable};
use datafusion::{
    arrow::datatypes::{DataType, Field, FieldRef},
    common::{Result, ScalarValue, exec_err, internal_err, plan_err},
    error::DataFusionError,
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use crate::models::Models;

const NAME: &str = "cman_extract";

/// The function `cman_extract(text [, model])`: entities and relations of each text, or of each list of tokens, as a
/// struct of the type [`cman_arrow::data_type`]. A null gives a null. `model` is a literal: the path of a model directory
/// or of a package, on the machine that runs the function. Without it the model is that of [`Models::get`].
///
/// The function has no state. On a cluster it travels by its name.
pub fn cman_extract() -> ScalarUDF {
    ScalarUDF::new_from_impl(Extract { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Extract {
    signature: Signature,
}

impl ScalarUDFImpl for Extract {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let (input, model) = match types {
            [input] => (input, None),
            [input, model] => (input, Some(model)),
            _ => return plan_err!("{NAME} takes a text and, optionally, a model; found {} arguments", types.len()),
        };
        let input = match input {
            DataType::Null => DataType::Utf8,
            kind if is_readable(kind) => kind.clone(),
            kind => return plan_err!("{NAME} reads texts or lists of tokens, found {kind}"),
        };
        match model {
            None => Ok(vec![input]),
            Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => Ok(vec![input, DataType::Utf8]),
            Some(kind) => plan_err!("the model of {NAME} is a path, found {kind}"),
        }
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(data_type())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        if args.scalar_arguments.get(1).is_some_and(Option::is_none) {
            return plan_err!("the model of {NAME} must be a literal path, the same for all rows");
        }
        Ok(Arc::new(Field::new(NAME, data_type(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (input, path) = match &args.args[..] {
            [input] => (input, None),
            [input, ColumnarValue::Scalar(model)] => match model.try_as_str().flatten() {
                Some(path) => (input, Some(path)),
                None => return exec_err!("the model of {NAME} must not be null"),
            },
            _ => return internal_err!("{NAME} was called with other arguments than it was planned with"),
        };
        let extractor = Models::of_process().get(path).map_err(failed)?;
        match input {
            ColumnarValue::Array(column) => {
                Ok(ColumnarValue::Array(Arc::new(extract(&extractor, column).map_err(failed)?)))
            }
            ColumnarValue::Scalar(value) => {
                let found = extract(&extractor, &value.to_array()?).map_err(failed)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?))
            }
        }
    }
}

/// An error of this function. Its name tells it from failures of the engine, which are worth another attempt.
fn failed(error: impl std::error::Error) -> DataFusionError {
    DataFusionError::Execution(format!("{NAME}: {error}"))
}
