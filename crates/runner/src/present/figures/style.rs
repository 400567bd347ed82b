//! Colours, font sizes, line widths and cluster markers of all figures.

use plotters::style::RGBAColor;

pub type Colour = RGBAColor;

pub const PAPER: Colour = RGBAColor(255, 255, 255, 1.0);
pub const INK: Colour = RGBAColor(34, 34, 34, 1.0);
pub const MUTED: Colour = RGBAColor(102, 102, 102, 1.0);
pub const AXIS: Colour = RGBAColor(140, 140, 140, 1.0);
pub const GRID_LINE: Colour = RGBAColor(232, 232, 232, 1.0);
/// Fills of histogram bars and of shaded bands, light enough for any mark on top of them.
pub const BAR: Colour = RGBAColor(222, 224, 227, 1.0);
pub const BAND: Colour = RGBAColor(239, 241, 244, 1.0);
/// The palette's blue, for the data of a plot, and its vermilion, for what the plot singles out.
pub const PRIMARY: Colour = RGBAColor(0, 114, 178, 1.0);
pub const HIGHLIGHT: Colour = RGBAColor(213, 94, 0, 1.0);
/// A light blue, for areas beside one in the highlight colour.
pub const PALE: Colour = RGBAColor(115, 177, 213, 1.0);

/// Font sizes, in units of the figure (CSS pixels).
pub const TITLE: f64 = 13.0;
pub const LABEL: f64 = 11.5;
pub const TICK: f64 = 10.6;

/// Line widths, in units of the figure.
pub const THIN: f64 = 0.7;
pub const LINE: f64 = 1.3;
pub const THICK: f64 = 2.0;

/// Differences between scores are drawn on a nearly linear scale up to this size, and on a logarithmic one beyond. Below
/// four, differences in elpd are small whatever their standard error (Sivula, Magnusson & Vehtari 2020).
pub const LINEAR_WITHIN: f64 = 4.0;

/// Eight colours that can be distinguished with any common colour vision deficiency; those that are faint on white
/// come last.
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

/// How a point is drawn. A hollow marker is an outline filled with white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marker {
    pub shape: Shape,
    pub colour: Colour,
    pub radius: f64,
    pub hollow: bool,
}

/// A grey of a brightness from 0, black, to 255, white.
pub fn grey(brightness: u8) -> Colour {
    RGBAColor(brightness, brightness, brightness, 1.0)
}

/// Colour of component, cluster or chain `index`; colours repeat after eight.
pub fn colour(index: usize) -> Colour {
    OKABE_ITO[index % OKABE_ITO.len()]
}

/// Marker of cluster `index`. Shapes distinguish clusters of the same colour, up to 32 clusters.
pub fn cluster_marker(index: usize, radius: f64) -> Marker {
    let shape = SHAPES[index / OKABE_ITO.len() % SHAPES.len()];
    Marker { shape, colour: colour(index), radius, hollow: false }
}

/// The colour with opacity `alpha`.
pub fn with_alpha(colour: Colour, alpha: f64) -> Colour {
    RGBAColor(colour.0, colour.1, colour.2, alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_of_thirty_two_clusters_look_alike() {
        let looks: Vec<Marker> = (0..32).map(|index| cluster_marker(index, 2.0)).collect();
        for (i, a) in looks.iter().enumerate() {
            assert!(looks[..i].iter().all(|b| a.shape != b.shape || a.colour != b.colour), "cluster {i}");
        }
    }
}
