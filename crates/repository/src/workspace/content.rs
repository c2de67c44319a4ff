//! Reads one file as it stands, or says that it does not stand still.

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
};

use gix::{ObjectId, bstr::BStr, objs::Kind};

use super::beneath::Folder;

/// A file that did not change while it was read.
pub(super) enum Content {
    /// Its bytes.
    Whole(Metadata, Vec<u8>),
    /// Larger than the limit: the id of the blob that its bytes would be.
    Large(Metadata, ObjectId),
}

/// Nothing: it changed every time.
pub(super) fn read(folder: &Folder, name: &BStr, max: u64, again: u32) -> io::Result<Option<Content>> {
    for _ in 0..=again {
        let mut file = folder.file(name)?;
        let before = file.metadata()?;
        if !before.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let content = if before.len() > max {
            hash(&mut file, before.len())?.map(|id| Content::Large(before.clone(), id))
        } else {
            let mut bytes = Vec::with_capacity(before.len() as usize);
            (&mut file).take(before.len() + 1).read_to_end(&mut bytes)?;
            (bytes.len() as u64 == before.len()).then(|| Content::Whole(before.clone(), bytes))
        };
        let after = file.metadata()?;
        let same = |of: fn(&Metadata) -> i64| of(&before) == of(&after);
        if content.is_some()
            && before.len() == after.len()
            && same(Metadata::mtime)
            && same(Metadata::mtime_nsec)
            && same(Metadata::ctime)
            && same(Metadata::ctime_nsec)
        {
            return Ok(content);
        }
    }
    Ok(None)
}

/// Nothing when the file is not as long as it was said to be.
fn hash(file: &mut File, size: u64) -> io::Result<Option<ObjectId>> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(&gix::objs::encode::loose_header(Kind::Blob, size));
    let mut buffer = vec![0; 1 << 16];
    let mut left = size;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        let Some(rest) = left.checked_sub(read as u64) else { return Ok(None) };
        left = rest;
        hasher.update(&buffer[..read]);
    }
    match left {
        0 => hasher.try_finalize().map(Some).map_err(|error| io::Error::other(error.to_string())),
        _ => Ok(None),
    }
}
