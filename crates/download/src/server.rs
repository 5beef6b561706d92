//! How servers are talked to.

use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// Waiting longer than this for a connection, or for an answer, is an interruption.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client that trusts what the operating system trusts and uses the proxy that the environment names. The body is taken as it
/// is served: a compressed file stays compressed.
pub fn agent() -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .user_agent(concat!("spillway/", env!("CARGO_PKG_VERSION")))
        .build();
    Agent::new_with_config(config)
}
