//! The HTTP client of the backend.

use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use lakeform_state::OperationError;

use crate::S3Backend;

/// A client for the endpoint `url`. One without TLS for plain HTTP: it needs no certificates, and starts faster.
///
/// # Errors
/// When the certificate bundle cannot be read or a proxy is no URL.
pub(crate) fn client(backend: &S3Backend, url: Option<&str>) -> Result<SharedHttpClient, OperationError> {
    // As in Go and curl: nobody means the proxy for what runs on this machine.
    let proxy = if url.is_some_and(is_loopback) { None } else { Some(proxy(backend)?) };
    let context = backend.custom_ca_bundle.as_deref().map(trust).transpose()?;
    let plain = url.is_some_and(|url| url.starts_with("http://"));
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder();
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|c| c.sleep_impl()));
        connector.set_proxy_config(proxy.clone());
        if plain {
            return connector.build_http();
        }
        let mut connector = connector.tls_provider(Provider::Rustls(CryptoMode::Ring));
        if let Some(context) = &context {
            connector.set_tls_context(context.clone());
        }
        connector.build()
    }))
}

fn wrong(argument: &str, value: &str, error: &dyn std::fmt::Display) -> OperationError {
    let operation = format!("`{argument}` of the s3 backend, {value}");
    OperationError { operation, cause: error.to_string(), help: None, transient: false }
}

fn trust(path: &str) -> Result<TlsContext, OperationError> {
    let pem = std::fs::read(path).map_err(|e| wrong("custom_ca_bundle", path, &e))?;
    let store = TrustStore::empty().with_pem_certificate(pem);
    TlsContext::builder().with_trust_store(store).build().map_err(|e| wrong("custom_ca_bundle", path, &e))
}

fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost:", "localhost/", "[::1]"].iter().any(|start| host.starts_with(start)) || host == "localhost"
}

fn proxy(backend: &S3Backend) -> Result<ProxyConfig, OperationError> {
    let config = match (&backend.http_proxy, &backend.https_proxy) {
        (None, None) => return Ok(ProxyConfig::from_env()),
        (Some(http), Some(https)) if http == https => ProxyConfig::all(http.as_str()),
        (_, Some(https)) => ProxyConfig::https(https.as_str()),
        (Some(http), None) => ProxyConfig::http(http.as_str()),
    };
    let url = backend.https_proxy.as_ref().or(backend.http_proxy.as_ref()).cloned().unwrap_or_default();
    let config = config.map_err(|e| wrong("https_proxy", &url, &e))?;
    Ok(match &backend.no_proxy {
        Some(rules) => config.no_proxy(rules),
        None => config,
    })
}
