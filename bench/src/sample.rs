//! What one measurement gives.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::log::Failure;
use crate::window::Span;

/// How a measurement ended. There are a few dozen at a time, so their size is of no matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It gave figures.
    Measured(Sample),
    /// The system cannot do this.
    Unsupported(String),
    /// The system failed, died or hung.
    Failed(String),
}

/// The figures of one measurement; what the work does not give is absent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sample {
    /// Operations in the measured time: records, or openings.
    pub ops: u64,
    /// Payload bytes in the measured time.
    pub bytes: u64,
    /// The measured time.
    pub seconds: f64,
    /// When it began and ended, in seconds since 1970: to find its calls in a trace.
    pub began: f64,
    /// See `began`.
    pub ended: f64,
    /// Processor time of the process in the measured time, in microseconds.
    pub cpu_us: f64,
    /// Half of the operations were not slower, in microseconds.
    pub p50_us: Option<f64>,
    /// 99 of 100 operations were not slower.
    pub p99_us: Option<f64>,
    /// 999 of 1000 operations were not slower.
    pub p999_us: Option<f64>,
    /// The slowest operation.
    pub max_us: Option<f64>,
    /// Data syncs in the measured time.
    pub syncs: Option<u64>,
    /// Transactions the journal of the file system committed in the measured time.
    pub journal_commits: Option<u64>,
    /// Records all followers together were given in a second, where there are followers.
    #[serde(default)]
    pub followed_per_s: Option<f64>,
    /// Bytes the closed log takes on disk.
    pub disk_bytes: Option<u64>,
    /// Resident memory that came with the work.
    pub rss_bytes: Option<u64>,
    /// The same up to the half of the work.
    pub rss_half_bytes: Option<u64>,
    /// Threads of the process that came with the work.
    pub os_threads: Option<u64>,
    /// Descriptors of the process that came with the work.
    pub descriptors: Option<u64>,
}

impl Sample {
    /// The figures of a measured span.
    pub fn of(span: &Span, ops: u64, bytes: u64) -> Sample {
        Sample {
            ops,
            bytes,
            seconds: span.seconds,
            began: span.began,
            ended: span.ended,
            cpu_us: span.cpu_us,
            syncs: span.syncs,
            journal_commits: span.journal_commits,
            ..Sample::default()
        }
    }

    /// The same with latencies, given in nanoseconds.
    pub fn with_latencies(mut self, latencies: &Histogram<u64>) -> Sample {
        if !latencies.is_empty() {
            let at = |quantile| Some(latencies.value_at_quantile(quantile) as f64 / 1000.0);
            self.p50_us = at(0.5);
            self.p99_us = at(0.99);
            self.p999_us = at(0.999);
            self.max_us = Some(latencies.max() as f64 / 1000.0);
        }
        self
    }
}

impl From<Result<Sample, Failure>> for Outcome {
    fn from(result: Result<Sample, Failure>) -> Outcome {
        match result {
            Ok(sample) if sample.ops == 0 => {
                Outcome::Failed("no operation ended in the measured time".to_owned())
            }
            Ok(sample) => Outcome::Measured(sample),
            Err(Failure::Unsupported(why)) => Outcome::Unsupported(why.to_owned()),
            Err(Failure::Failed(text)) => Outcome::Failed(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_values() {
        let mut latencies = Histogram::new(3).unwrap();
        for microseconds in 1..=1000u64 {
            latencies.record(microseconds * 1000).unwrap();
        }
        let sample = Sample::default().with_latencies(&latencies);
        let near = |found: Option<f64>, wanted: f64| (found.unwrap() / wanted - 1.0).abs() < 0.002;
        assert!(near(sample.p50_us, 500.0) && near(sample.p99_us, 990.0), "{sample:?}");
        assert!(near(sample.p999_us, 999.0) && near(sample.max_us, 1000.0), "{sample:?}");
    }

    #[test]
    fn no_latencies_are_no_figures() {
        let sample = Sample::default().with_latencies(&Histogram::new(3).unwrap());
        assert_eq!((sample.p50_us, sample.max_us), (None, None));
    }

    #[test]
    fn a_measurement_without_an_operation_failed() {
        assert!(matches!(Outcome::from(Ok(Sample::default())), Outcome::Failed(_)));
    }
}
