//! The Ed25519 key that signs the head of the chain.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::{Error, durable};

/// Signs heads. The secret never leaves this type, and is not printed.
pub struct HeadKey {
    pair: Ed25519KeyPair,
}

impl HeadKey {
    /// Reads the key file (PKCS#8), or creates it: mode 0600, flushed, seen whole or not at all.
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let document = match File::open(path) {
            Ok(file) => read_private(file, path)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                durable::create_folder(&durable::folder_of(path))?;
                let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                    .map_err(|_| refuse(path, "the system gives no random numbers"))?;
                durable::write_private(path, made.as_ref())?;
                made.as_ref().to_vec()
            }
            Err(error) => return Err(Error::io("open", path)(error)),
        };
        let pair = Ed25519KeyPair::from_pkcs8(&document)
            .map_err(|_| refuse(path, "it is not an Ed25519 key; restore it from a backup"))?;
        Ok(Self { pair })
    }

    /// The public half, which verifies.
    pub fn public_key(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(bytes)
    }

    /// The public half as 64 hexadecimal digits.
    pub fn public_key_hex(&self) -> String {
        self.public_key().to_string()
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(self.pair.sign(message).as_ref());
        bytes
    }
}

impl fmt::Debug for HeadKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HeadKey({})", self.public_key())
    }
}

/// The public half of a [`HeadKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Parses 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| Error::PublicKey)?;
        Ok(Self(bytes))
    }

    /// Whether the signature over the message is this key's.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

fn refuse(path: &Path, detail: &str) -> Error {
    Error::Key { path: path.to_owned(), detail: detail.to_owned() }
}

fn read_private(file: File, path: &Path) -> Result<Vec<u8>, Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = file.metadata().map_err(Error::io("inspect", path))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(refuse(path, "others may read it; set its mode to 0600, or remove it to have a new one made"));
        }
    }
    let mut document = Vec::new();
    file.take(4096).read_to_end(&mut document).map_err(Error::io("read", path))?;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_created_once_and_loaded_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets/head.key");
        let made = HeadKey::load_or_create(&path).unwrap();
        let loaded = HeadKey::load_or_create(&path).unwrap();
        assert_eq!(made.public_key_hex(), loaded.public_key_hex());
        let public = PublicKey::from_hex(&made.public_key_hex()).unwrap();
        let signature = loaded.sign(b"head");
        assert!(public.verifies(b"head", &signature));
        assert!(!public.verifies(b"tail", &signature));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_is_private_and_one_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("head.key");
        HeadKey::load_or_create(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let error = HeadKey::load_or_create(&path).unwrap_err();
        assert!(error.to_string().contains("0600"), "{error}");
    }

    #[test]
    fn a_damaged_key_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("head.key");
        durable::write_private(&path, b"rubbish").unwrap();
        assert!(HeadKey::load_or_create(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"rubbish");
    }

    #[test]
    fn the_secret_is_not_printed() {
        let folder = tempfile::tempdir().unwrap();
        let key = HeadKey::load_or_create(folder.path().join("head.key")).unwrap();
        assert_eq!(format!("{key:?}"), format!("HeadKey({})", key.public_key_hex()));
    }
}
