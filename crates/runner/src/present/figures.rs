//! The figures of a report: each is a scene of marks, drawn once as SVG and once as PNG.
//!
//! A figure draws what it is handed. It bins, thins and traces level lines, which are ways of drawing, and
//! computes no number that a table would hold. Every text is set in an embedded font, so that a machine
//! without fonts draws the same bytes as any other.

mod axis;
pub mod bias;
pub mod calibration;
pub mod criteria;
pub mod differences;
mod font;
mod geometry;
pub mod growth;
mod histogram;
mod legend;
pub mod mixture;
pub mod p_values;
mod panel;
mod raster;
pub mod recovery;
mod render;
mod scene;
mod small_multiples;
mod style;
pub mod traces;
pub mod z_scores;

pub use geometry::Grid;
#[cfg(test)]
pub use geometry::normal_density;

/// One figure in the two formats that papers and pages ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// A complete `<svg>` element without identifiers, so that many fit into one HTML page.
    pub svg: String,
    /// The same marks as a PNG image, with two pixels for every unit of the SVG.
    pub png: Vec<u8>,
}
