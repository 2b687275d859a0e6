//! Object stores that the environment configures.

use std::{env, sync::Arc};

use datafusion::{
    common::Result,
    error::DataFusionError,
    execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry},
};
use object_store::{ObjectStore, parse_url_opts};
use url::Url;

/// Object stores by URL. A store that nobody registered is opened with the settings of the environment, such as
/// `AWS_ACCESS_KEY_ID` and `AWS_ENDPOINT_URL` for `s3://`, `GOOGLE_SERVICE_ACCOUNT` for `gs://` and
/// `AZURE_STORAGE_ACCOUNT_NAME` for `az://`. So processes of a cluster need no registration.
#[derive(Debug, Default)]
pub struct EnvStores {
    known: DefaultObjectStoreRegistry,
}

impl ObjectStoreRegistry for EnvStores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.known.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.known.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if let Ok(store) = self.known.get_store(url) {
            return Ok(store);
        }
        // `vars` panics on text that is not Unicode. Without lower case, object_store would ignore the settings.
        let settings =
            env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        let settings = settings.map(|(key, value)| (key.to_ascii_lowercase(), value));
        // The URL itself allows what it says.
        let plain = (url.scheme() == "http").then(|| ("allow_http".to_owned(), "true".to_owned()));
        let settings = settings.chain(plain);
        let (store, _) = parse_url_opts(url, settings)
            .map_err(|error| DataFusionError::Execution(format!("no object store for {}://: {error}", url.scheme())))?;
        let store: Arc<dyn ObjectStore> = Arc::from(store);
        self.known.register_store(url, Arc::clone(&store));
        Ok(store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_opened_when_a_url_asks_for_it() {
        let stores = EnvStores::default();
        let first = stores.get_store(&Url::parse("http://127.0.0.1:9/a.parquet").unwrap()).unwrap();
        let second = stores.get_store(&Url::parse("http://127.0.0.1:9/b.parquet").unwrap()).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        let error = stores.get_store(&Url::parse("ftp://host/a.parquet").unwrap()).unwrap_err();
        assert!(error.to_string().contains("ftp"), "{error}");
    }
}
