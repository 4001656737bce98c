//! Issuers of tokens: the right one, and wrong ones.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL},
};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
        RsaKeyPair,
    },
};
use serde_json::{Value, json};

/// The secret in the configuration of these tests' gateways.
pub(super) const SECRET: &str = "planted-internal-key-0123456789abcdef";

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub(super) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL.encode(bytes)
}

/// The expected audience and issuer of tokens.
pub(super) const JWT: &str =
    "[auth.jwt]\naudience = ['gateway', 'spare']\nissuer = ['https://issuer.test']\n";

/// Returns valid claims.
pub(super) fn claims() -> Value {
    json!({
        "iss": "https://issuer.test",
        "aud": "gateway",
        "sub": "acme",
        "user": "ada",
        "scope": "vault:read other",
        "exp": now() + 600,
    })
}

/// Returns the claims with one changed, or removed if `value` is null.
pub(super) fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

/// A signing key.
pub(super) enum Issuer {
    Secret(Vec<u8>),
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Issuer {
    pub(super) fn internal() -> Self {
        Self::Secret(SECRET.into())
    }

    pub(super) fn rsa() -> Self {
        Self::rsa_of(include_str!("rsa_ours.pem"))
    }

    pub(super) fn other_rsa() -> Self {
        Self::rsa_of(include_str!("rsa_theirs.pem"))
    }

    fn rsa_of(pem: &str) -> Self {
        let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        Self::Rsa(RsaKeyPair::from_pkcs8(&BASE64.decode(text).unwrap()).unwrap())
    }

    pub(super) fn p256() -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self::P256(
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random)
                .unwrap(),
        )
    }

    pub(super) fn ed25519() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap())
    }

    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Secret(_) => "HS256",
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    /// Returns a token with the usual header.
    pub(super) fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({ "typ": "JWT", "alg": self.algorithm() }), claims)
    }

    pub(super) fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.sign(&header.to_string(), &claims.to_string())
    }

    /// Returns a token with exactly this header and these claims.
    pub(super) fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", base64url(header), base64url(claims));
        format!("{signed}.{}", base64url(self.signature(signed.as_bytes())))
    }

    pub(super) fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Secret(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
            }
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// Returns the public key as a JSON Web Key.
    pub(super) fn jwk(&self, kid: Option<&str>) -> Value {
        let mut jwk = match self {
            Self::Secret(secret) => json!({ "kty": "oct", "k": base64url(secret) }),
            Self::Rsa(key) => {
                let rsa::PublicKeyComponents::<Vec<u8>> { n, e } = key.public().into();
                json!({ "kty": "RSA", "n": base64url(n), "e": base64url(e) })
            }
            Self::P256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y) })
            }
            Self::Ed25519(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key().as_ref()) })
            }
        };
        if let Some(kid) = kid {
            jwk["kid"] = kid.into();
        }
        jwk
    }

    /// Returns the public key as an entry of the configuration.
    pub(super) fn setting(&self, kid: &str) -> String {
        format!("[[auth.jwt.keys]]\nkid = '{kid}'\nkey = '''{}'''\n", self.pem())
    }

    /// Returns the public key in PEM.
    pub(super) fn pem(&self) -> String {
        let der = match self {
            Self::Secret(_) => panic!("a secret has no public part"),
            Self::Rsa(key) => {
                // A key of 2048 bits is 270 bytes, after a constant prefix of 24 bytes.
                let head = b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\
                      \xf7\x0d\x01\x01\x01\x05\x00\x03\x82\x01\x0f\x00";
                [head, key.public().as_ref()].concat()
            }
            Self::P256(key) => {
                let head = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
                             \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
                [&head[..], key.public_key().as_ref()].concat()
            }
            Self::Ed25519(key) => {
                let head = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
                [&head[..], key.public_key().as_ref()].concat()
            }
        };
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(der))
    }
}
