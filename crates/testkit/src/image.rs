//! Images of a disk after a crash, made of what a process left and of what it had synced.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use crate::Random;
use crate::dropsync::synced_content;

/// What a disk writes whole or not at all.
const PAGE_BYTES: usize = 4096;
const COPY_BYTES: usize = 256 * 1024;

/// Copies a directory tree. Zeros become holes: the engine's journals are long before they are full.
pub fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() { copy_tree(&entry.path(), &to)? } else { copy_file(&entry.path(), &to)? }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let (mut from, to) = (File::open(from)?, File::create(to)?);
    let mut buffer = vec![0; COPY_BYTES];
    let mut at = 0;
    loop {
        let len = from.read(&mut buffer)?;
        if len == 0 {
            return to.set_len(at);
        }
        if buffer[..len].iter().any(|byte| *byte != 0) {
            to.write_all_at(&buffer[..len], at)?;
        }
        at += len as u64;
    }
}

/// An image in which the disk had written some of what was not synced: of each directory the old names or the new ones, of
/// each file any of the pages, in no order.
///
/// `real` and `shadow` are those of [`DropSync::watch`](crate::DropSync::watch), after the process was killed.
pub fn torn(real: &Path, shadow: &Path, image: &Path, random: &mut Random) -> io::Result<()> {
    torn_dir(Some(real), Some(shadow), shadow, image, random)
}

fn torn_dir(
    real: Option<&Path>,
    old: Option<&Path>,
    shadow: &Path,
    image: &Path,
    random: &mut Random,
) -> io::Result<()> {
    fs::create_dir(image)?;
    let take_new = old.is_none() || (real.is_some() && random.coin());
    let side = if take_new { real } else { old };
    for name in names(side)? {
        let child = |dir: Option<&Path>| dir.map(|dir| dir.join(&name)).filter(|path| path.exists());
        let (new, old, image) = (child(real), child(old), image.join(&name));
        let chosen = if take_new { &new } else { &old };
        // Gone since its name was read: nothing removes names after a kill, so this is a fault of the test.
        let chosen = chosen.as_ref().ok_or_else(|| io::Error::other("a name without a file"))?;
        if chosen.is_dir() {
            let dir = |path: Option<std::path::PathBuf>| path.filter(|path| path.is_dir());
            torn_dir(dir(new).as_deref(), dir(old).as_deref(), shadow, &image, random)?;
        } else if take_new {
            torn_file(chosen, &synced_content(shadow, chosen.metadata()?.ino()), &image, random)?;
        } else {
            let same = new.as_deref().filter(|new| is_same_file(new, chosen, shadow));
            match same {
                Some(new) => torn_file(new, chosen, &image, random)?,
                None => copy_file(chosen, &image)?,
            }
        }
    }
    Ok(())
}

fn names(dir: Option<&Path>) -> io::Result<BTreeSet<OsString>> {
    let Some(dir) = dir else { return Ok(BTreeSet::new()) };
    fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name())).collect()
}

/// Whether the old name means the same file as the new one: the shim links a file's name to its synced content.
fn is_same_file(real: &Path, old: &Path, shadow: &Path) -> bool {
    let inode = |path: &Path| path.metadata().ok().map(|metadata| metadata.ino());
    let content = inode(real).and_then(|number| inode(&synced_content(shadow, number)));
    content.is_some() && content == inode(old)
}

/// A file of which some unsynced pages were written. `synced` may not be there: then nothing of it was.
fn torn_file(real: &Path, synced: &Path, image: &Path, random: &mut Random) -> io::Result<()> {
    if synced.exists() {
        copy_file(synced, image)?;
    } else {
        File::create(image)?;
    }
    let (new, old) = (File::open(real)?, File::options().read(true).write(true).open(image)?);
    let (new_len, old_len) = (new.metadata()?.len(), old.metadata()?.len());
    if random.coin() {
        old.set_len(new_len)?;
    }
    // One file in four as a prefix, the others as any pages.
    let mut prefix = (random.below(4) == 0).then(|| random.below(64));
    let len = if random.coin() { new_len } else { new_len.min(old_len) };
    let (mut new_page, mut old_page) = (vec![0; PAGE_BYTES], vec![0; PAGE_BYTES]);
    let mut at = 0;
    while at < len {
        let count = usize::try_from(len - at).unwrap_or(PAGE_BYTES).min(PAGE_BYTES);
        read_page(&new, &mut new_page[..count], at)?;
        read_page(&old, &mut old_page[..count], at)?;
        if new_page[..count] != old_page[..count] && choose(&mut prefix, random) {
            old.write_all_at(&new_page[..count], at)?;
        }
        at += count as u64;
    }
    Ok(())
}

fn choose(prefix: &mut Option<u64>, random: &mut Random) -> bool {
    match prefix {
        None => random.coin(),
        Some(0) => false,
        Some(left) => {
            *left -= 1;
            true
        }
    }
}

/// Fills the buffer; what is past the end of the file reads as zeros.
fn read_page(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    buffer.fill(0);
    let mut filled = 0;
    while filled < buffer.len() {
        let len = file.read_at(&mut buffer[filled..], at + filled as u64)?;
        if len == 0 {
            return Ok(());
        }
        filled += len;
    }
    Ok(())
}
