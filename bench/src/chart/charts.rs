//! Which charts the rows give.

use super::bars::{Bar, Bars, Panel};
use super::lines::{Curve, Curves, Lines};
use crate::row::Row;
use crate::scale::SERIES;
use crate::workload::{Figure, WORKLOADS, Work, Workload};

/// Every chart by the name of its file.
///
/// # Errors
/// What the backend says.
pub fn all(results: &[Row], scale: &[Row]) -> Result<Vec<(String, String)>, String> {
    let mut charts = Vec::new();
    for workload in WORKLOADS {
        let bars = bars(workload, results);
        if bars.panels.iter().any(|panel| !panel.bars.is_empty()) {
            charts.push((file_name(workload.name), bars.draw()?));
        }
    }
    for series in SERIES {
        let rows: Vec<&Row> = scale
            .iter()
            .filter(|row| row.series.as_deref() == Some(series.name) && row.rounds > 0)
            .collect();
        let panels = series.panels.iter().map(|(label, figure)| curves(label, &rows, *figure));
        let panels: Vec<Curves> =
            panels.filter(|panel| panel.curves.iter().any(has_line)).collect();
        if !panels.is_empty() {
            let (title, axis) = (series.title.to_owned(), series.axis.to_owned());
            charts.push((file_name(series.name), Lines { title, axis, panels }.draw()?));
        }
    }
    Ok(charts)
}

/// The file of a workload's or a series' chart.
pub fn file_name(name: &str) -> String {
    format!("{}.svg", name.to_ascii_lowercase())
}

fn bars(workload: &Workload, rows: &[Row]) -> Bars {
    let rows: Vec<&Row> =
        rows.iter().filter(|row| row.name == workload.name && row.rounds > 0).collect();
    let mut places: Vec<&str> = rows.iter().map(|row| row.fs.as_str()).collect();
    places.dedup();
    let (unit, more) = unit(workload);
    let panels = places.into_iter().map(|fs| {
        let here = rows.iter().filter(|row| row.fs == fs && row.apart.is_none());
        let (floors, others): (Vec<&Row>, Vec<&Row>) =
            here.copied().partition(|row| row.system == "floor");
        let mut bars: Vec<Bar> = others
            .into_iter()
            .filter_map(|row| {
                Some(Bar { system: row.system.clone(), value: value(workload, row)? })
            })
            .collect();
        bars.sort_by(|one, other| match more {
            true => other.value.total_cmp(&one.value),
            false => one.value.total_cmp(&other.value),
        });
        bars.retain(|bar| !bar.system.starts_with("floor"));
        let floor = floors.first().and_then(|row| value(workload, row));
        Panel { label: fs.to_owned(), floor: floor.filter(|value| *value > 0.0), bars, more }
    });
    let better = if more { "longer is better" } else { "shorter is better" };
    Bars {
        title: format!("{}  {}", workload.id, workload.title),
        unit: format!("{unit}, {better}"),
        panels: panels.collect(),
    }
}

/// The unit of a workload's bars, and whether more is better.
fn unit(workload: &Workload) -> (&'static str, bool) {
    match (workload.figure, workload.work) {
        (Figure::Rate, _) => ("records per second", true),
        (Figure::Latency, Work::OpenClosed | Work::OpenKilled) => ("milliseconds", false),
        (Figure::Latency, _) => ("median microseconds", false),
        (Figure::Memory, Work::Idle) => ("KiB of memory for each log", false),
        (Figure::Memory, _) => ("MiB of memory at the peak", false),
        (Figure::Disk, _) => ("bytes on disk over the payload, for each record", false),
    }
}

fn value(workload: &Workload, row: &Row) -> Option<f64> {
    match (workload.figure, workload.work) {
        (Figure::Rate, _) => row.ops_per_s,
        (Figure::Latency, Work::OpenClosed | Work::OpenKilled) => row.p50_us.map(|us| us / 1000.0),
        (Figure::Latency, _) => row.p50_us,
        (Figure::Memory, Work::Idle) => {
            row.rss_bytes.map(|bytes| bytes as f64 / 1024.0 / row.threads as f64)
        }
        (Figure::Memory, _) => row.rss_bytes.map(|bytes| bytes as f64 / (1 << 20) as f64),
        (Figure::Disk, _) => {
            row.disk_bytes_per_record.map(|bytes| (bytes - row.size as f64).max(0.0))
        }
    }
}

fn curves(label: &str, rows: &[&Row], figure: fn(&Row) -> Option<f64>) -> Curves {
    let mut curves: Vec<Curve> = Vec::new();
    for row in rows.iter().filter(|row| row.apart.is_none()) {
        let (Some(x), Some(y)) = (row.x, figure(row)) else { continue };
        if y <= 0.0 {
            continue;
        }
        // A logarithmic axis has no zero: none is drawn where a half would be.
        let point = (x.max(0.5), y);
        match curves.iter_mut().find(|curve| curve.system == row.system) {
            Some(curve) => curve.points.push(point),
            None => curves.push(Curve { system: row.system.clone(), points: vec![point] }),
        }
    }
    Curves { label: label.to_owned(), curves }
}

fn has_line(curve: &Curve) -> bool {
    curve.points.len() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_bar_comes_first_and_the_floor_is_none() {
        let row = |system: &str, p50_us| Row {
            name: "P1".into(),
            system: system.into(),
            p50_us: Some(p50_us),
            rounds: 5,
            ..Row::default()
        };
        let rows = [row("peer", 300.0), row("floor", 100.0), row("libwal", 110.0)];
        let bars = bars(&WORKLOADS[0], &rows);
        assert_eq!(bars.panels[0].floor, Some(100.0));
        let systems: Vec<&str> =
            bars.panels[0].bars.iter().map(|bar| bar.system.as_str()).collect();
        assert_eq!(systems, ["libwal", "peer"]);
    }

    #[test]
    fn rows_without_figures_give_no_chart() {
        let row = Row { name: "P1".into(), note: Some("cannot".into()), ..Row::default() };
        assert_eq!(all(&[row], &[]), Ok(vec![]));
    }
}
