//! A progress bar on stderr, and only where a person looks at it.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Bytes done of bytes in all.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for this many bytes; without a total it counts and shows the rate.
    pub fn bytes(doing: &'static str, total: Option<u64>) -> Progress {
        if !stderr().is_terminal() {
            return Progress { bar: ProgressBar::hidden() };
        }
        let template = if total.is_some() { WITH_TOTAL } else { WITHOUT_TOTAL };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(10));
        bar.set_style(style.tick_chars(r"-\|/ "));
        bar.set_message(doing);
        Progress { bar }
    }

    /// So much is done now, of so much.
    pub fn set(&self, done: u64, total: u64) {
        if self.bar.length() != Some(total) {
            self.bar.set_length(total);
        }
        self.bar.set_position(done);
    }

    /// So much more is done.
    pub fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Takes the bar away, so that what is printed next starts on a clean line.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

const WITH_TOTAL: &str =
    "{msg} [{bar:40}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
const WITHOUT_TOTAL: &str = "{msg} {spinner} {binary_bytes} {binary_bytes_per_sec}";
