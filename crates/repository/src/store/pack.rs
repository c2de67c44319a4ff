//! Writes one pack with its index, durable before it is visible.
//!
//! Whole objects only: what a snapshot adds is small, and no delta means that an object is readable from its
//! pack alone. Formats: gitformat-pack(5), pack version 2 and index version 2.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use gix::{
    ObjectId,
    objs::Kind,
    odb::pack::data::{self, entry::Header},
};

const TEMPORARY: &str = "tmp_snapshot_";
/// Older hidden files are nobody's work in hand.
const ABANDONED: Duration = Duration::from_secs(3600);

struct Placed {
    id: ObjectId,
    crc: u32,
    offset: u64,
}

/// Writes `objects` into `folder` and returns the path of the new `.idx`.
///
/// Both files are flushed under hidden names, then renamed, the pack first because readers start from the
/// index; then the folder is flushed.
pub(crate) fn write<E: From<io::Error>>(
    folder: &Path,
    count: u32,
    objects: impl Iterator<Item = Result<(ObjectId, Kind, Vec<u8>), E>>,
) -> Result<PathBuf, E> {
    static ATTEMPT: AtomicU32 = AtomicU32::new(0);
    let attempt = ATTEMPT.fetch_add(1, Ordering::Relaxed);
    // Readers take whatever ends in `.idx` for an index, also one that is half written.
    let temporary = |kind| folder.join(format!("{TEMPORARY}{}_{attempt}_{kind}", std::process::id()));
    let (pack_temporary, index_temporary) = (temporary("pack"), temporary("idx"));
    let mut out = Hashed::new(BufWriter::new(File::create(&pack_temporary)?));
    out.put(&data::header::encode(data::Version::V2, count))?;
    let mut placed = Vec::new();
    for object in objects {
        let (id, kind, content) = object?;
        let offset = out.written;
        let entry = entry(kind, &content)?;
        placed.push(Placed { id, crc: crc32(&entry), offset });
        out.put(&entry)?;
    }
    let (pack, checksum) = out.finish()?;
    pack.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    placed.sort_by_key(|placed| placed.id);

    let mut out = Hashed::new(BufWriter::new(File::create(&index_temporary)?));
    index(&mut out, &placed, &checksum)?;
    let (index, _) = out.finish()?;
    index.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;

    let name = folder.join(format!("pack-{checksum}"));
    let index_path = name.with_extension("idx");
    fs::rename(&pack_temporary, name.with_extension("pack"))?;
    fs::rename(&index_temporary, &index_path)?;
    File::open(folder)?.sync_all()?;
    Ok(index_path)
}

/// Removes what a crash left half-made: hidden files, and an index without its pack.
pub(crate) fn repair(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes());
        let own = hidden && entry.metadata()?.modified()?.elapsed().is_ok_and(|age| age > ABANDONED);
        let orphan = path.extension().is_some_and(|kind| kind == "idx") && !path.with_extension("pack").exists();
        if own || orphan {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

pub(super) fn entry(kind: Kind, content: &[u8]) -> io::Result<Vec<u8>> {
    let header = match kind {
        Kind::Blob => Header::Blob,
        Kind::Tree => Header::Tree,
        Kind::Commit => Header::Commit,
        Kind::Tag => Header::Tag,
    };
    let mut entry = Vec::new();
    header.write_to(content.len() as u64, &mut entry)?;
    let mut deflate = gix::zlib::stream::deflate::Write::new(entry, gix::zlib::Compression::BEST_SPEED);
    deflate.write_all(content)?;
    deflate.flush()?;
    Ok(deflate.into_inner())
}

fn index(out: &mut Hashed, placed: &[Placed], pack: &ObjectId) -> io::Result<()> {
    const LARGE: u64 = 0x8000_0000;
    out.put(b"\xfftOc\0\0\0\x02")?;
    for first in 0..=255_u8 {
        let upto = placed.partition_point(|placed| placed.id.first_byte() <= first);
        out.put(&u32::try_from(upto).map_err(io::Error::other)?.to_be_bytes())?;
    }
    for placed in placed {
        out.put(placed.id.as_slice())?;
    }
    for placed in placed {
        out.put(&placed.crc.to_be_bytes())?;
    }
    let mut large = Vec::new();
    for placed in placed {
        let short = if placed.offset < LARGE {
            placed.offset
        } else {
            large.push(placed.offset);
            LARGE | (large.len() - 1) as u64
        };
        out.put(&u32::try_from(short).map_err(io::Error::other)?.to_be_bytes())?;
    }
    for offset in large {
        out.put(&offset.to_be_bytes())?;
    }
    out.put(pack.as_slice())
}

/// A file that is hashed while it is written and ends with the hash.
struct Hashed {
    file: BufWriter<File>,
    hasher: gix::hash::Hasher,
    written: u64,
}

impl Hashed {
    fn new(file: BufWriter<File>) -> Self {
        Self { file, hasher: gix::hash::hasher(gix::hash::Kind::Sha1), written: 0 }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    fn finish(mut self) -> io::Result<(BufWriter<File>, ObjectId)> {
        let checksum = self.hasher.try_finalize().map_err(|error| io::Error::other(error.to_string()))?;
        self.file.write_all(checksum.as_slice())?;
        Ok((self.file, checksum))
    }
}

/// CRC-32 as in zlib.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut value = byte as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[byte] = value;
            byte += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc, byte| TABLE[usize::from((crc as u8) ^ byte)] ^ (crc >> 8))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_sum_is_the_one_of_zlib() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(super::crc32(b""), 0);
    }
}
