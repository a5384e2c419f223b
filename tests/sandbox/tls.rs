//! Certificates for a loopback server, made in memory: an authority of its own for each server, and a leaf.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivatePkcs8KeyDer;

/// What the server's certificate is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// For `localhost` and 127.0.0.1.
    Valid,
    /// The same, but of the year 2020.
    Expired,
    /// For another host.
    WrongHost,
}

/// The PEM of a new authority, and the configuration of a server whose certificate it signed.
pub(crate) fn certify(leaf: Leaf) -> Result<(String, Arc<ServerConfig>), Box<dyn std::error::Error>> {
    let mut authority = CertificateParams::new([])?;
    // Named apart from the leaf: OpenSSL takes a leaf with its issuer's name for self-signed.
    authority.distinguished_name.push(DnType::CommonName, "sandbox authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let hosts = if leaf == Leaf::WrongHost { vec!["sts.example.org"] } else { vec!["localhost", "127.0.0.1"] };
    let mut params = CertificateParams::new(hosts.into_iter().map(String::from).collect::<Vec<_>>())?;
    if leaf == Leaf::Expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 12, 31);
    }
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &authority)?;

    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())?;
    Ok((authority.pem(), Arc::new(config)))
}
