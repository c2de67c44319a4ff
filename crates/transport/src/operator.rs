//! The operator's secret: what tells a person from the agents in local mode.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;

/// 256 random bits in hex, in a file that only its owner reads. An unsandboxed agent of the same user can
/// read that file too; the docs say so.
#[derive(Clone)]
pub struct OperatorSecret(String);

impl OperatorSecret {
    /// The header that carries it.
    pub const HEADER: &str = "x-orchestrator-operator";

    /// Reads the secret, or makes it.
    ///
    /// # Errors
    /// When the file can neither be read nor written.
    pub fn load_or_create(path: &Path) -> std::io::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) if text.trim().len() == 64 => return Ok(Self(text.trim().to_owned())),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut random = [0_u8; 32];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
        let text = blake3::Hash::from_bytes(random).to_hex().to_string();
        let temporary = path.with_extension("tmp");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        if let Some(folder) = path.parent() {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(Self(text))
    }

    /// Whether this is it. Takes the same time for every wrong one of the right length.
    #[must_use]
    pub fn is(&self, given: &str) -> bool {
        // blake3 hashes compare in constant time.
        blake3::hash(self.0.as_bytes()) == blake3::hash(given.trim().as_bytes())
    }
}

impl std::fmt::Debug for OperatorSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operator.secret");
        let made = OperatorSecret::load_or_create(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(made.is(&text) && !made.is("") && !made.is(&text.replace(&text[..1], "x")));
        assert!(OperatorSecret::load_or_create(&path).unwrap().is(&text));
        assert_eq!(format!("{made:?}"), "OperatorSecret(..)");
    }
}
