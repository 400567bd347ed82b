//! What all figures share: colours, type sizes, line widths and the marks of clusters.

use plotters::style::RGBAColor;

pub type Colour = RGBAColor;

pub const PAPER: Colour = RGBAColor(255, 255, 255, 1.0);
pub const INK: Colour = RGBAColor(34, 34, 34, 1.0);
pub const MUTED: Colour = RGBAColor(102, 102, 102, 1.0);
pub const FRAME: Colour = RGBAColor(140, 140, 140, 1.0);
pub const RULE: Colour = RGBAColor(232, 232, 232, 1.0);
/// Fill of histogram bars and of bands that mark a region, light enough for any mark to stand on it.
pub const BAR: Colour = RGBAColor(222, 224, 227, 1.0);
pub const BAND: Colour = RGBAColor(239, 241, 244, 1.0);
/// Blue of the palette: what was measured. Vermilion: what was chosen.
pub const MEASURED: Colour = RGBAColor(0, 114, 178, 1.0);
pub const CHOSEN: Colour = RGBAColor(213, 94, 0, 1.0);

/// Type sizes, in units of the figure (CSS pixels).
pub const TITLE: f64 = 13.0;
pub const LABEL: f64 = 11.5;
pub const TICK: f64 = 10.6;

/// Line widths, in units of the figure.
pub const HAIR: f64 = 0.7;
pub const LINE: f64 = 1.3;
pub const STRONG: f64 = 2.0;

/// The eight colours that stay apart under every common colour blindness; those that are faint on white last.
/// Source: Okabe & Ito (2008), "Color Universal Design".
const OKABE_ITO: [Colour; 8] = [
    RGBAColor(0, 114, 178, 1.0),
    RGBAColor(230, 159, 0, 1.0),
    RGBAColor(0, 158, 115, 1.0),
    RGBAColor(204, 121, 167, 1.0),
    RGBAColor(86, 180, 233, 1.0),
    RGBAColor(213, 94, 0, 1.0),
    RGBAColor(60, 60, 60, 1.0),
    RGBAColor(214, 200, 40, 1.0),
];

const SHAPES: [Shape; 4] = [Shape::Circle, Shape::Triangle, Shape::Square, Shape::Diamond];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Circle,
    Triangle,
    Square,
    Diamond,
}

/// A point's look. A hollow marker is an outline over the paper's white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marker {
    pub shape: Shape,
    pub colour: Colour,
    pub radius: f64,
    pub hollow: bool,
}

/// Colour of component, cluster or chain `index`; repeats after eight.
pub fn colour(index: usize) -> Colour {
    OKABE_ITO[index % OKABE_ITO.len()]
}

/// Marker of cluster `index`: past eight clusters the shape tells equal colours apart, up to 32 clusters.
pub fn cluster(index: usize, radius: f64) -> Marker {
    let shape = SHAPES[index / OKABE_ITO.len() % SHAPES.len()];
    Marker { shape, colour: colour(index), radius, hollow: false }
}

/// The same colour, thinner: `alpha` of it over what lies below.
pub fn faint(colour: Colour, alpha: f64) -> Colour {
    RGBAColor(colour.0, colour.1, colour.2, alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_of_thirty_two_clusters_look_alike() {
        let looks: Vec<Marker> = (0..32).map(|index| cluster(index, 2.0)).collect();
        for (i, a) in looks.iter().enumerate() {
            assert!(looks[..i].iter().all(|b| a.shape != b.shape || a.colour != b.colour), "cluster {i}");
        }
    }
}
