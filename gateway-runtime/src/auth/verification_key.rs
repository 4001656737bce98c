//! Keys that verify signatures. The algorithm is fixed by the key (SEMANTICS §4); the `alg` of a
//! token does not change it.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ring::{
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
        UnparsedPublicKey,
    },
};
use rustls_pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
use serde::Deserialize;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::auth::key_error::KeyError;

/// A signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1). There is no `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hs256,
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// Returns the algorithm that tokens call `name`.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            // RFC 9864 names the same algorithm `Ed25519`.
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// A key that verifies signatures.
pub(super) struct VerificationKey {
    kid: Option<Box<str>>,
    material: Material,
}

enum Material {
    Secret(hmac::Key),
    /// An `RSAPublicKey` in DER.
    Rsa(UnparsedPublicKey<Box<[u8]>>),
    RsaComponents(RsaPublicKeyComponents<Box<[u8]>>),
    P256(UnparsedPublicKey<Box<[u8]>>),
    Ed25519(UnparsedPublicKey<Box<[u8]>>),
}

impl VerificationKey {
    /// Creates an HS256 key without a `kid`.
    ///
    /// # Errors
    ///
    /// Fails if the secret is shorter than the hash (RFC 7518 §3.2): shorter ones can be found by
    /// trial.
    pub(super) fn secret(secret: &str) -> Result<Self, KeyError> {
        if secret.len() < 32 {
            return Err(KeyError::ShortSecret);
        }
        Ok(Self {
            kid: None,
            material: Material::Secret(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())),
        })
    }

    /// Parses a public key in PEM or as a JSON Web Key; `kid` takes precedence over the key's own
    /// name.
    ///
    /// # Errors
    ///
    /// The reason for which the text is no public key for tokens.
    pub(super) fn public(text: &str, kid: Option<&str>) -> Result<Self, KeyError> {
        let mut key = if text.trim_start().starts_with('{') {
            let jwk: Jwk = serde_json::from_str(text).map_err(|_| KeyError::NotJwk)?;
            Self::from_jwk(&jwk)?
        } else {
            Self { kid: None, material: from_pem(text)? }
        };
        if let Some(kid) = kid {
            key.kid = Some(kid.into());
        }
        Ok(key)
    }

    /// Creates a public key from a member of a key set.
    ///
    /// # Errors
    ///
    /// The reason for which tokens cannot be verified with the key.
    pub(super) fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        if jwk.d.is_some() {
            return Err(KeyError::PrivateKey);
        }
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig")
            || jwk
                .key_ops
                .as_ref()
                .is_some_and(|operations| !operations.iter().any(|operation| operation == "verify"))
        {
            return Err(KeyError::OtherUse);
        }
        let (algorithm, material) = material(jwk)?;
        if jwk.alg.as_deref().is_some_and(|name| Algorithm::named(name) != Some(algorithm)) {
            return Err(KeyError::OtherAlgorithm);
        }
        Ok(Self { kid: jwk.kid.as_deref().map(Into::into), material })
    }

    /// Returns the one algorithm of the key.
    pub(super) fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Secret(_) => Algorithm::Hs256,
            Material::Rsa(_) | Material::RsaComponents(_) => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
            Material::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// Returns the name of the key.
    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Returns whether `signature` is this key's signature of `message`.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Secret(key) => hmac::verify(key, message, signature),
            Material::RsaComponents(key) => {
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            Material::Rsa(key) | Material::P256(key) | Material::Ed25519(key) => {
                key.verify(message, signature)
            }
        }
        .is_ok()
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// A JSON Web Key (RFC 7517): the members that are read.
#[derive(Deserialize)]
pub(super) struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<serde::de::IgnoredAny>,
}

/// Returns the algorithm and the key material. Each type of key has one algorithm.
fn material(jwk: &Jwk) -> Result<(Algorithm, Material), KeyError> {
    match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => {
            let n = bytes(jwk.n.as_ref())?;
            let e = bytes(jwk.e.as_ref())?;
            // RFC 7518 §6.3.1.1 forbids leading zeros, but some issuers write them.
            let n: Box<[u8]> = n.iter().copied().skip_while(|&byte| byte == 0).collect();
            if !(256..=1024).contains(&n.len()) {
                return Err(KeyError::RsaSize);
            }
            Ok((Algorithm::Rs256, Material::RsaComponents(RsaPublicKeyComponents { n, e })))
        }
        ("EC", Some("P-256")) => {
            let point =
                [vec![4], bytes(jwk.x.as_ref())?.into(), bytes(jwk.y.as_ref())?.into()].concat();
            Ok((Algorithm::Es256, p256(&point)?))
        }
        ("OKP", Some("Ed25519")) => Ok((Algorithm::EdDsa, ed25519(&bytes(jwk.x.as_ref())?)?)),
        _ => Err(KeyError::OtherType),
    }
}

fn bytes(member: Option<&String>) -> Result<Box<[u8]>, KeyError> {
    let bytes = member.and_then(|text| BASE64URL.decode(text).ok());
    bytes.map(Into::into).ok_or(KeyError::Member)
}

fn p256(point: &[u8]) -> Result<Material, KeyError> {
    if point.len() != 65 || point[0] != 4 {
        return Err(KeyError::EcPoint);
    }
    Ok(Material::P256(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.into())))
}

fn ed25519(point: &[u8]) -> Result<Material, KeyError> {
    if point.len() != 32 {
        return Err(KeyError::Ed25519Length);
    }
    Ok(Material::Ed25519(UnparsedPublicKey::new(&ED25519, point.into())))
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Parses a `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7) in PEM.
fn from_pem(text: &str) -> Result<Material, KeyError> {
    let der =
        SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()).map_err(|_| KeyError::NotPem)?;
    let info =
        SubjectPublicKeyInfoRef::try_from(der.as_ref()).map_err(|_| KeyError::NotPublicKey)?;
    let key = info.subject_public_key.as_bytes().ok_or(KeyError::NotPublicKey)?;
    match info.algorithm.oid {
        RSA if (266..=1100).contains(&key.len()) => {
            Ok(Material::Rsa(UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.into())))
        }
        RSA => Err(KeyError::RsaSize),
        EC if info.algorithm.parameters_oid() == Ok(P256) => p256(key),
        ED25519_KEY => ed25519(key),
        _ => Err(KeyError::OtherType),
    }
}
