//! Agreement of the tokenizer and the sentence splitter with the real corpora.
//!
//! Every sentence is made running text, tokenized again and compared. Tokens are compared as spans over the non-space
//! characters; a boundary is a position between two such characters.
//!
//! `cargo run -p cman-data --example tokenizer_agreement -- FOLDER`, where FOLDER contains `conll04/` and `ade/`.
//! `--show` also prints the most frequent differences.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    hash::Hash,
    ops::Range,
    path::Path,
};

use cman_data::{
    Corpus, DataError, ReaderBuilder, Sentence, TokenizerConfig, running_text, split_sentences, token_spans,
};

fn main() -> Result<(), DataError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let show = arguments.iter().any(|argument| argument == "--show");
    match arguments.iter().find(|&argument| argument != "--show") {
        None => println!("usage: tokenizer_agreement [--show] FOLDER (which contains conll04/ and ade/)"),
        Some(folder) => {
            for corpus in measure(Path::new(folder))? {
                println!("{corpus}");
                for (token, count) in corpus.differences.iter().take(if show { 60 } else { 0 }) {
                    println!("    {count:4}  {token}");
                }
            }
        }
    }
    Ok(())
}

/// The agreement on one corpus.
pub struct Measured {
    /// The corpus.
    pub name: &'static str,
    /// Tokens as spans.
    pub tokens: Agreement,
    /// Ends of tokens.
    pub boundaries: Agreement,
    /// Fraction of sentences whose tokens are all identical.
    pub identical: f64,
    /// Starts of consecutive sentences.
    pub sentence_starts: Agreement,
    /// Missing (`-`) and spurious (`+`) tokens, in order of decreasing frequency.
    pub differences: Vec<(String, usize)>,
}

/// Measures the corpora in a folder.
pub fn measure(folder: &Path) -> Result<Vec<Measured>, DataError> {
    let (conll04, ade) = (TokenizerConfig::conll04(), TokenizerConfig::ade());
    let corpora = [
        (
            "CoNLL04, multi-head release",
            ["conll04/multihead/train.txt", "conll04/multihead/test.txt"].as_slice(),
            conll04,
        ),
        ("CoNLL04, SpERT's release", &["conll04/spert/conll04_train.json", "conll04/spert/conll04_test.json"], conll04),
        ("ADE", &["ade/ade_full.json"], ade),
    ];
    let measured = corpora.into_iter().map(|(name, files, config)| {
        let mut sentences = Vec::new();
        for file in files {
            sentences.extend(Corpus::read(folder.join(file), &ReaderBuilder::new())?.sentences);
        }
        Ok(Measured::of(name, &sentences, config))
    });
    measured.collect()
}

impl Measured {
    fn of(name: &'static str, sentences: &[Sentence], config: TokenizerConfig) -> Self {
        let split_hyphens = config == TokenizerConfig::ade();
        let (mut tokens, mut boundaries, mut same) = (Agreement::default(), Agreement::default(), 0);
        let mut differences: BTreeMap<String, usize> = BTreeMap::new();
        for sentence in sentences {
            let words: Vec<&str> = sentence.words().collect();
            let text = running_text(&words, split_hyphens);
            let predicted = config.tokenize(&text);
            let predicted = token_spans(predicted.iter().map(|token| token.text.as_str()));
            let gold = token_spans(words.iter().copied());
            tokens.add(&gold, &predicted);
            let ends = |spans: &HashSet<Range<usize>>| spans.iter().map(|span| span.end).collect();
            boundaries.add(&ends(&gold), &ends(&predicted));
            same += usize::from(gold == predicted);
            let chars: Vec<char> = words.concat().chars().collect();
            let missing = gold.difference(&predicted).map(|span| ('-', span));
            for (sign, span) in missing.chain(predicted.difference(&gold).map(|span| ('+', span))) {
                let token: String = chars[span.clone()].iter().collect();
                *differences.entry(format!("{sign}{token}")).or_default() += 1;
            }
        }
        let mut differences: Vec<_> = differences.into_iter().collect();
        differences.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let identical = same as f64 / sentences.len() as f64;
        let sentence_starts = sentence_agreement(sentences, split_hyphens);
        Self { name, tokens, boundaries, identical, sentence_starts, differences }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        writeln!(f, "  tokens               {}", self.tokens)?;
        writeln!(f, "  token boundaries     {}", self.boundaries)?;
        writeln!(f, "  sentences identical  {:.2} %", 100.0 * self.identical)?;
        write!(f, "  sentence starts      {}", self.sentence_starts)
    }
}

/// The agreement on the starts of consecutive sentences. If a sentence does not end in a period, question mark or
/// exclamation mark, a blank line follows it and the next start is not counted.
fn sentence_agreement(sentences: &[Sentence], split_hyphens: bool) -> Agreement {
    let (mut text, mut length) = (String::new(), 0);
    let (mut gold, mut given) = (HashSet::new(), HashSet::from([0]));
    for sentence in sentences {
        let words: Vec<&str> = sentence.words().collect();
        if length > 0 {
            let ended = text.trim_end_matches(['\'', '"', ')']).ends_with(['.', '?', '!']);
            text += if ended { " " } else { "\n\n" };
            length += if ended { 1 } else { 2 };
            if ended { &mut gold } else { &mut given }.insert(length);
        }
        let sentence = running_text(&words, split_hyphens);
        length += sentence.chars().count();
        text += &sentence;
    }
    let predicted = split_sentences(&text).into_iter().map(|range| range.start).filter(|start| !given.contains(start));
    let predicted: HashSet<usize> = predicted.collect();
    let mut agreement = Agreement::default();
    agreement.add(&gold, &predicted);
    agreement
}

/// Precision, recall and F1.
#[derive(Default)]
pub struct Agreement {
    gold: usize,
    predicted: usize,
    correct: usize,
}

impl Agreement {
    fn add<T: Eq + Hash>(&mut self, gold: &HashSet<T>, predicted: &HashSet<T>) {
        self.gold += gold.len();
        self.predicted += predicted.len();
        self.correct += gold.intersection(predicted).count();
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        2.0 * self.correct as f64 / (self.gold + self.predicted) as f64
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole as f64;
        let (p, r) = (percent(self.correct, self.predicted), percent(self.correct, self.gold));
        write!(f, "P {p:.2} %, R {r:.2} %, F1 {:.2} % of {}", 100.0 * self.f1(), self.gold)
    }
}
