//! The sentences that a model reads: from a file or standard input, with everything said that is left out.

use std::{
    fmt::Display,
    io::{self, BufRead, BufReader, IsTerminal},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use cman_data::{
    DataError, Input, InputFormat, InputOptions, InputRecord, Location, LongTokens, Sentence, TokenizerConfig, file,
    is_unsegmented,
};
use cman_model::Extractor;

use crate::{
    args::FormatArgs,
    corpus::STDIN,
    extract_args::Refusal,
    hint::hinted,
    notes::{note, note_long_tokens},
    output::is_stdout,
};

/// What is read.
#[derive(Debug, clap::Args)]
pub struct InputArgs {
    /// File to read; `-` is standard input
    #[arg(value_name = "INPUT", default_value = "-")]
    input: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
}

/// An open input.
pub struct OpenInput {
    reader: Box<dyn BufRead>,
    name: String,
    format: Option<InputFormat>,
    interactive: bool,
}

impl InputArgs {
    /// The path, `-` for standard input.
    pub fn path(&self) -> &Path {
        &self.input
    }

    /// Opens the input.
    pub fn open(&self) -> Result<OpenInput> {
        let from_stdin = is_stdout(&self.input);
        let name = if from_stdin { STDIN.into() } else { self.input.display().to_string() };
        let reader: Box<dyn BufRead> = if from_stdin {
            Box::new(io::stdin().lock())
        } else {
            Box::new(BufReader::with_capacity(1 << 16, file::open(&self.input)?))
        };
        let interactive = from_stdin && io::stdin().is_terminal();
        Ok(OpenInput { reader, name, format: self.format.format, interactive })
    }
}

impl OpenInput {
    /// Whether somebody types it.
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }
}

/// The sentences that a model accepts, and what is said of the others.
pub struct Sentences<'a> {
    extractor: &'a Extractor,
    name: String,
    skipped: usize,
    long: LongTokens,
    /// The first sentence that is read in windows, and how many there are.
    in_windows: Option<(String, usize)>,
    /// Whether the warning of a script without spaces was printed.
    warned: bool,
}

impl<'a> Sentences<'a> {
    /// Reads every record of the input. `each` gets it with the sentences that the model accepts.
    pub fn read(
        input: OpenInput,
        extractor: &'a Extractor,
        each: impl FnMut(InputRecord) -> Result<()>,
    ) -> Result<Self> {
        let (long, in_windows) = (LongTokens::default(), None);
        let mut sentences = Self { extractor, name: input.name.clone(), skipped: 0, long, in_windows, warned: false };
        sentences.read_all(input, each)?;
        Ok(sentences)
    }

    fn read_all(&mut self, input: OpenInput, mut each: impl FnMut(InputRecord) -> Result<()>) -> Result<()> {
        if input.interactive {
            note("reading text from the terminal, one line at a time; Ctrl-D ends the input");
        }
        let options =
            InputOptions { format: input.format, tokenizer: self.tokenizer(), interactive: input.interactive };
        let mut input = Input::open(input.reader, &self.name, &options).map_err(|error| {
            let format = "`--format` names the format of an input that is recognized wrongly";
            match &error {
                DataError::Foreign { hint: Some(hint), .. } => {
                    let hint = format!("{hint}; {format}");
                    hinted(error, hint)
                }
                DataError::Foreign { hint: None, .. } => hinted(error, format),
                _ => error.into(),
            }
        })?;
        while let Some(record) = input.next()? {
            match record {
                Ok(mut record) => {
                    self.warn_of_script(&record);
                    self.retain_accepted(&mut record);
                    each(record)?;
                }
                Err(error) => self.skip(&error),
            }
        }
        let skipped = input.skipped();
        for group in skipped.groups() {
            note(group);
        }
        self.skipped += skipped.total();
        Ok(())
    }

    /// Says what was not read as a whole. If records were skipped, it is an error.
    pub fn finish(&self) -> Result<()> {
        let Self { name, skipped, .. } = self;
        if let Some((first, count)) = &self.in_windows {
            let sentences = if *count == 1 { "1 sentence".into() } else { format!("{count} sentences") };
            note(format_args!(
                "{first}: {sentences} read in overlapping windows; relations between entities farther apart are not found"
            ));
        }
        note_long_tokens(name, &self.long, &self.extractor.model().config().model);
        match skipped {
            0 => Ok(()),
            1 => bail!("{name}: 1 invalid record skipped"),
            _ => bail!("{name}: {skipped} invalid records skipped"),
        }
    }

    fn tokenizer(&self) -> TokenizerConfig {
        self.extractor.model().config().data.tokenizer
    }

    /// Warns once if the tokenizer of the model does not cut the script of a text.
    fn warn_of_script(&mut self, record: &InputRecord) {
        if !self.warned
            && let Some(warning) = script_warning(record, self.tokenizer())
        {
            self.warned = true;
            note(warning);
        }
    }

    /// Leaves out the sentences that the model refuses, and says why.
    fn retain_accepted(&mut self, record: &mut InputRecord) {
        let InputRecord { sentences, at, .. } = record;
        sentences.retain(|(_, sentence)| match self.extractor.check(sentence) {
            Ok(()) => {
                self.long.count(sentence, &*at);
                self.count_windows(sentence, at);
                true
            }
            Err(error) => {
                let reason = Refusal { error: &error, tokens: sentence.len() }.to_string();
                self.skip(&at.message(&reason));
                false
            }
        });
    }

    fn count_windows(&mut self, sentence: &Sentence, at: &Location) {
        let most = self.extractor.options().max_tokens;
        if sentence.len() > most {
            let reason = format!("sentence of {} tokens, above the {most} of --max-tokens", sentence.len());
            self.in_windows.get_or_insert_with(|| (at.message(&reason).to_string(), 0)).1 += 1;
        }
    }

    fn skip(&mut self, message: &dyn Display) {
        self.skipped += 1;
        note(message);
    }
}

/// The warning of a text whose script the tokenizer does not cut.
pub fn script_warning(record: &InputRecord, tokenizer: TokenizerConfig) -> Option<String> {
    let is_cut = |(offset, sentence): &(Option<usize>, _)| offset.is_none() || !is_unsegmented(sentence);
    if tokenizer == TokenizerConfig::Characters || record.sentences.iter().all(is_cut) {
        return None;
    }
    let reason = format!(
        "a text without spaces between words, but the tokenizer of the model, {tokenizer}, cuts words at spaces; give \
         such text as JSON lines with `tokens`, or train a model on texts cut into characters or with `--set \
         data.tokenizer=characters`"
    );
    Some(format!("warning: {}", record.at.message(&reason)))
}
