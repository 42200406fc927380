//! The key that SNS notifications are signed with, and the certificate that its signatures are checked with.
//!
//! Source: SNS developer guide, "Verifying the signatures of Amazon SNS messages".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::{SignatureEncoding, Signer as _};
use sha2::{Digest, Sha256};
use store::{Space, Store, StoreError, Unit};
use topic::SignatureVersion;

const KEY_ROW: &[u8] = b"sns/key.der";
const CERTIFICATE_ROW: &[u8] = b"sns/certificate.pem";

/// Signs notifications.
pub struct Signer {
    sha1: SigningKey<sha1::Sha1>,
    sha256: SigningKey<Sha256>,
    certificate: String,
    path: String,
}

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The stored key could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No key could be made.
    #[error("a certificate for SNS could not be made: {0}")]
    Generate(#[from] rcgen::Error),
    /// The stored key is not one.
    #[error("the stored key of SNS cannot be read: {0}")]
    Key(#[from] rsa::pkcs8::Error),
    /// The stored certificate is not text.
    #[error("the stored certificate of SNS cannot be read: {0}")]
    Certificate(#[from] std::string::FromUtf8Error),
}

impl Signer {
    /// Reads the key from the store, or makes one and keeps it there.
    pub async fn open(store: &Store) -> Result<Self, SignerError> {
        let key = store.get(Space::Secrets, KEY_ROW)?;
        let certificate = store.get(Space::Secrets, CERTIFICATE_ROW)?;
        if let Some((key, certificate)) = key.zip(certificate) {
            return Self::new(&key, String::from_utf8(certificate.to_vec())?);
        }
        let (key, certificate) = generate()?;
        let mut unit = Unit::new();
        unit.put(Space::Secrets, KEY_ROW, key.clone());
        unit.put(Space::Secrets, CERTIFICATE_ROW, certificate.clone());
        store.commit(unit).await?;
        Self::new(&key, certificate)
    }

    fn new(key: &[u8], certificate: String) -> Result<Self, SignerError> {
        let key = PrivateKey::from_pkcs8_der(key)?;
        let fingerprint = hex::encode(&Sha256::digest(certificate.as_bytes())[..16]);
        Ok(Self {
            sha1: SigningKey::new(key.clone()),
            sha256: SigningKey::new(key),
            certificate,
            path: format!("{}{fingerprint}.pem", crate::route::SNS_CERTIFICATE),
        })
    }

    /// The signature of a canonical string, in base64: PKCS #1 v1.5 with SHA-1 (version 1) or SHA-256 (version 2).
    pub fn sign(&self, version: SignatureVersion, canonical: &str) -> String {
        let signature = match version {
            SignatureVersion::V1 => self.sha1.sign(canonical.as_bytes()).to_vec(),
            SignatureVersion::V2 => self.sha256.sign(canonical.as_bytes()).to_vec(),
        };
        STANDARD.encode(signature)
    }

    /// The path of `SigningCertURL`, with the certificate's fingerprint in it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The certificate in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }
}

/// An RSA key of 2,048 bits.
pub fn generate_key() -> Result<rcgen::KeyPair, rcgen::Error> {
    rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
}

/// An RSA key of 2,048 bits (PKCS #8) and a certificate of its own.
fn generate() -> Result<(Vec<u8>, String), rcgen::Error> {
    let key = generate_key()?;
    let mut parameters = rcgen::CertificateParams::new(vec!["sns.amazonaws.com".to_owned()])?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "sns.amazonaws.com");
    let certificate = parameters.self_signed(&key)?;
    Ok((key.serialize_der(), certificate.pem()))
}
