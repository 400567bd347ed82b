//! Draws how often the most probable K is the true one against how probable it was said to be: a reliability diagram.

use anyhow::Result;

use super::axis::{Axis, AxisScale};
use super::figure::Figure;
use super::legend::{self, Key};
use super::recovery::Share;
use super::scene::{Align, Scene, TextStyle};
use super::small_multiples::{LEFT, MARGIN, SmallMultiples, WIDTH};
use super::style::{AXIS, HIGHLIGHT, LINE, MUTED, Marker, PRIMARY, Shape, TICK, with_alpha};

/// The data sets of which a rule states about the same probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityPoint {
    /// Mean stated probability.
    pub stated: f64,
    /// Share of sets whose most probable K is the true one.
    pub right: Share,
    /// Data sets.
    pub n: usize,
}

/// The points of one rule, in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityPanel {
    pub name: String,
    /// Whether this is the program's answer, which is drawn in the highlight colour.
    pub is_answer: bool,
    pub points: Vec<ReliabilityPoint>,
}

/// One panel per rule.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityPlot {
    pub panels: Vec<ReliabilityPanel>,
}

const COLUMNS: usize = 3;
const HEIGHT: f64 = 250.0;

impl ReliabilityPlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let columns = self.panels.len().clamp(1, COLUMNS);
        let grid = SmallMultiples { n: self.panels.len(), columns, height: HEIGHT };
        let keys = [
            (
                Key::Interval(marker(PRIMARY)),
                "share of sets, with 95 % interval and number of sets".to_owned(),
            ),
            (
                Key::Line { colour: AXIS, width: LINE },
                "probabilities that are right as often as they say".to_owned(),
            ),
        ];
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let height = grid.bottom() + legend::height(&keys, room) + MARGIN;
        let mut scene =
            Scene::new("How often the most probable K is right, by its stated probability", WIDTH, height);
        for (index, rule) in self.panels.iter().enumerate() {
            let axes = |[left, right]: [f64; 2], [bottom, top]: [f64; 2]| {
                (
                    Axis::new(0.0, 1.02, left, right, AxisScale::Linear),
                    Axis::new(-0.05, 1.02, bottom, top, AxisScale::Linear),
                )
            };
            let names = ("stated probability of K", "share in which K is true");
            let panel = grid.panel(&mut scene, index, axes, names);
            panel.grid_lines_y(&mut scene);
            grid.head(&mut scene, index, &rule.name, None, "");
            panel.line(&mut scene, &[(0.0, 0.0), (1.0, 1.0)], AXIS, LINE);
            let colour = if rule.is_answer { HIGHLIGHT } else { PRIMARY };
            let line: Vec<(f64, f64)> =
                rule.points.iter().map(|point| (point.stated, point.right.share)).collect();
            panel.line(&mut scene, &line, with_alpha(colour, 0.45), LINE);
            // Numbers stand left of their marks, and those of crowded marks are left out.
            let mut free = f64::NEG_INFINITY;
            for point in &rule.points {
                let (low, high) = point.right.interval;
                scene.segment(panel.at(point.stated, low), panel.at(point.stated, high), colour, LINE);
                panel.marker(&mut scene, (point.stated, point.right.share), marker(colour));
                let (x, y) = panel.at(point.stated, point.right.share);
                if x - free > 4.0 * TICK && x - panel.left() > 4.0 * TICK {
                    scene.text_beside(
                        (x - 7.0, y),
                        point.n.to_string(),
                        TextStyle::new(TICK, MUTED, Align::End),
                    );
                    free = x;
                }
            }
            panel.frame(&mut scene);
        }
        legend::draw_rows(&mut scene, (MARGIN + LEFT, grid.bottom()), &keys, room);
        scene
    }
}

fn marker(colour: super::style::Colour) -> Marker {
    Marker { shape: Shape::Circle, colour, radius: 3.8, hollow: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_never_overlap_whatever_is_stated() {
        for stated in [vec![0.3, 0.6, 0.8, 0.95, 0.999], vec![0.02, 0.03, 0.999, 0.9999], vec![]] {
            let point = |&stated: &f64| ReliabilityPoint {
                stated,
                right: Share { share: stated, interval: (0.5 * stated, 1.0) },
                n: 100_000,
            };
            for n in [1, 2, 3, 5] {
                let panel = |index: usize| ReliabilityPanel {
                    name: "Laplace's method under the other prior (contrast)".to_owned(),
                    is_answer: index == 0,
                    points: stated.iter().map(point).collect(),
                };
                ReliabilityPlot { panels: (0..n).map(panel).collect() }.scene().assert_legible();
            }
        }
    }
}
