//! Which files are read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::layout::Selection;

/// A file to read, or what could not be looked into.
#[derive(Debug)]
pub(crate) enum Entry {
    File(PathBuf),
    Failed(PathBuf, io::Error),
}

/// Folders within folders.
const DEPTH_MAX: usize = 100;

/// Every file under a path, in the order of their names; a path that is a file is itself. Folders that the selection leaves out
/// are not looked into, links are followed but not in circles.
pub(crate) fn files(root: &Path, selection: &Selection) -> Vec<Entry> {
    let mut found = Vec::new();
    match fs::metadata(root) {
        Ok(metadata) if metadata.is_dir() => {
            let mut above = Vec::new();
            visit(root, selection, &mut above, &mut found);
        }
        Ok(_) => found.push(Entry::File(root.to_owned())),
        Err(error) => found.push(Entry::Failed(root.to_owned(), error)),
    }
    found
}

fn visit(folder: &Path, selection: &Selection, above: &mut Vec<PathBuf>, found: &mut Vec<Entry>) {
    let inner = || -> io::Result<(PathBuf, Vec<(PathBuf, fs::FileType)>)> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            names.push((entry.path(), entry.file_type()?));
        }
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok((fs::canonicalize(folder)?, names))
    };
    let (canonical, names) = match inner() {
        Ok(inner) => inner,
        Err(error) => return found.push(Entry::Failed(folder.to_owned(), error)),
    };
    if above.contains(&canonical) || above.len() >= DEPTH_MAX {
        return found.push(Entry::Failed(folder.to_owned(), io::Error::other("a folder within itself")));
    }
    above.push(canonical);
    for (path, kind) in names {
        let kind = match kind.is_symlink().then(|| fs::metadata(&path)) {
            None => kind,
            Some(Ok(metadata)) => metadata.file_type(),
            Some(Err(error)) => {
                found.push(Entry::Failed(path, error));
                continue;
            }
        };
        let text = path.to_string_lossy();
        if kind.is_dir() {
            if selection.may_hold(&text) {
                visit(&path, selection, above, found);
            }
        } else if selection.takes(&text) {
            // A pipe that somebody left there would be waited for.
            found.push(if kind.is_file() {
                Entry::File(path)
            } else {
                Entry::Failed(path, io::Error::other("it is no file"))
            });
        }
    }
    above.pop();
}
