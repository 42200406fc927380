//! What is known of the terminal that stdout is, if it is one.

use std::io::{IsTerminal, stdout};

use rustix::{process, termios};

/// Of terminals that do not tell.
const SIZE_DEFAULT: Size = Size { columns: 80, rows: 24 };

/// In characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

/// The size, if stdout is a terminal.
pub fn size() -> Option<Size> {
    if !stdout().is_terminal() {
        return None;
    }
    let told = termios::tcgetwinsize(stdout()).ok().filter(|told| told.ws_col > 0 && told.ws_row > 0);
    Some(told.map_or(SIZE_DEFAULT, |told| Size { columns: told.ws_col.into(), rows: told.ws_row.into() }))
}

/// Is it ours to draw on? Not while a shell has sent us to the background.
pub fn in_foreground() -> bool {
    termios::tcgetpgrp(stdout()).map_or(true, |group| group == process::getpgrp())
}
