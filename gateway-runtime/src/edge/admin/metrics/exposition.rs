//! The text formats that Prometheus reads: its own (version 0.0.4) and OpenMetrics (1.0.0).
//!
//! The two differ little: OpenMetrics names a counter without the suffix `_total` in its `HELP` and
//! `TYPE` lines, and ends with `# EOF`.

use std::fmt::{Display, Write as _};

use http::{HeaderMap, header};

use crate::base::histogram::{BOUNDS, Histogram};

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edge::admin) enum Format {
    /// The format of Prometheus, which every reader understands.
    Prometheus,
    /// OpenMetrics.
    OpenMetrics,
}

impl Format {
    /// Returns OpenMetrics if `Accept` names it and does not prefer plain text; otherwise the
    /// format of Prometheus.
    pub(in crate::edge::admin) fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter();
        let ranges =
            values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let (mut open, mut plain) = (0.0, 0.0);
        for range in ranges {
            let mut parts = range.split(';').map(str::trim);
            let quality = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/openmetrics-text" => &mut open,
                "text/plain" => &mut plain,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight = weight.map_or(1.0, |weight| weight.parse::<f32>().unwrap_or(0.0));
            *quality = weight.max(*quality);
        }
        if open > 0.0 && open >= plain { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// Returns the media type.
    pub(in crate::edge::admin) fn media_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricKind {
    /// A number that only grows. The name of the metric ends in `_total`.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// Counts by upper bounds, with their sum.
    Histogram,
}

/// A text being written, one metric after the other.
#[derive(Debug)]
pub(super) struct Exposition {
    text: String,
    format: Format,
}

impl Exposition {
    /// Creates an empty text.
    pub(super) fn new(format: Format) -> Self {
        Self { text: String::with_capacity(16 * 1024), format }
    }

    /// Begins a metric; its samples follow.
    pub(super) fn metric(&mut self, name: &str, kind: MetricKind, help: &str) {
        let (kind, is_counter) = match kind {
            MetricKind::Counter => ("counter", true),
            MetricKind::Gauge => ("gauge", false),
            MetricKind::Histogram => ("histogram", false),
        };
        let name = match self.format {
            Format::OpenMetrics if is_counter => name.strip_suffix("_total").unwrap_or(name),
            _ => name,
        };
        // Writing to a string cannot fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// Writes a sample of the metric that was begun.
    pub(super) fn sample(&mut self, name: &str, labels: &Labels, value: impl Display) {
        let _ = writeln!(self.text, "{name}{{{}}} {value}", labels.0);
    }

    /// Writes a metric that has one sample and no labels.
    pub(super) fn single(&mut self, name: &str, kind: MetricKind, help: &str, value: impl Display) {
        self.metric(name, kind, help);
        let _ = writeln!(self.text, "{name} {value}");
    }

    /// Writes the samples of a histogram of durations.
    pub(super) fn histogram(&mut self, name: &str, labels: &Labels, histogram: &Histogram) {
        let bucket = format!("{name}_bucket");
        for (bound, count) in BOUNDS.iter().zip(&histogram.cumulative) {
            self.sample(&bucket, &labels.and("le", seconds(*bound)), count);
        }
        self.sample(&bucket, &labels.and("le", "+Inf"), histogram.count);
        self.sample(&format!("{name}_sum"), labels, seconds(histogram.sum_micros));
        self.sample(&format!("{name}_count"), labels, histogram.count);
    }

    /// Ends the text.
    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// The labels of a sample, escaped.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels(String);

impl Labels {
    /// Adds a label.
    pub(super) fn and(&self, name: &str, value: impl Display) -> Self {
        let mut labels = self.0.clone();
        if !labels.is_empty() {
            labels.push(',');
        }
        let value =
            value.to_string().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(labels, "{name}=\"{value}\"");
        Self(labels)
    }
}

/// Formats microseconds as seconds, exactly and without a float.
pub(super) fn seconds(micros: u64) -> String {
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let text = format!("{seconds}.{rest:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn seconds_are_exact() {
        for (micros, text) in [
            (0, "0"),
            (100, "0.0001"),
            (1_000_000, "1"),
            (10_000_000, "10"),
            (2_500_001, "2.500001"),
        ] {
            assert_eq!(seconds(micros), text);
        }
    }

    #[test]
    fn openmetrics_is_chosen_by_accept() {
        use Format::{OpenMetrics, Prometheus};
        for (accept, format) in [
            ("", Prometheus),
            ("*/*", Prometheus),
            ("text/plain", Prometheus),
            ("application/openmetrics-text", OpenMetrics),
            ("application/openmetrics-text; version=1.0.0; q=0", Prometheus),
            ("application/openmetrics-text;q=0.2, text/plain;q=0.7", Prometheus),
            // As Prometheus 2.x sends it.
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                OpenMetrics,
            ),
        ] {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(accept).unwrap())]);
            assert_eq!(Format::accepted(&headers), format, "{accept}");
        }
    }

    #[test]
    fn formats_differ_in_counters_and_at_the_end() {
        let text = |format| {
            let mut text = Exposition::new(format);
            text.metric("calls_total", MetricKind::Counter, "Calls.");
            text.sample("calls_total", &Labels::default().and("a", "x\"\\\n"), 1);
            text.finish()
        };
        let sample = "calls_total{a=\"x\\\"\\\\\\n\"} 1\n";
        let prometheus = format!("# HELP calls_total Calls.\n# TYPE calls_total counter\n{sample}");
        assert_eq!(text(Format::Prometheus), prometheus);
        let open = format!("# HELP calls Calls.\n# TYPE calls counter\n{sample}# EOF\n");
        assert_eq!(text(Format::OpenMetrics), open);
    }
}
