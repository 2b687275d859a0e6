//! Arguments that several subcommands have.

use std::{error::Error, path::PathBuf, str::FromStr};

use anyhow::{Result, bail};
use burn_ragged::DeviceKind;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use cman_data::{OverlapPolicy, ReaderBuilder, Schema};
use cman_encoder::Pooling;
use cman_model::Model;
use cman_score::Definition;

/// The file that makes a folder a model directory.
pub const MANIFEST: &str = "model.json";

/// Where to compute.
#[derive(Debug, clap::Args)]
pub struct DeviceArgs {
    /// Backend to compute on
    #[arg(long, value_name = "NAME", default_value = default_device(), value_parser = devices())]
    pub device: DeviceKind,
}

/// A trained model and where to run it.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// Model directory that `cman train` wrote
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    #[command(flatten)]
    device: DeviceArgs,
}

/// How to read a corpus file.
#[derive(Debug, clap::Args)]
pub struct TypesArgs {
    /// Types file: other types than its own are errors
    #[arg(long, value_name = "FILE")]
    pub types: Option<PathBuf>,
}

impl ModelArgs {
    /// The model on its device.
    pub fn load(&self) -> Result<Model> {
        let device = self.device.device.device()?;
        let folder = &self.model;
        if !folder.is_dir() {
            bail!("{}: no such directory", folder.display());
        }
        if !folder.join(MANIFEST).is_file() {
            bail!("{}: not a model directory (it has no {MANIFEST})", folder.display());
        }
        Ok(Model::load(folder, &device)?)
    }
}

impl TypesArgs {
    /// A reader of these types.
    pub fn reader(&self) -> Result<ReaderBuilder> {
        Ok(match &self.types {
            Some(types) => ReaderBuilder::new().schema(Schema::read(types)?),
            None => ReaderBuilder::new(),
        })
    }
}

/// The backend that computes where none is named.
fn default_device() -> &'static str {
    DeviceKind::compiled().first().unwrap_or(&DeviceKind::Flex).name()
}

fn devices() -> impl TypedValueParser<Value = DeviceKind> {
    named(DeviceKind::ALL.map(DeviceKind::name))
}

/// Names of published scorers.
pub fn definitions() -> impl TypedValueParser<Value = Definition> {
    named(Definition::ALL.map(Definition::name))
}

/// Names of ways from word pieces to words.
pub fn poolings() -> impl TypedValueParser<Value = Pooling> {
    let all = [Pooling::First, Pooling::Mean, Pooling::Max];
    PossibleValuesParser::new(all.map(Pooling::name))
        .map(move |name| all.into_iter().find(|pooling| pooling.name() == name).unwrap_or_default())
}

/// Names of policies for overlapping entities.
pub fn overlaps() -> impl TypedValueParser<Value = OverlapPolicy> {
    named(["keep", "drop", "refuse"])
}

/// One of these names, which the type reads.
pub fn named<T>(names: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names.into_iter().collect::<Vec<_>>()).try_map(|name| name.parse::<T>())
}
