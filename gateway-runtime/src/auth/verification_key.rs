//! Keys that verify signatures. Each has one algorithm; the `alg` of a token does not change it.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ring::{
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
        UnparsedPublicKey,
    },
};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
use serde::Deserialize;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

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
    pub(super) fn secret(secret: &str) -> Result<Self, &'static str> {
        if secret.len() < 32 {
            return Err("an HS256 key has at least 32 bytes; `openssl rand -hex 32` makes one");
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
    pub(super) fn public(text: &str, kid: Option<&str>) -> Result<Self, &'static str> {
        let mut key = if text.trim_start().starts_with('{') {
            let jwk: Jwk =
                serde_json::from_str(text).map_err(|_| "is no JSON Web Key (RFC 7517)")?;
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
    pub(super) fn from_jwk(jwk: &Jwk) -> Result<Self, &'static str> {
        if jwk.d.is_some() {
            return Err("is a private key, which belongs to who signs; give its public part alone");
        }
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig")
            || jwk
                .key_ops
                .as_ref()
                .is_some_and(|operations| !operations.iter().any(|one| one == "verify"))
        {
            return Err("is not for checking signatures (`use`, `key_ops`)");
        }
        let (algorithm, material) = material(jwk)?;
        if jwk.alg.as_deref().is_some_and(|name| Algorithm::named(name) != Some(algorithm)) {
            return Err("is for another algorithm (`alg`) than RS256, ES256 or EdDSA");
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

const RSA_SIZE: &str = "is an RSA key of less than 2048 or more than 8192 bits";

/// Returns the algorithm and the key material. Each type of key has one algorithm.
fn material(jwk: &Jwk) -> Result<(Algorithm, Material), &'static str> {
    match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => {
            let (n, e) = (bytes(jwk.n.as_ref())?, bytes(jwk.e.as_ref())?);
            // RFC 7518 §6.3.1.1 forbids leading zeros, but some issuers write them.
            let n: Box<[u8]> = n.iter().copied().skip_while(|&byte| byte == 0).collect();
            if !(256..=1024).contains(&n.len()) {
                return Err(RSA_SIZE);
            }
            Ok((Algorithm::Rs256, Material::RsaComponents(RsaPublicKeyComponents { n, e })))
        }
        ("EC", Some("P-256")) => {
            let point =
                [vec![4], bytes(jwk.x.as_ref())?.into(), bytes(jwk.y.as_ref())?.into()].concat();
            Ok((Algorithm::Es256, p256(&point)?))
        }
        ("OKP", Some("Ed25519")) => Ok((Algorithm::EdDsa, ed25519(&bytes(jwk.x.as_ref())?)?)),
        _ => Err("is neither an RSA, nor a P-256, nor an Ed25519 key"),
    }
}

fn bytes(member: Option<&String>) -> Result<Box<[u8]>, &'static str> {
    let bytes = member.and_then(|text| BASE64URL.decode(text).ok());
    bytes
        .map(Into::into)
        .ok_or("lacks a member of its kind of key, or has one that is not base64url")
}

fn p256(point: &[u8]) -> Result<Material, &'static str> {
    if point.len() != 65 || point[0] != 4 {
        return Err("invalid EC public key: `x` and `y` are not an uncompressed P-256 point");
    }
    Ok(Material::P256(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.into())))
}

fn ed25519(point: &[u8]) -> Result<Material, &'static str> {
    if point.len() != 32 {
        return Err("is no Ed25519 key of 32 bytes");
    }
    Ok(Material::Ed25519(UnparsedPublicKey::new(&ED25519, point.into())))
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Parses a `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7) in PEM.
fn from_pem(text: &str) -> Result<Material, &'static str> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes())
        .map_err(|_| "is neither a JSON Web Key nor PEM with `-----BEGIN PUBLIC KEY-----`")?;
    let broken = "is PEM of something that is no public key";
    let info = SubjectPublicKeyInfoRef::try_from(der.as_ref()).map_err(|_| broken)?;
    let key = info.subject_public_key.as_bytes().ok_or(broken)?;
    match info.algorithm.oid {
        RSA if (266..=1100).contains(&key.len()) => {
            Ok(Material::Rsa(UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.into())))
        }
        RSA => Err(RSA_SIZE),
        EC if info.algorithm.parameters_oid() == Ok(P256) => p256(key),
        ED25519_KEY => ed25519(key),
        _ => Err("is neither an RSA, nor a P-256, nor an Ed25519 key"),
    }
}
