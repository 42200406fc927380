//! The shim: how it is built, and how a process is run over it. Its model stands at the top of `shim/dropsync.c`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The built library.
#[derive(Debug)]
pub struct DropSync {
    library: PathBuf,
}

impl DropSync {
    /// Builds the library in `dir` with `cc`, which is there wherever Rust links.
    ///
    /// Panics if that fails.
    pub fn build(dir: &Path) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/dropsync.c");
        let library = dir.join("libdropsync.so");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O2", "-pthread", "-Wall", "-Wextra", "-o"]).arg(&library).arg(&source);
        let output = cc.output().expect("`cc` is needed to build the shim");
        assert!(output.status.success(), "{}: {}", source.display(), String::from_utf8_lossy(&output.stderr));
        Self { library }
    }

    /// Lets the command run over the shim: `real` is the directory it uses, which must exist, `shadow` what a power cut would
    /// leave of it, which must not.
    pub fn watch(&self, command: &mut Command, real: &Path, shadow: &Path) {
        assert!(!shadow.exists(), "the shadow {} is from another run", shadow.display());
        command.env("LD_PRELOAD", &self.library).env("DROPSYNC_DIR", real).env("DROPSYNC_SHADOW", shadow);
    }
}

/// Where the shim keeps the synced content of the file with this inode number.
pub(crate) fn synced_content(shadow: &Path, inode: u64) -> PathBuf {
    let mut files = shadow.as_os_str().to_owned();
    files.push(".files");
    PathBuf::from(files).join(inode.to_string())
}
