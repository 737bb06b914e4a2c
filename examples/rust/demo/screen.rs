//! What is seen while it runs: a bar on a terminal, a line per kill elsewhere.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how many lines are acknowledged.
pub struct Screen {
    bar: Option<ProgressBar>,
}

impl Screen {
    /// For this many lines.
    pub fn new(lines: u64) -> Screen {
        if !stderr().is_terminal() {
            return Screen { bar: None };
        }
        let bar =
            ProgressBar::with_draw_target(Some(lines), ProgressDrawTarget::stderr_with_hz(15));
        let style = ProgressStyle::with_template(TEMPLATE)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        bar.set_style(style);
        Screen { bar: Some(bar) }
    }

    /// So many lines are acknowledged now.
    pub fn set(&self, lines: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(lines);
        }
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => println!("{line}"),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

const TEMPLATE: &str = "[{bar:40}] {percent}% {human_pos}/{human_len} lines acknowledged {elapsed}";
