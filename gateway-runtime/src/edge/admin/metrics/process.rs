//! Metrics of the process, under the names that all Prometheus clients use. Linux
//! only, with the feature `process-metrics`.

use crate::edge::admin::metrics::Exposition;

/// Writes nothing.
#[cfg(not(all(target_os = "linux", feature = "process-metrics")))]
pub(super) fn write(_: &mut Exposition) {}

/// Writes the metrics of the process, as far as the kernel reports them.
#[cfg(all(target_os = "linux", feature = "process-metrics"))]
pub(super) fn write(text: &mut Exposition) {
    // A sandbox may hide /proc; the other metrics do not depend on these.
    let _ = crate::edge::admin::metrics::process::linux::write(text);
}

#[cfg(all(target_os = "linux", feature = "process-metrics"))]
mod linux {
    use procfs::{ProcResult, WithCurrentSystemInfo as _, process::Process};

    use super::Exposition;
    use crate::edge::admin::metrics::{MetricKind, exposition::seconds};

    pub(super) fn write(text: &mut Exposition) -> ProcResult<()> {
        let process = Process::myself()?;
        let stat = process.stat()?;
        let micros = (stat.utime + stat.stime) * 1_000_000 / procfs::ticks_per_second();
        let help = "CPU time of the process, user and system.";
        text.single("process_cpu_seconds_total", MetricKind::Counter, help, seconds(micros));
        let resident = stat.rss_bytes().get();
        text.single(
            "process_resident_memory_bytes",
            MetricKind::Gauge,
            "Resident memory.",
            resident,
        );
        text.single(
            "process_virtual_memory_bytes",
            MetricKind::Gauge,
            "Virtual memory.",
            stat.vsize,
        );
        text.single("process_threads", MetricKind::Gauge, "Threads.", stat.num_threads);
        text.single(
            "process_open_fds",
            MetricKind::Gauge,
            "Open file descriptors.",
            process.fd_count()?,
        );
        if let procfs::process::LimitValue::Value(limit) =
            process.limits()?.max_open_files.soft_limit
        {
            text.single(
                "process_max_fds",
                MetricKind::Gauge,
                "Maximum number of open file descriptors.",
                limit,
            );
        }
        let boot = procfs::boot_time_secs()?;
        let begun = boot * 1_000_000 + stat.starttime * 1_000_000 / procfs::ticks_per_second();
        let help = "Start of the process, in seconds since 1970.";
        text.single("process_start_time_seconds", MetricKind::Gauge, help, seconds(begun));
        Ok(())
    }
}
