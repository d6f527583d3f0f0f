//! Whose file it is, and where.

use alloc::{format, string::ToString, vec, vec::Vec};
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use crate::store::StoreError;

/// The name of the table, which stands in every file of ours.
pub(super) const NAME: &str = "mta-sts policies";

/// What every file of redb begins with.
const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";

pub(super) fn error(path: &Path, error: &impl ToString) -> StoreError {
    StoreError::new(format!("{}: {}", path.display(), error.to_string()))
}

/// Follows symbolic links, so that what they lead to is what is renamed. A file that is not there yet
/// stays where it is named.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, StoreError> {
    match fs::canonicalize(path) {
        Ok(resolved) => Ok(resolved),
        Err(why) if why.kind() == ErrorKind::NotFound => {
            // A link to a file that is not there yet.
            let target = fs::read_link(path).ok();
            let folder = path.parent().unwrap_or(Path::new(""));
            Ok(target.map_or_else(|| path.to_path_buf(), |target| folder.join(target)))
        }
        Err(why) => Err(error(path, &why)),
    }
}

/// Makes sure that a file is new, or looks like one of ours, be it damaged.
pub(super) fn check_is_ours(path: &Path) -> Result<(), StoreError> {
    match looks_like_ours(path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(error(path, &"it is not a file of policies, and is left as it is")),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(()),
        Err(why) => Err(error(path, &why)),
    }
}

/// It begins as redb's files do, or as much of it as there is; or, if its head is damaged, the name
/// of our table stands in it.
fn looks_like_ours(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    if MAGIC.starts_with(&head) { Ok(true) } else { search(path) }
}

/// Whether the name of our table stands in a file.
pub(super) fn names_us(path: &Path) -> bool {
    search(path).unwrap_or(false)
}

fn search(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut chunk = vec![0; 1 << 16];
    let mut window: Vec<u8> = Vec::new();
    loop {
        let len = match file.read(&mut chunk) {
            Err(why) if why.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        let read = chunk.get(..len).unwrap_or_default();
        if len == 0 {
            return Ok(false);
        }
        window.extend_from_slice(read);
        if window.windows(NAME.len()).any(|it| it == NAME.as_bytes()) {
            return Ok(true);
        }
        let rest = window.len().saturating_sub(NAME.len());
        window.drain(..rest);
    }
}

/// Gives the file another name, which no other has.
pub(super) fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let free = (1..).map(|n: u32| {
        let mut name = OsString::from(path);
        name.push(format!(".damaged-{n}"));
        PathBuf::from(name)
    });
    let aside = free.into_iter().find(|it| it.symlink_metadata().is_err());
    let aside = aside.ok_or_else(|| error(path, &"no name is left for a damaged file"))?;
    fs::rename(path, &aside).map_err(|why| error(path, &why))?;
    Ok(aside)
}
