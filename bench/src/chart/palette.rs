//! Colours and letters: libwal stands out, the floor is a line, everybody else is pale.

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, ShapeStyle, TextStyle};

/// The paper. Drawn, so that a chart can be read on a dark page too.
pub const PAPER: RGBColor = RGBColor(255, 255, 255);
/// Letters.
pub const INK: RGBColor = RGBColor(31, 35, 40);
/// Letters of less weight.
pub const PALE_INK: RGBColor = RGBColor(101, 109, 118);
/// Lines of a grid.
pub const GRID: RGBColor = RGBColor(230, 233, 237);
/// libwal.
pub const OURS: RGBColor = RGBColor(20, 90, 220);
/// Variants of libwal.
pub const VARIANT: RGBColor = RGBColor(158, 190, 245);
/// The floor.
pub const FLOOR: RGBColor = RGBColor(214, 69, 48);
/// Bars of peers.
pub const PEER: RGBColor = RGBColor(190, 197, 206);
/// Lines of peers: pale, but not to be taken for one another.
pub const PEERS: &[RGBColor] = &[
    RGBColor(96, 104, 114),
    RGBColor(176, 150, 96),
    RGBColor(132, 168, 128),
    RGBColor(168, 130, 176),
    RGBColor(120, 176, 182),
    RGBColor(190, 150, 140),
];

/// How letters of a size and colour are set, at a place.
pub fn letters(size: u32, colour: &'static RGBColor, across: HPos) -> TextStyle<'static> {
    let font = ("sans-serif", f64::from(size)).into_font();
    TextStyle::from(font).color(colour).pos(Pos::new(across, VPos::Center))
}

/// The same in bold.
pub fn bold(size: u32, colour: &'static RGBColor, across: HPos) -> TextStyle<'static> {
    let font = ("sans-serif", f64::from(size)).into_font().style(FontStyle::Bold);
    TextStyle::from(font).color(colour).pos(Pos::new(across, VPos::Center))
}

/// A line of a width.
pub fn stroke(colour: &RGBColor, width: u32) -> ShapeStyle {
    colour.stroke_width(width)
}

/// The colour of a system's bar.
pub fn bar_of(system: &str) -> RGBColor {
    match system {
        "libwal" => OURS,
        _ if system.starts_with("libwal") => VARIANT,
        _ if system.starts_with("floor") => FLOOR,
        _ => PEER,
    }
}
