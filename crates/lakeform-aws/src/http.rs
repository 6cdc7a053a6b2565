//! The HTTP clients that all SDK clients share, made when first needed.

use std::{path::Path, sync::Arc, sync::OnceLock};

use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use lakeform_provider::{ErrorKind, ProviderError, Result};

/// One connection pool for HTTPS and one for plain HTTP (emulators), which needs no certificates and so starts faster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Http {
    context: Option<TlsContext>,
    proxy: Option<ProxyConfig>,
    pools: Arc<Pools>,
}

#[derive(Debug, Default)]
struct Pools {
    https: OnceLock<SharedHttpClient>,
    http: OnceLock<SharedHttpClient>,
}

impl Http {
    /// With a certificate bundle of one's own instead of the system's, and with proxies; without both, the pools of
    /// `shared` are used.
    ///
    /// # Errors
    /// When the bundle cannot be read or a proxy is no URL.
    pub(crate) fn new(shared: &Http, bundle: Option<&Path>, proxy: Option<ProxyConfig>) -> Result<Self> {
        if bundle.is_none() && proxy.is_none() {
            return Ok(shared.clone());
        }
        let context = match bundle {
            None => None,
            Some(path) => {
                let failed = |e: &dyn std::fmt::Display| {
                    ProviderError::new(ErrorKind::Other, format!("custom_ca_bundle: {}: {e}", path.display()))
                };
                let pem = std::fs::read(path).map_err(|e| failed(&e))?;
                let store = TrustStore::empty().with_pem_certificate(pem);
                Some(TlsContext::builder().with_trust_store(store).build().map_err(|e| failed(&e))?)
            }
        };
        Ok(Self { context, proxy, pools: Arc::default() })
    }

    /// The pool for an endpoint.
    pub(crate) fn for_endpoint(&self, url: Option<&str>) -> SharedHttpClient {
        let plain = url.is_some_and(|url| url.starts_with("http://"));
        let pool = if plain { &self.pools.http } else { &self.pools.https };
        pool.get_or_init(|| self.build(plain)).clone()
    }

    fn build(&self, plain: bool) -> SharedHttpClient {
        let this = Self { pools: Arc::default(), ..self.clone() };
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = Connector::builder();
            connector.set_connector_settings(settings.cloned());
            connector.set_proxy_config(this.proxy.clone());
            connector.set_sleep_impl(components.and_then(|c| c.sleep_impl()));
            if plain {
                return connector.build_http();
            }
            let mut connector = connector.tls_provider(Provider::Rustls(CryptoMode::Ring));
            if let Some(context) = &this.context {
                connector.set_tls_context(context.clone());
            }
            connector.build()
        })
    }
}
