//! Arguments shared by several subcommands.

use std::{
    error::Error,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Result, bail};
use burn_ragged::DeviceKind;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use cman_data::{DataError, InputFormat, OverlapPolicy, ReaderBuilder, Schema};
use cman_encoder::Pooling;
use cman_model::{Card, LoadOptions, Measured, MemoryLimit, Model};
use cman_score::Definition;

use crate::{hint::hinted_corpus, notes::note};

/// The file that identifies a model directory.
pub const MANIFEST: &str = "model.json";

/// The device to run on.
#[derive(Debug, clap::Args)]
pub struct DeviceArgs {
    /// Backend to run on
    #[arg(long, value_name = "NAME", default_value = default_device(), value_parser = devices())]
    pub device: DeviceKind,
}

/// The format of an input.
#[derive(Debug, clap::Args)]
pub struct FormatArgs {
    /// Input format; default: recognized from its start
    #[arg(
        long,
        value_name = "FORMAT",
        value_parser = named::<InputFormat>(["text", "jsonl", "spert", "multihead", "columns"])
    )]
    pub format: Option<InputFormat>,
}

/// The limit of memory.
#[derive(Debug, clap::Args)]
pub struct MemoryArgs {
    /// Most memory to take, such as 4GB, or `none`; default: what the system allows
    #[arg(long, value_name = "SIZE", default_value_t, hide_default_value = true)]
    pub max_memory: MemoryLimit,
}

/// A trained model and the device to run it on.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// Model directory written by `cman train`, or package written by `cman package`; default: a small demo model
    #[arg(long, value_name = "DIR|FILE")]
    model: Option<PathBuf>,
    /// Folder of the encoder, if it is not where the model says
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    memory: MemoryArgs,
}

/// The types of a corpus file.
#[derive(Debug, clap::Args)]
pub struct TypesArgs {
    /// Types file; other types are errors
    #[arg(long, value_name = "FILE")]
    pub types: Option<PathBuf>,
}

impl ModelArgs {
    /// The model directory or package, unless it is the demo model.
    pub fn path(&self) -> Option<&Path> {
        self.model.as_deref()
    }

    /// The name of the model: that of its folder or file.
    pub fn name(&self) -> String {
        let Some(path) = self.path() else { return "demo".into() };
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
    }

    /// Loads the model on the device.
    pub fn load(&self) -> Result<Model> {
        let options = LoadOptions { encoder: self.encoder.clone(), max_memory: self.memory.max_memory };
        match &self.model {
            Some(path) => load_model(path, self.device.device, &options),
            None => load_demo(self.device.device, &options),
        }
    }
}

/// Loads a model directory or a package.
pub fn load_model(path: &Path, device: DeviceKind, options: &LoadOptions) -> Result<Model> {
    let device = device.device()?;
    if !path.exists() {
        bail!("{}: no such model directory or package", path.display());
    }
    if path.is_dir() && !path.join(MANIFEST).is_file() {
        bail!("{}: not a model directory (it has no {MANIFEST})", path.display());
    }
    Ok(Model::load_with(path, &device, options)?)
}

/// Loads the demo model and says so.
pub fn load_demo(device: DeviceKind, options: &LoadOptions) -> Result<Model> {
    let device = device.device()?;
    note_demo()?;
    Ok(Model::from_package(cman_demo::PACKAGE, &device, options)?)
}

/// Says that the demo model is used, and how good it is.
fn note_demo() -> Result<()> {
    let card = Card::from_package(cman_demo::PACKAGE)?;
    for Measured { data, sentences, entities, relations } in &card.measured {
        note(format_args!(
            "no --model: the demo model, F1 {entities:.1} for entities and {relations:.1} for relations on {data} of the \
             sample corpus ({sentences} sentences)"
        ));
    }
    Ok(())
}

impl TypesArgs {
    /// Adds the hint for a corpus that cannot be read. `skip` is the option that skips invalid sentences.
    pub fn hinted(&self, error: DataError, skip: Option<&str>) -> anyhow::Error {
        let types = self.types.as_ref().map(|path| format!("{} lists the allowed types", path.display()));
        hinted_corpus(error, types.as_deref(), skip)
    }

    /// A reader for these types.
    pub fn reader(&self) -> Result<ReaderBuilder> {
        let schema = self.schema()?;
        Ok(schema.map_or_else(ReaderBuilder::new, |schema| ReaderBuilder::new().schema(schema)))
    }

    /// The allowed types, if there is a types file.
    pub fn schema(&self) -> Result<Option<Schema>> {
        Ok(self.types.as_ref().map(Schema::read).transpose()?)
    }
}

/// The default backend.
pub fn default_device() -> &'static str {
    DeviceKind::compiled().first().unwrap_or(&DeviceKind::Flex).name()
}

/// Parses the name of a device.
pub fn devices() -> impl TypedValueParser<Value = DeviceKind> {
    named(DeviceKind::ALL.map(DeviceKind::name))
}

/// Parses the name of a scorer.
pub fn definitions() -> impl TypedValueParser<Value = Definition> {
    named(Definition::ALL.map(Definition::name))
}

/// Parses the name of a pooling method.
pub fn poolings() -> impl TypedValueParser<Value = Pooling> {
    let all = [Pooling::First, Pooling::Mean, Pooling::Max];
    PossibleValuesParser::new(all.map(Pooling::name))
        .map(move |name| all.into_iter().find(|pooling| pooling.name() == name).unwrap_or_default())
}

/// Parses the name of an overlap policy.
pub fn overlaps() -> impl TypedValueParser<Value = OverlapPolicy> {
    named(["keep", "drop", "refuse"])
}

/// Parses one of these names with `FromStr`.
pub fn named<T>(names: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names.into_iter().collect::<Vec<_>>()).try_map(|name| name.parse::<T>())
}
