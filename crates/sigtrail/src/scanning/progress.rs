//! How far a scan is, on a terminal.

use std::io::IsTerminal;

use indicatif::{BinaryBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use scan::Progress;

/// A line on stderr that is written anew.
pub struct Bar {
    files: ProgressBar,
    bytes: ProgressBar,
}

impl Bar {
    /// For so many files; it is not seen where stderr is no terminal.
    pub fn new(files: usize, wanted: bool) -> Self {
        let seen = wanted && std::io::stderr().is_terminal();
        let target = if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(files as u64), target);
        let template = "{wide_bar} {human_pos}/{human_len} files, {per_sec}, {prefix}, {eta} left";
        // A template that is part of the program is one.
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { files: bar, bytes: ProgressBar::hidden() }
    }

    /// Something was done.
    pub fn add(&self, progress: Progress) {
        self.bytes.inc(progress.bytes);
        if !self.files.is_hidden() {
            let elapsed_ms = u64::try_from(self.files.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
            let rate = BinaryBytes(self.bytes.position().saturating_mul(1000) / elapsed_ms);
            self.files.set_prefix(format!("{rate}/s"));
        }
        self.files.inc(progress.files);
    }

    /// The line goes.
    pub fn end(&self) {
        self.files.finish_and_clear();
    }
}
