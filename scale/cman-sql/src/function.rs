//! The function `cman_extract`.

use std::sync::Arc;

use cman_arrow::{data_type, extract, is_readable};
use datafusion::{
    arrow::{
        array::{Array, ArrayRef, new_null_array},
        datatypes::DataType,
    },
    common::{ScalarValue, exec_datafusion_err, exec_err, plan_err},
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility},
};

use crate::models;

/// `cman_extract(text [, model])`: what a model finds in each text. Its type is [`cman_arrow::data_type`].
///
/// `text` is a column of strings, or of lists of tokens; a null stays null. `model` is a literal: the path of a model directory or
/// package where the query runs. Without it the model is that of the variable `CMAN_MODEL`, else the demo model. A model is
/// loaded once per process and shared by its threads. The function has no state, so that a plan with it travels by its name.
pub fn function() -> ScalarUDF {
    ScalarUDF::new_from_impl(CmanExtract {
        signature: Signature::one_of(vec![TypeSignature::Any(1), TypeSignature::Any(2)], Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CmanExtract {
    signature: Signature,
}

impl ScalarUDFImpl for CmanExtract {
    fn name(&self) -> &str {
        "cman_extract"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [text, ..] if !is_readable(text) && *text != DataType::Null => {
                plan_err!("cman_extract: expected texts or lists of tokens, found {text}")
            }
            [_, model] if !matches!(model, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => {
                plan_err!("cman_extract: expected the path of a model, found {model}")
            }
            _ => Ok(data_type()),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let model = match arguments.args.get(1) {
            None => None,
            Some(ColumnarValue::Scalar(model)) => model.try_as_str().flatten(),
            Some(ColumnarValue::Array(_)) => return exec_err!("cman_extract: the model must be a literal"),
        };
        match &arguments.args[0] {
            ColumnarValue::Array(texts) => Ok(ColumnarValue::Array(found(texts, model)?)),
            ColumnarValue::Scalar(text) => {
                let found = found(&text.to_array()?, model)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?))
            }
        }
    }
}

fn found(texts: &ArrayRef, model: Option<&str>) -> Result<ArrayRef> {
    if texts.data_type() == &DataType::Null {
        return Ok(new_null_array(&data_type(), texts.len()));
    }
    let extractor = models::extractor(model).map_err(|error| exec_datafusion_err!("cman_extract: {error}"))?;
    let found = extract(&extractor, texts).map_err(|error| exec_datafusion_err!("cman_extract: {error}"))?;
    Ok(Arc::new(found))
}
