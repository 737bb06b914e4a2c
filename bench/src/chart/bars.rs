//! Systems side by side: a bar for each, the floor as a line.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::palette::{self, FLOOR, GRID, INK, PALE_INK, PAPER};
use crate::table::figure;

/// A chart of bars.
pub struct Bars {
    /// What it shows.
    pub title: String,
    /// The unit, and which end is better.
    pub unit: String,
    /// One for each file system.
    pub panels: Vec<Panel>,
}

/// The bars of one file system.
pub struct Panel {
    /// The file system.
    pub label: String,
    /// The floor.
    pub floor: Option<f64>,
    /// The systems, the best one first.
    pub bars: Vec<Bar>,
    /// Whether more is better.
    pub more: bool,
}

/// One system.
pub struct Bar {
    /// Its name.
    pub system: String,
    /// Its figure.
    pub value: f64,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), String>;

impl Bars {
    /// Draws the chart.
    ///
    /// # Errors
    /// What the backend says.
    pub fn draw(&self) -> Result<String, String> {
        let rows: usize = self.panels.iter().map(|panel| panel.bars.len()).sum();
        let height = HEAD + rows as i32 * BAR + self.panels.len() as i32 * PANEL;
        let mut svg = String::new();
        {
            let size = (WIDTH as u32, height as u32);
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            area.fill(&PAPER).map_err(|error| error.to_string())?;
            text(&area, &self.title, (MARGIN, 26), &palette::bold(18, &INK, HPos::Left))?;
            text(&area, &self.unit, (MARGIN, 48), &palette::letters(13, &PALE_INK, HPos::Left))?;
            let mut top = HEAD;
            for panel in &self.panels {
                panel.draw(&area, top)?;
                top += PANEL + panel.bars.len() as i32 * BAR;
            }
            area.present().map_err(|error| error.to_string())?;
        }
        Ok(svg)
    }
}

impl Panel {
    fn draw(&self, area: &Area<'_>, top: i32) -> Drawn {
        let most = self.most();
        let scale = f64::from(WIDTH - LABELS - VALUES) / most;
        let x = |value: f64| LABELS + (value.min(most) * scale).round() as i32;
        let first = top + PANEL - 12;
        let last = first + self.bars.len() as i32 * BAR;
        let place = (MARGIN, top + 8);
        text(area, &self.label, place, &palette::bold(13, &PALE_INK, HPos::Left))?;
        line(area, (LABELS, first), (LABELS, last), &palette::stroke(&GRID, 2))?;
        for (number, bar) in self.bars.iter().enumerate() {
            let middle = first + number as i32 * BAR + BAR / 2;
            let is_ours = bar.system == "libwal";
            let (name, value) = match is_ours {
                true => (palette::bold(13, &INK, HPos::Right), palette::bold(13, &INK, HPos::Left)),
                false => (
                    palette::letters(13, &INK, HPos::Right),
                    palette::letters(13, &PALE_INK, HPos::Left),
                ),
            };
            text(area, &bar.system, (LABELS - 10, middle), &name)?;
            let corners = [(LABELS, middle - 8), (x(bar.value).max(LABELS + 2), middle + 8)];
            let filled = palette::bar_of(&bar.system).filled();
            area.draw(&Rectangle::new(corners, filled)).map_err(|error| error.to_string())?;
            if bar.value > most {
                // The bar goes on far beyond the paper.
                let slash = [(x(most) - 22, middle + 10), (x(most) - 14, middle - 10)];
                line(area, slash[0], slash[1], &palette::stroke(&PAPER, 5))?;
            }
            // Beside the line of the floor, never across it.
            let end = x(bar.value);
            let crosses = self.floor.map(x).filter(|floor| (end..end + 64).contains(floor));
            let start = crosses.unwrap_or(end) + 8;
            text(area, &figure(bar.value), (start, middle), &value)?;
        }
        if let Some(floor) = self.floor {
            line(area, (x(floor), first - 4), (x(floor), last), &palette::stroke(&FLOOR, 2))?;
            let said = format!("floor {}", figure(floor));
            let across = if x(floor) > WIDTH - 160 { HPos::Right } else { HPos::Left };
            text(area, &said, (x(floor), first - 12), &palette::letters(12, &FLOOR, across))?;
        }
        Ok(())
    }
}

impl Panel {
    /// What the whole width stands for. Where less is better, whoever needs many times as much as
    /// libwal must not make everybody else's bars too short to compare.
    fn most(&self) -> f64 {
        let values = self.bars.iter().map(|bar| bar.value).chain(self.floor);
        let most = values.fold(f64::MIN_POSITIVE, f64::max);
        let ours = self.bars.iter().filter(|bar| bar.system == "libwal").map(|bar| bar.value);
        let near = ours.chain(self.floor).fold(0.0, f64::max) * LONGEST;
        if self.more || near == 0.0 { most } else { most.min(near) }
    }
}

fn text(area: &Area<'_>, said: &str, place: (i32, i32), style: &TextStyle<'_>) -> Drawn {
    area.draw_text(said, style, place).map_err(|error| error.to_string())
}

fn line(area: &Area<'_>, from: (i32, i32), to: (i32, i32), style: &ShapeStyle) -> Drawn {
    area.draw(&PathElement::new([from, to], *style)).map_err(|error| error.to_string())
}

const WIDTH: i32 = 820;
const MARGIN: i32 = 20;
const HEAD: i32 = 74;
const PANEL: i32 = 52;
const BAR: i32 = 25;
const LABELS: i32 = 190;
const VALUES: i32 = 90;
/// The longest bar, in bars of libwal or of the floor, where less is better.
const LONGEST: f64 = 4.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_far_beyond_ours_does_not_shorten_the_others() {
        let bar = |system: &str, value| Bar { system: system.into(), value };
        let bars = vec![bar("libwal", 100.0), bar("peer", 9000.0)];
        let mut panel = Panel { label: "ext4".into(), floor: Some(90.0), bars, more: false };
        assert_eq!(panel.most(), 400.0);
        panel.more = true;
        assert_eq!(panel.most(), 9000.0);
    }

    #[test]
    fn every_system_and_the_floor_are_in_the_chart() {
        let bar = |system: &str, value| Bar { system: system.into(), value };
        let panel = Panel {
            label: "ext4, no journal".into(),
            floor: Some(10.0),
            bars: vec![bar("libwal", 9.0), bar("peer <a>", 2.0), bar("nothing", 0.0)],
            more: true,
        };
        let chart = Bars { title: "P1".into(), unit: "us".into(), panels: vec![panel] };
        let svg = chart.draw().unwrap();
        for wanted in ["libwal", "peer &lt;a&gt;", "floor 10.0", "ext4, no journal", "#145ADC"] {
            assert!(svg.contains(wanted), "{wanted}: {svg}");
        }
        assert_eq!(svg, chart.draw().unwrap(), "the same rows give the same bytes");
    }
}
