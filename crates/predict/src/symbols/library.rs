//! Parsed contents, each parsed once for as long as anyone holds it.

use crate::version::{Id, Source, Version};
use orchestrator_syntax::{File, Language, Limits, parse};
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// What one file may cost; what costs more is left out. Sources written by people are far below.
const LIMITS: Limits = Limits { bytes: 512 << 10, steps: 2_000_000 };

/// What came of parsing.
pub(super) enum Parsed {
    /// The file.
    File(Arc<File>),
    /// It is over a limit, or no text.
    LeftOut,
}

impl Parsed {
    pub(super) fn file(self) -> Option<Arc<File>> {
        match self {
            Self::File(file) => Some(file),
            Self::LeftOut => None,
        }
    }
}

/// What is parsed and held somewhere.
#[derive(Debug, Default)]
pub(super) struct Library {
    held: HashMap<(Language, Id), Weak<File>>,
    /// Entries after which those that nobody holds are swept.
    sweep_at: usize,
}

impl Library {
    /// The whole file.
    pub(super) fn file<S: Source>(
        &mut self,
        source: &S,
        language: Language,
        version: Version,
    ) -> Result<Parsed, S::Error> {
        let key = (language, version.id);
        if let Some(file) = self.held.get(&key).and_then(Weak::upgrade) {
            return Ok(Parsed::File(file));
        }
        let Some(file) = read(source, language, version)? else { return Ok(Parsed::LeftOut) };
        let file = Arc::new(file);
        if self.held.len() >= self.sweep_at {
            self.held.retain(|_, file| file.strong_count() > 0);
            self.sweep_at = 1_024.max(self.held.len() * 2);
        }
        self.held.insert(key, Arc::downgrade(&file));
        Ok(Parsed::File(file))
    }
}

/// Parses a content; nothing when it is left out.
pub(super) fn read<S: Source>(source: &S, language: Language, version: Version) -> Result<Option<File>, S::Error> {
    if version.opaque || !version.mode.is_file() || source.size(&version.id)? > LIMITS.bytes {
        return Ok(None);
    }
    let text = source.content(&version.id)?;
    let is_binary = text.iter().take(8_000).any(|byte| *byte == 0);
    Ok(if is_binary { None } else { parse(language, &text, LIMITS).ok() })
}
