//! The names of the annotation formats.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{corpus::named, error::DataError};

/// A format of an annotation tool, or of the training data of another system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AnnotationFormat {
    /// Label Studio's JSON: an array of tasks, or one task per line. Offsets are code points or UTF-16 units; the text
    /// of each span decides. Written in code points.
    LabelStudio,
    /// doccano's JSON lines: `{"text", "entities": [{"id", "start_offset", "end_offset", "label"}], "relations":
    /// [{"from_id", "to_id", "type"}]}`, or `{"text", "label": [[start, end, type]]}`. Offsets are code points.
    Doccano,
    /// brat's standoff: a folder tree of `NAME.txt` and `NAME.ann`. Offsets are code points.
    Brat,
    /// JSON lines of DyGIE++ and PURE: `{"doc_key", "sentences", "ner", "relations"}`. Indices count the tokens of the
    /// document, ends are inclusive.
    Dygie,
    /// JSON lines of Prodigy's `rel.manual`: `{"text", "tokens", "spans", "relations", "answer"}`. Offsets are code
    /// points.
    Prodigy,
    /// GLiNER's training data with relations: `{"tokenized_text", "ner": [[start, end, type]], "relations": [[head,
    /// tail, type]]}`. Ends are inclusive.
    Gliner,
    /// The unified form of ADE and other corpora in "Two are Better than One": `{"tokens", "entities": [[start, end,
    /// type]], "relations": [[start, end, start, end, type]]}`. Ends are exclusive.
    UnifiedAde,
    /// WebAnno TSV 3, as exported by WebAnno and INCEpTION. Offsets are UTF-16 units. Only read.
    #[serde(rename = "webanno")]
    WebAnno,
    /// Columns of tokens and BIO tags, without relations. Read as [`Format::Columns`](crate::Format::Columns).
    Bio,
    /// Columns of tokens and BIOES tags, without relations. Read as [`Format::Columns`](crate::Format::Columns).
    Bioes,
}

named!(
    AnnotationFormat, "annotation format",
    LabelStudio => "label-studio", Doccano => "doccano", Brat => "brat", Dygie => "dygie", Prodigy => "prodigy",
    Gliner => "gliner", UnifiedAde => "unified-ade", WebAnno => "webanno", Bio => "bio", Bioes => "bioes"
);

impl AnnotationFormat {
    /// Whether [`write_annotations`](crate::write_annotations) writes the format.
    pub fn is_writable(self) -> bool {
        self != Self::WebAnno
    }

    /// Whether the format is a folder of files, which cannot be written to a stream.
    pub fn is_folder(self) -> bool {
        self == Self::Brat
    }

    /// The format's own name.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::LabelStudio => "Label Studio",
            Self::Doccano => "doccano",
            Self::Brat => "brat",
            Self::Dygie => "DyGIE++",
            Self::Prodigy => "Prodigy",
            Self::Gliner => "GLiNER",
            Self::UnifiedAde => "unified ADE",
            Self::WebAnno => "WebAnno TSV",
            Self::Bio => "BIO",
            Self::Bioes => "BIOES",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_parse_and_serde_use_the_same_names() {
        for &(value, name) in AnnotationFormat::ALL {
            assert_eq!((value.to_string().as_str(), name.parse::<AnnotationFormat>().unwrap()), (name, value));
            assert_eq!(serde_json::to_value(value).unwrap(), name);
        }
        let error = "csv".parse::<AnnotationFormat>().unwrap_err().to_string();
        assert!(error.starts_with("annotation format: expected one of label-studio, doccano, brat,"), "{error}");
    }
}
