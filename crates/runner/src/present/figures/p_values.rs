//! Draws the p-values of the accuracy suite against uniform quantiles, with the limit of Holm's procedure.

use anyhow::Result;
use gmm_accuracy::check::Part;

use super::axis::{Axis, AxisScale};
use super::figure::Figure;
use super::legend::{self, Key};
use super::panel::{OVERHANG, Panel};
use super::scene::{Point, Scene};
use super::style::{self, AXIS, HIGHLIGHT, LINE, Marker, Shape, THIN};

/// Every test of the suite.
#[derive(Debug, Clone, PartialEq)]
pub struct PValuePlot {
    pub p_values: Vec<(Part, f64)>,
    pub family_wise: f64,
}

const WIDTH: f64 = 640.0;
const MARGIN: f64 = 14.0;
const LEFT: f64 = 62.0;
const HEIGHT: f64 = 300.0;
const BELOW: f64 = 50.0;

/// Largest −log₁₀ p-value on the axis; smaller p-values are drawn at its end.
const MAX: f64 = 12.0;

impl PValuePlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let mut keys: Vec<(Key, String)> = Part::ALL
            .iter()
            .filter(|part| self.p_values.iter().any(|(tested, _)| tested == *part))
            .map(|&part| (Key::Marker(marker(part)), part.name().to_owned()))
            .collect();
        keys.push((
            Key::Line { colour: HIGHLIGHT, width: LINE },
            format!("Holm's limit for a family-wise error rate of {}", self.family_wise),
        ));
        keys.push((Key::Line { colour: AXIS, width: THIN }, "uniform distribution".to_owned()));
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let (top, bottom) = (MARGIN + 6.0, MARGIN + 6.0 + HEIGHT);
        let height = bottom + BELOW + legend::height(&keys, room) + MARGIN;
        let mut scene = Scene::new("p-values of all checks against uniform quantiles", WIDTH, height);

        let mut sorted = self.p_values.clone();
        sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
        let n = sorted.len();
        let expected = |rank: usize| -libm::log10((rank + 1) as f64 / (n + 1) as f64);
        let limit = |rank: usize| -libm::log10(self.family_wise / (n - rank) as f64);
        let observed = |p_value: f64| (-libm::log10(p_value)).min(MAX);
        let right = if n > 0 { 1.04 * expected(0) } else { 1.0 };
        let deepest = sorted.first().map_or(0.0, |(_, p_value)| observed(*p_value));
        let highest = 1.06 * deepest.max(if n > 0 { limit(0) } else { 1.0 });
        let panel = Panel {
            x: Axis::new(0.0, right, MARGIN + LEFT, WIDTH - MARGIN, AxisScale::Linear),
            y: Axis::new(0.0, highest, bottom, top, AxisScale::Linear),
        };
        panel.ticks_x(&mut scene, OVERHANG);
        panel.ticks_y(&mut scene, true);
        panel.label_x(&mut scene, "−log₁₀ expected p-value");
        panel.label_y(&mut scene, "−log₁₀ observed p-value", LEFT - 14.0);
        panel.line(&mut scene, &[(0.0, 0.0), (right, right)], AXIS, THIN);
        let limits: Vec<Point> = (0..n).rev().map(|rank| (expected(rank), limit(rank))).collect();
        panel.line(&mut scene, &limits, HIGHLIGHT, LINE);
        for (rank, (part, p_value)) in sorted.iter().enumerate().rev() {
            panel.marker(&mut scene, (expected(rank), observed(*p_value).max(0.0)), marker(*part));
        }
        panel.frame(&mut scene);
        legend::draw_rows(&mut scene, (MARGIN + LEFT, bottom + BELOW), &keys, room);
        scene
    }
}

fn marker(part: Part) -> Marker {
    let index = Part::ALL.iter().position(|&other| other == part).unwrap_or(0);
    Marker { shape: Shape::Circle, colour: style::colour(index), radius: 2.6, hollow: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_never_overlap_from_no_p_value_to_very_small_ones() {
        for n in [0, 1, 5, 300] {
            for smallest in [0.0, 1e-300, 1e-3] {
                let p_value = |i: usize| {
                    (Part::ALL[i % Part::ALL.len()], if i == 0 { smallest } else { i as f64 / 300.0 })
                };
                let figure = PValuePlot { p_values: (0..n).map(p_value).collect(), family_wise: 0.001 };
                figure.scene().assert_legible();
            }
        }
    }
}
