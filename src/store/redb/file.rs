//! The file in the file system: its path, and whether it belongs to this crate.

use alloc::{format, vec, vec::Vec};
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read as _, Seek as _},
    path::{Path, PathBuf},
};

use super::tables::{MARK, NAME, ROW};

/// The first bytes of a redb file.
const MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";

/// The length of the head. Until something is saved, all bytes after it are zero.
const HEAD: usize = 4096;

const CHUNK: usize = 64 * 1024;

/// The maximum number of bytes that are searched for a sign of this crate.
const FAR_ENOUGH: u64 = 256 * 1024 * 1024;

/// A size above that of a database in which nothing has been saved.
const SMALL: u64 = 8 * 1024 * 1024;

/// The maximum number of symbolic links that are followed, as in Linux.
const LINKS: usize = 40;

/// The nature of a file, before it is opened as a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// The file is empty, or recognisably of this crate, damaged or not.
    Usable,
    /// The file is the remnant of a database that was truncated before its tables, or whose
    /// creation was interrupted.
    Remnant,
    /// The file is a database without a sign of its owner, so small that its creation may have been
    /// interrupted.
    Unsigned,
    InUse,
    Foreign,
}

/// Follows symbolic links, including those to a file that does not exist yet.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let name = path.file_name().ok_or_else(|| io::Error::from(ErrorKind::IsADirectory))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok(fs::canonicalize(parent.unwrap_or(Path::new(".")))?.join(name))
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    refuse_irregular(path)?;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

pub(super) fn open_for_reading(path: &Path) -> io::Result<File> {
    refuse_irregular(path)?;
    File::open(path)
}

/// Returns an error for a file that is not a regular one: opening a pipe blocks until its other end
/// is open.
fn refuse_irregular(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => Err(io::Error::other("not a regular file")),
        _ => Ok(()),
    }
}

/// Determines the nature of a file. Nothing is written.
pub(super) fn nature(file: &File) -> io::Result<Nature> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(Nature::InUse),
        // Without support for locks, redb returns an error.
        Err(TryLockError::Error(_)) => return look_at(file),
        Ok(()) => {}
    }
    let nature = look_at(file);
    file.unlock()?;
    nature
}

/// Determines the nature of a file, whether it is in use or not.
pub(super) fn look_at(mut file: &File) -> io::Result<Nature> {
    file.rewind()?;
    let signs = Signs::of(file.take(FAR_ENOUGH))?;
    Ok(signs.nature(file.metadata()?.len()))
}

/// The signs of its nature in the bytes of a file.
#[derive(Debug, Default)]
struct Signs {
    head: Vec<u8>,
    is_zero_after_head: bool,
    has_mark: bool,
    has_table: bool,
}

impl Signs {
    fn of(mut bytes: impl io::Read) -> io::Result<Self> {
        let mut signs = Self { is_zero_after_head: true, ..Self::default() };
        let (mut window, mut chunk) = (Vec::new(), vec![0; CHUNK]);
        loop {
            let len = bytes.read(&mut chunk)?;
            let Some(read) = chunk.get(..len).filter(|read| !read.is_empty()) else { break };
            signs.take(read, &mut window);
            if signs.has_mark || (signs.has_table && signs.magic() == MAGIC.len()) {
                break;
            }
        }
        Ok(signs)
    }

    fn take(&mut self, read: &[u8], window: &mut Vec<u8>) {
        let to_head = HEAD.saturating_sub(self.head.len()).min(read.len());
        let (head, rest) = read.split_at_checked(to_head).unwrap_or((read, &[]));
        self.head.extend_from_slice(head);
        self.is_zero_after_head &= rest.iter().all(|byte| *byte == 0);
        // A sign may span two reads.
        window.extend_from_slice(read);
        let has = |sign: &[u8]| window.windows(sign.len()).any(|bytes| bytes == sign);
        self.has_mark |= has(MARK);
        self.has_table |= has(NAME.as_bytes()) || has(ROW);
        let longest = MARK.len().max(NAME.len()).max(ROW.len());
        window.drain(..window.len().saturating_sub(longest));
    }

    /// Returns the number of bytes of redb's magic at the start of the file.
    fn magic(&self) -> usize {
        self.head.iter().zip(MAGIC).filter(|(found, wanted)| *found == wanted).count()
    }

    /// Returns the length of the file according to its head. redb never writes a head before it has
    /// allocated the space.
    fn len(&self) -> Option<u64> {
        let number = |at: usize| {
            let bytes = self.head.get(at..at.checked_add(4)?)?;
            Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?)))
        };
        let (page, region_head, full) = (number(12)?, number(16)?, number(20)?);
        let (regions, last) = (number(24)?, number(28)?);
        let last = if last == 0 { 0 } else { region_head.saturating_add(last) };
        let pages = region_head.saturating_add(full).saturating_mul(regions);
        Some(pages.saturating_add(last).saturating_add(1).saturating_mul(page))
    }

    fn nature(&self, len: u64) -> Nature {
        // No text contains the mark. Text about this crate and other databases may contain the
        // other signs, which count only with redb's magic.
        let start = self.head.get(..MAGIC.len()).unwrap_or(&self.head);
        let is_zero = start.iter().all(|byte| *byte == 0);
        // A short text may begin with a part of redb's magic.
        let is_redb = is_zero
            || MAGIC.starts_with(start)
            || (start.len() == MAGIC.len() && self.magic() > MAGIC.len() / 2);
        match () {
            () if self.head.is_empty() || self.has_mark => Nature::Usable,
            () if is_redb && self.has_table => Nature::Usable,
            // redb writes its magic last.
            () if is_redb && self.is_zero_after_head && is_zero => Nature::Remnant,
            () if is_redb && self.len().is_none_or(|whole| len < whole) => Nature::Remnant,
            () if is_redb && len <= SMALL => Nature::Unsigned,
            () => Nature::Foreign,
        }
    }
}

/// Returns all bytes of a small file.
pub(super) fn bytes(mut file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(SMALL).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Renames the file to an unused name, and returns that name.
pub(super) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let names = (1..=u16::MAX).map(|n| {
        let mut name = OsString::from(path);
        name.push(format!(".damaged-{n}"));
        PathBuf::from(name)
    });
    let is_free = |aside: &PathBuf| fs::symlink_metadata(aside).is_err();
    let aside = names.into_iter().find(is_free);
    let aside = aside.ok_or_else(|| io::Error::other("no name is left for a damaged file"))?;
    fs::rename(path, &aside)?;
    Ok(aside)
}
