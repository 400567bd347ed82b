//! The figures of reports, each a scene of marks that is rendered as SVG and as PNG.
//!
//! A figure draws the numbers it is given. It bins, thins and traces contours, which are ways of drawing; it
//! computes nothing that belongs in a table. All text uses the embedded font, so that a machine without
//! fonts draws the same bytes as any other.

mod axis;
pub mod bias;
pub mod calibration;
pub mod clusters;
pub mod contour;
pub mod criteria;
pub mod differences;
pub mod figure;
mod font;
pub mod geometry;
pub mod growth;
mod histogram;
mod legend;
pub mod mixture;
pub mod p_values;
mod panel;
pub mod probabilities;
mod raster;
pub mod recovery;
pub mod reliability;
mod render;
mod scene;
mod small_multiples;
mod style;
pub mod traces;
pub mod z_scores;
