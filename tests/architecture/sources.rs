//! The sources of the crate.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A source file.
pub(crate) struct Source {
    /// The path of its module below the crate: `cache`, `entry`.
    pub(crate) module: Vec<String>,
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reads every source file.
pub(crate) fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut paths = Vec::new();
    walk(&src, &mut paths);
    assert!(paths.len() > 10, "these are not the sources");
    paths.sort();
    paths.into_iter().map(|path| read(&src, path)).collect()
}

fn read(src: &Path, path: PathBuf) -> Source {
    let below = path.strip_prefix(src).unwrap().with_extension("");
    let mut module: Vec<String> =
        below.components().map(|name| name.as_os_str().to_str().unwrap().to_owned()).collect();
    module.pop_if(|last| last == "mod" || last == "lib");
    Source { module, text: fs::read_to_string(&path).unwrap(), path }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}
