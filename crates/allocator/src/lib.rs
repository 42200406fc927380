//! The allocator of our binaries.
//!
//! A fifth of the server's processor time was the system allocator's, for many small pieces that pass between threads.
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: allocator::Allocator = allocator::ALLOCATOR;
//!
//! fn main() {
//!     allocator::keep_memory();
//! }
//! ```

pub use mimalloc::MiMalloc as Allocator;

/// To be the `#[global_allocator]`.
pub const ALLOCATOR: Allocator = Allocator;

/// `mi_option_purge_delay` of `mimalloc.h`, which the binding has no name for.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// What has been free for so long goes back to the system, in milliseconds.
const KEPT_MS: std::ffi::c_long = 60_000;

/// Keeps memory that was freed for a minute, for the next use.
///
/// By default it goes back after a second. The engine's buffers of tens of megabytes come and go every few seconds, and each
/// time the system would have to clear their pages anew: that was a sixteenth of the processor time.
pub fn keep_memory() {
    #[allow(unsafe_code, reason = "a call into C that stores a number; any number is a valid delay")]
    // SAFETY: the function takes its arguments by value, checks the option's number, and may be called at any time.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, KEPT_MS);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_option_is_the_one_that_is_meant() {
        super::keep_memory();
        #[allow(unsafe_code, reason = "a call into C that reads a number")]
        // SAFETY: as above.
        let kept = unsafe { libmimalloc_sys::mi_option_get(super::PURGE_DELAY) };
        assert_eq!(kept, super::KEPT_MS);
    }
}
