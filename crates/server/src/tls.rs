//! TLS: certificates, and the names of what was negotiated.

use std::fs::File;
use std::io::BufReader;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ProtocolVersion, ServerConfig, SupportedCipherSuite};

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsSource {
    /// PEM files: the chain, and the key that belongs to its first certificate.
    Files {
        /// The chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// Made at the start, for the listening address and `localhost`.
    SelfSigned,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read, or holds no PEM.
    #[error("{}: {detail}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// Certificate and key do not fit.
    #[error("the certificate and its key cannot be used: {0}")]
    Config(#[from] rustls::Error),
    /// The self-signed certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Generate(#[from] rcgen::Error),
}

/// The server's side of TLS 1.2 and 1.3.
pub fn server_config(source: &TlsSource, address: IpAddr) -> Result<Arc<ServerConfig>, TlsError> {
    let (chain, key) = match source {
        TlsSource::Files { cert, key } => (read_chain(cert)?, read_key(key)?),
        TlsSource::SelfSigned => self_signed(address)?,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn open(path: &Path) -> Result<BufReader<File>, TlsError> {
    let file = File::open(path).map_err(|error| TlsError::File { path: path.into(), detail: error.to_string() })?;
    Ok(BufReader::new(file))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let invalid = |detail: String| TlsError::File { path: path.into(), detail };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_reader_iter(open(path)?).collect();
    let chain = chain.map_err(|error| invalid(format!("not a PEM certificate chain: {error}")))?;
    if chain.is_empty() { Err(invalid("holds no certificate in PEM".into())) } else { Ok(chain) }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_reader(open(path)?)
        .map_err(|error| TlsError::File { path: path.into(), detail: format!("not a PEM private key: {error}") })
}

fn self_signed(address: IpAddr) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let names = vec!["localhost".to_owned(), "*.localhost".to_owned(), address.to_string()];
    let made = rcgen::generate_simple_self_signed(names)?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
        .map_err(|error| TlsError::Config(rustls::Error::General(error.to_owned())))?;
    Ok((vec![made.cert.der().clone()], key))
}

/// `TLSv1.3` and the cipher suite, as `CloudTrail` spells them.
pub fn names(version: ProtocolVersion, suite: SupportedCipherSuite) -> (String, String) {
    let version = match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2".into(),
        ProtocolVersion::TLSv1_3 => "TLSv1.3".into(),
        other => format!("{other:?}"),
    };
    let iana = format!("{:?}", suite.suite());
    (version, openssl_name(&iana))
}

/// TLS 1.3 suites keep IANA's name but for one digit; of the older ones `OpenSSL` leaves out `TLS`, `WITH` and the underscores.
fn openssl_name(suite: &str) -> String {
    if let Some(name) = suite.strip_prefix("TLS13_") {
        return format!("TLS_{name}");
    }
    let name = suite.trim_start_matches("TLS_").replace("_WITH_", "_");
    let name = name.replace("AES_128", "AES128").replace("AES_256", "AES256");
    let name = name.replace("CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305");
    name.replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_have_the_names_of_openssl() {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let mut names: Vec<_> =
            provider.cipher_suites.iter().map(|suite| openssl_name(&format!("{:?}", suite.suite()))).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "ECDHE-ECDSA-AES128-GCM-SHA256",
                "ECDHE-ECDSA-AES256-GCM-SHA384",
                "ECDHE-ECDSA-CHACHA20-POLY1305",
                "ECDHE-RSA-AES128-GCM-SHA256",
                "ECDHE-RSA-AES256-GCM-SHA384",
                "ECDHE-RSA-CHACHA20-POLY1305",
                "TLS_AES_128_GCM_SHA256",
                "TLS_AES_256_GCM_SHA384",
                "TLS_CHACHA20_POLY1305_SHA256",
            ]
        );
    }
}
