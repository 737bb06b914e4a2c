//! How a figure grows: a line for each system, both axes logarithmic.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::palette::{self, FLOOR, GRID, INK, OURS, PALE_INK, PAPER, PEERS};
use crate::table::figure;

/// A chart of lines, in one panel for each figure.
pub struct Lines {
    /// What it shows.
    pub title: String,
    /// What grows.
    pub axis: String,
    /// One for each figure.
    pub panels: Vec<Curves>,
}

/// The lines of one figure.
pub struct Curves {
    /// The figure, with its unit.
    pub label: String,
    /// A line for each system.
    pub curves: Vec<Curve>,
}

/// The line of one system.
pub struct Curve {
    /// Its name.
    pub system: String,
    /// Where it goes, from left to right.
    pub points: Vec<(f64, f64)>,
}

impl Lines {
    /// Draws the chart.
    ///
    /// # Errors
    /// What the backend says.
    pub fn draw(&self) -> Result<String, String> {
        let mut svg = String::new();
        let say = |error: &dyn std::fmt::Display| error.to_string();
        {
            let width = HEAD_WIDTH.max(PANEL_WIDTH * self.panels.len() as u32);
            let area = SVGBackend::with_string(&mut svg, (width, HEIGHT)).into_drawing_area();
            area.fill(&PAPER).map_err(|error| say(&error))?;
            let style = palette::bold(18, &INK, HPos::Left);
            area.draw_text(&self.title, &style, (20, 26)).map_err(|error| say(&error))?;
            let names = self.names();
            self.legend(&area, &names)?;
            let below = area.margin(64, 8, 8, 16);
            let parts = below.split_evenly((1, self.panels.len()));
            for (part, panel) in parts.iter().zip(&self.panels) {
                panel.draw(part, &self.axis, &names)?;
            }
            area.present().map_err(|error| say(&error))?;
        }
        Ok(svg)
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for curve in self.panels.iter().flat_map(|panel| &panel.curves) {
            if !names.contains(&curve.system.as_str()) {
                names.push(&curve.system);
            }
        }
        names
    }

    fn legend<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, plotters::coord::Shift>,
        names: &[&str],
    ) -> Result<(), String> {
        let mut at = 20;
        for name in names {
            let style = style_of(name, names);
            let dash = PathElement::new([(at, 50), (at + 22, 50)], style);
            area.draw(&dash).map_err(|error| error.to_string())?;
            let letters = palette::letters(13, &PALE_INK, HPos::Left);
            area.draw_text(name, &letters, (at + 28, 50)).map_err(|error| error.to_string())?;
            at += 52 + name.len() as i32 * 7;
        }
        Ok(())
    }
}

impl Curves {
    fn draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, plotters::coord::Shift>,
        axis: &str,
        names: &[&str],
    ) -> Result<(), String> {
        let say = |error: &dyn std::fmt::Display| error.to_string();
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let least = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(f64::MAX, f64::min);
        let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(0.0, f64::max);
        let across = least(|point| point.0)..(most(|point| point.0) * 1.1);
        let up = (least(|point| point.1) / 1.5)..(most(|point| point.1) * 1.5);
        let mut chart = ChartBuilder::on(area)
            .margin(6)
            .caption(&self.label, palette::letters(14, &INK, HPos::Left))
            .x_label_area_size(42)
            .y_label_area_size(64)
            .build_cartesian_2d(across.log_scale(), up.log_scale())
            .map_err(|error| say(&error))?;
        chart
            .configure_mesh()
            .x_desc(axis)
            .label_style(palette::letters(12, &PALE_INK, HPos::Left))
            .axis_desc_style(palette::letters(13, &PALE_INK, HPos::Left))
            .x_label_formatter(&|value| plain(*value))
            .y_label_formatter(&|value| figure(*value))
            .x_labels(8)
            .y_labels(6)
            .bold_line_style(GRID)
            .light_line_style(PAPER)
            .axis_style(GRID)
            .draw()
            .map_err(|error| say(&error))?;
        // libwal last, so that nothing lies over it.
        let (ours, others): (Vec<&Curve>, Vec<&Curve>) =
            self.curves.iter().partition(|curve| curve.system.starts_with("libwal"));
        for curve in others.into_iter().chain(ours) {
            let style = style_of(&curve.system, names);
            let line = LineSeries::new(curve.points.iter().copied(), style);
            chart.draw_series(line).map_err(|error| say(&error))?;
            let dots = curve.points.iter().map(|point| Circle::new(*point, 3, style.filled()));
            chart.draw_series(dots).map_err(|error| say(&error))?;
        }
        Ok(())
    }
}

fn style_of(system: &str, names: &[&str]) -> ShapeStyle {
    match system {
        "floor" => palette::stroke(&FLOOR, 2),
        _ if system.starts_with("libwal") => palette::stroke(&OURS, 3),
        _ => {
            let place = names.iter().position(|name| *name == system).unwrap_or(0);
            palette::stroke(&PEERS[place % PEERS.len()], 2)
        }
    }
}

/// Counts and sizes as people write them.
fn plain(value: f64) -> String {
    match value {
        1e6.. => format!("{:.0} M", value / 1e6),
        1e3.. => format!("{:.0} k", value / 1e3),
        _ => format!("{value:.0}"),
    }
}

/// The legend has to fit.
const HEAD_WIDTH: u32 = 980;
const PANEL_WIDTH: u32 = 460;
const HEIGHT: u32 = 420;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_in_the_chart_and_its_legend() {
        let curve = |system: &str| Curve {
            system: system.into(),
            points: vec![(1.0, 100.0), (16.0, 1000.0), (256.0, 9000.0)],
        };
        let panel = || Curves {
            label: "records per second".into(),
            curves: vec![curve("floor"), curve("libwal"), curve("peer")],
        };
        let chart = Lines {
            title: "Growth".into(),
            axis: "threads".into(),
            panels: vec![panel(), panel()],
        };
        let svg = chart.draw().unwrap();
        for wanted in ["Growth", "threads", "records per second", "libwal", "peer", "#145ADC"] {
            assert!(svg.contains(wanted), "{wanted}");
        }
    }
}
