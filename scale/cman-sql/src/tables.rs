//! Files as tables: a path or URL in `FROM`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    catalog::{TableProvider, UrlTableFactory},
    common::{Result, plan_err},
    datasource::{
        file_format::{
            FileFormat, csv::CsvFormat, file_compression_type::FileCompressionType, json::JsonFormat,
            parquet::ParquetFormat,
        },
        listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl},
    },
    error::DataFusionError,
    execution::SessionState,
};
use futures::{StreamExt, TryStreamExt};
use glob::Pattern;
use object_store::path::Path;
use url::Url;

/// The characters that make a path a pattern.
const GLOB: [char; 3] = ['*', '?', '['];

/// Makes a table of a file, of a folder or of a pattern such as `docs/*.parquet`. The extension says the format:
/// `.parquet`, `.json`, `.jsonl` and `.ndjson` (one object per line), `.csv` (with a header); text may be compressed
/// (`.gz`, `.bz2`, `.xz`, `.zst`). Of a folder, the files with the extension of its first one are read. Files whose names
/// begin with `_` or `.` do not count as the first one, and a pattern does not match them.
#[derive(Debug)]
pub(crate) struct FileTables {
    /// What knows the object stores.
    state: SessionState,
}

impl FileTables {
    pub(crate) fn new(state: SessionState) -> Self {
        Self { state }
    }

    /// The files behind a URL, sorted by name.
    async fn files(&self, url: &ListingTableUrl) -> Result<Vec<Path>> {
        let store = self.state.runtime_env().object_store(url)?;
        let files = url.list_all_files(&self.state, store.as_ref(), "").await?;
        let mut paths: Vec<Path> = files.map(|file| file.map(|file| file.location)).try_collect().await?;
        paths.retain(|path| path.filename().is_some_and(|name| !name.starts_with(['_', '.'])));
        paths.sort();
        Ok(paths)
    }
}

#[async_trait]
impl UrlTableFactory for FileTables {
    async fn try_new(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let is_bare = !name.contains(['/', '\\', '.']) && !name.contains(GLOB);
        if is_bare && !std::path::Path::new(name).is_dir() {
            return Ok(None);
        }
        let (url, is_pattern) = parse(name)?;
        let files = match self.files(&url).await {
            Ok(files) => files,
            Err(DataFusionError::ObjectStore(error)) if matches!(*error, object_store::Error::NotFound { .. }) => {
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        let Some(first) = files.first() else { return plan_err!("'{name}': no such file") };
        let Some(options) = options(first.as_ref()) else {
            return plan_err!("'{name}': {first} ends with none of .parquet, .json, .jsonl, .ndjson and .csv");
        };
        // A plan that is sent to a cluster has no place for a pattern, so it names the files.
        let urls = if is_pattern { addresses(&url, &files, &options.file_extension)? } else { vec![url] };
        let mut config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options);
        if !is_pattern {
            config = config.infer_partitions_from_path(&self.state).await?;
        }
        let config = config.infer_schema(&self.state).await?;
        Ok(Some(Arc::new(ListingTable::try_new(config)?)))
    }
}

/// The URL of a name, and whether it is a pattern.
fn parse(name: &str) -> Result<(ListingTableUrl, bool)> {
    if !name.contains("://") {
        return Ok((ListingTableUrl::parse(name)?, name.contains(GLOB)));
    }
    let Some(at) = name.find(['*', '[']) else { return Ok((ListingTableUrl::parse(name)?, false)) };
    let folder = name[..at].rfind('/').map_or(at, |slash| slash + 1);
    let external = |error| DataFusionError::External(error);
    let url = Url::parse(&name[..folder]).map_err(|error| external(Box::new(error)))?;
    let pattern = Pattern::new(&name[folder..]).map_err(|error| external(Box::new(error)))?;
    Ok((ListingTableUrl::try_new(url, Some(pattern))?, true))
}

/// The URLs of those files that have the extension.
fn addresses(url: &ListingTableUrl, files: &[Path], extension: &str) -> Result<Vec<ListingTableUrl>> {
    let with_extension = files.iter().filter(|file| file.as_ref().ends_with(extension));
    let address = |file: &Path| {
        let mut address: Url = AsRef::<Url>::as_ref(url).clone();
        // `set_path` escapes everything else.
        address.set_path(&format!("/{}", file.as_ref().replace('%', "%25")));
        ListingTableUrl::try_new(address, None)
    };
    with_extension.map(address).collect()
}

/// How to read a file with this name.
fn options(file: &str) -> Option<ListingOptions> {
    use FileCompressionType as Compression;
    let compressions = [
        (".gz", Compression::GZIP),
        (".bz2", Compression::BZIP2),
        (".xz", Compression::XZ),
        (".zst", Compression::ZSTD),
        ("", Compression::UNCOMPRESSED),
    ];
    let name = file.to_ascii_lowercase();
    let (suffix, compression) = compressions.into_iter().find(|(suffix, _)| name.ends_with(suffix))?;
    let stem = &name[..name.len() - suffix.len()];
    let extension = &stem[stem.rfind('.')?..];
    let format: Arc<dyn FileFormat> = match extension {
        ".parquet" if suffix.is_empty() => Arc::new(ParquetFormat::default()),
        ".json" | ".jsonl" | ".ndjson" => Arc::new(JsonFormat::default().with_file_compression_type(compression)),
        ".csv" => Arc::new(CsvFormat::default().with_has_header(true).with_file_compression_type(compression)),
        _ => return None,
    };
    // As it is written: DataFusion compares extensions byte by byte.
    let written = &file[file.len() - extension.len() - suffix.len()..];
    Some(ListingOptions::new(format).with_file_extension(written))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_says_the_format() {
        let extension = |name| options(name).map(|options| options.file_extension);
        assert_eq!(extension("a/b.parquet").as_deref(), Some(".parquet"));
        assert_eq!(extension("b.JSONL.gz").as_deref(), Some(".JSONL.gz"));
        assert_eq!(extension("b.csv").as_deref(), Some(".csv"));
        for name in ["b.parquet.gz", "b.txt", "b", "b.gz"] {
            assert_eq!(extension(name), None, "{name}");
        }
    }

    #[test]
    fn a_url_may_be_a_pattern() {
        let (url, is_pattern) = parse("s3://bucket/docs/*.parquet").unwrap();
        assert!(is_pattern);
        assert_eq!(url.as_str(), "s3://bucket/docs/");
        assert!(url.contains(&Path::from("docs/a.parquet"), true) && !url.contains(&Path::from("docs/a.csv"), true));
        let files = [Path::from("docs/a.parquet"), Path::from("docs/b.json")];
        assert_eq!(addresses(&url, &files, ".parquet").unwrap()[0].as_str(), "s3://bucket/docs/a.parquet");
        assert!(!parse("s3://bucket/docs/a.parquet").unwrap().1);
        let odd = Path::from_iter(["docs", "50% of it.parquet"]);
        assert_eq!(addresses(&url, std::slice::from_ref(&odd), ".parquet").unwrap()[0].prefix(), &odd);
    }
}
