//! The header of WebAnno TSV: layers and their columns.

use std::ops::Range;

/// A layer and its columns, counted from the first after the token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) kind: LayerKind,
    /// The name of the type, such as `de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity`.
    pub(super) name: String,
    pub(super) columns: Range<usize>,
    /// The column with the type of the annotation, if there is one.
    pub(super) label: Option<usize>,
    /// The type that a relation connects.
    pub(super) base: String,
}

/// What the annotations of a layer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LayerKind {
    /// Entities.
    Span,
    /// Relations.
    Relation,
    /// Coreference chains.
    Chain,
    /// Parts of speech, lemmas and other properties of tokens.
    Other,
}

impl Layer {
    /// The layer of a header line without `#`, such as `T_SP=TYPE|FEATURE`. Its columns start at `start`.
    pub(super) fn parse(line: &str, start: usize) -> Option<Self> {
        let (mark, description) = line.split_once('=')?;
        let mut parts = description.split('|').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?.to_owned();
        let mut features: Vec<&str> = parts.collect();
        if features.is_empty() {
            features.push("");
        }
        let columns = start..start + features.len();
        let base = features.last().and_then(|last| last.strip_prefix("BT_")).unwrap_or_default().to_owned();
        let kind = match mark {
            "T_SP" if is_property(&name) => LayerKind::Other,
            "T_SP" => LayerKind::Span,
            "T_RL" if base.is_empty() || is_property(&base) => LayerKind::Other,
            "T_RL" => LayerKind::Relation,
            "T_CH" => LayerKind::Chain,
            _ => return None,
        };
        let features: Vec<&str> = features.into_iter().filter(|feature| !feature.starts_with("BT_")).collect();
        // A link takes two columns: its role, and the layer of its target.
        let is_link = |i: usize| {
            let is_role = |i: usize| features.get(i).is_some_and(|feature| feature.starts_with("ROLE_"));
            is_role(i) || i.checked_sub(1).is_some_and(is_role)
        };
        let position =
            |wanted: &dyn Fn(&str) -> bool| (0..features.len()).find(|&i| !is_link(i) && wanted(features[i]));
        let named = |wanted: &'static str| position(&move |feature| feature == wanted);
        let label = named("value")
            .or_else(|| named("label"))
            .or_else(|| named("Label"))
            .or_else(|| position(&|feature| !feature.is_empty() && feature != "identifier"));
        Some(Self { kind, name, label: label.map(|label| start + label), columns, base })
    }

    /// The columns that are neither the type nor, in a relation, the governor.
    pub(super) fn features(&self) -> impl Iterator<Item = usize> + use<> {
        let (label, governor) = (self.label, self.columns.end - 1);
        let is_relation = self.kind == LayerKind::Relation;
        self.columns.clone().filter(move |&column| Some(column) != label && !(is_relation && column == governor))
    }

    /// The last part of the name, for annotation without a type of its own.
    pub(super) fn short_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }
}

/// Whether a layer describes each token, such as its part of speech.
fn is_property(name: &str) -> bool {
    [".lexmorph.", ".segmentation.", ".transform.", ".syntax."].iter().any(|package| name.contains(package))
}

/// One annotation of a cell: its value, and the number that it has in brackets, if any.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CellValue {
    /// The value; `None` for `*`, an annotation without one.
    pub(super) value: Option<String>,
    /// The text in brackets, such as `1` or `2_0`.
    pub(super) number: Option<String>,
}

/// The annotations of a cell. `None` stands for a cell that is malformed.
pub(super) fn cell(text: &str) -> Option<Vec<CellValue>> {
    if text == "_" {
        return Some(Vec::new());
    }
    if text.is_empty() {
        return None;
    }
    let (mut values, mut value, mut number) = (Vec::new(), String::new(), None::<String>);
    let (mut escaped, mut is_plain) = (false, true);
    for char in text.chars().chain(['|']) {
        match (char, &mut number) {
            ('|', _) if !escaped => {
                let number = match number.take() {
                    None => None,
                    Some(number) => Some(number.strip_suffix(']')?.to_owned()),
                };
                let is_star = value == "*" && is_plain;
                values.push(CellValue { value: Some(std::mem::take(&mut value)).filter(|_| !is_star), number });
                is_plain = true;
            }
            ('\\', _) if !escaped => {
                (escaped, is_plain) = (true, false);
                continue;
            }
            (_, Some(number)) => number.push(char),
            ('[', None) if !escaped => number = Some(String::new()),
            (char, None) => value.push(match char {
                't' if escaped => '\t',
                'n' if escaped => '\n',
                'r' if escaped => '\r',
                char => char,
            }),
        }
        escaped = false;
    }
    // A backslash at the end escapes the mark that was added.
    (!value.is_empty() || number.is_some() || !escaped).then_some(values).filter(|values| !values.is_empty())
}

/// Text without the escapes of a line.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => plain.extend(chars.next().map(|char| match char {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                char => char,
            })),
            char => plain.push(char),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_have_columns() {
        let layer = Layer::parse("T_SP=a.NamedEntity|identifier|value", 2).unwrap();
        assert_eq!((layer.kind, layer.columns.clone(), layer.label), (LayerKind::Span, 2..4, Some(3)));
        assert_eq!(layer.features().collect::<Vec<_>>(), [2]);
        let layer = Layer::parse("T_RL=custom.Relation|label|BT_custom.Entity", 4).unwrap();
        assert_eq!((layer.kind, layer.base.as_str(), layer.label), (LayerKind::Relation, "custom.Entity", Some(4)));
        assert_eq!(layer.features().count(), 0);
        let layer = Layer::parse("T_SP=custom.Mention|", 0).unwrap();
        assert_eq!((layer.columns.clone(), layer.label, layer.short_name()), (0..1, None, "Mention"));
        let layer = Layer::parse("T_SP=custom.Event|ROLE_custom.Event:who_custom.Link|custom.Person", 1).unwrap();
        assert_eq!((layer.columns.clone(), layer.label, layer.features().count()), (1..3, None, 2));
        let layer = Layer::parse("T_SP=c.Event|ROLE_c.Event:who_c.Link|c.Person|kind", 0).unwrap();
        assert_eq!(layer.label, Some(2));
        assert_eq!(Layer::parse("T_SP=x.lexmorph.type.pos.POS|PosValue", 0).unwrap().kind, LayerKind::Other);
        assert_eq!(Layer::parse("T_CH=x.Link|a|b", 0).unwrap().kind, LayerKind::Chain);
        assert!(Layer::parse("T_XX=a|b", 0).is_none() && Layer::parse("T_SP=", 0).is_none());
    }

    #[test]
    fn cells_have_values_and_numbers() {
        let value = |value: &str, number: Option<&str>| CellValue {
            value: Some(value.to_owned()),
            number: number.map(str::to_owned),
        };
        assert_eq!(cell("_"), Some(vec![]));
        assert_eq!(
            cell("PER[1]|a\\|b\\[c\\]|\\_"),
            Some(vec![value("PER", Some("1")), value("a|b[c]", None), value("_", None)])
        );
        assert_eq!(cell("*[2]"), Some(vec![CellValue { value: None, number: Some("2".into()) }]));
        assert_eq!(cell("\\*"), Some(vec![value("*", None)]));
        assert_eq!(cell("PER[1"), None);
        assert_eq!(unescaped("a\\tb\\\\n"), "a\tb\\n");
    }
}
