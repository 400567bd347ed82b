//! All p-values of the accuracy suite against uniform ones, with the limit that Holm's procedure sets.

use anyhow::Result;
use gmm_accuracy::check::Part;

use super::Figure;
use super::axis::{Axis, Spread};
use super::legend::{self, Key};
use super::panel::{OVERHANG, Panel};
use super::scene::{Point, Scene};
use super::style::{self, CHOSEN, FRAME, HAIR, LINE, Marker, Shape};

/// Every test of the suite.
#[derive(Debug, Clone, PartialEq)]
pub struct PValues {
    pub p_values: Vec<(Part, f64)>,
    pub family_wise: f64,
}

const WIDTH: f64 = 640.0;
const MARGIN: f64 = 14.0;
const LEFT: f64 = 62.0;
const HEIGHT: f64 = 300.0;
const BELOW: f64 = 50.0;

/// p-values are drawn down to this power of ten; smaller ones stand at the edge.
const MOST: f64 = 12.0;

impl PValues {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let mut keys: Vec<(Key, String)> = Part::ALL
            .iter()
            .filter(|part| self.p_values.iter().any(|(of, _)| of == *part))
            .map(|&part| (Key::Marker(marker(part)), part.name().to_owned()))
            .collect();
        keys.push((
            Key::Line { colour: CHOSEN, width: LINE },
            format!("Holm's limit at a family-wise rate of {}", self.family_wise),
        ));
        keys.push((Key::Line { colour: FRAME, width: HAIR }, "uniform".to_owned()));
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let (top, bottom) = (MARGIN + 6.0, MARGIN + 6.0 + HEIGHT);
        let height = bottom + BELOW + legend::height(&keys, room) + MARGIN;
        let mut scene = Scene::new("p-values of all checks against uniform ones", WIDTH, height);

        let mut sorted = self.p_values.clone();
        sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
        let n = sorted.len();
        let expected = |rank: usize| -(((rank + 1) as f64) / (n + 1) as f64).log10();
        let limit = |rank: usize| -(self.family_wise / (n - rank) as f64).log10();
        let observed = |p_value: f64| (-p_value.log10()).min(MOST);
        let right = if n > 0 { 1.04 * expected(0) } else { 1.0 };
        let deepest = sorted.first().map_or(0.0, |(_, p_value)| observed(*p_value));
        let highest = 1.06 * deepest.max(if n > 0 { limit(0) } else { 1.0 });
        let panel = Panel {
            x: Axis::new(0.0, right, MARGIN + LEFT, WIDTH - MARGIN, Spread::Linear),
            y: Axis::new(0.0, highest, bottom, top, Spread::Linear),
        };
        panel.number_x(&mut scene, OVERHANG);
        panel.number_y(&mut scene, true);
        panel.name_x(&mut scene, "−log₁₀ of the p-value expected at this rank");
        panel.name_y(&mut scene, "−log₁₀ p-value", LEFT - 14.0);
        panel.line(&mut scene, &[(0.0, 0.0), (right, right)], FRAME, HAIR);
        let limits: Vec<Point> = (0..n).rev().map(|rank| (expected(rank), limit(rank))).collect();
        panel.line(&mut scene, &limits, CHOSEN, LINE);
        for (rank, (part, p_value)) in sorted.iter().enumerate().rev() {
            panel.marker(&mut scene, (expected(rank), observed(*p_value).max(0.0)), marker(*part));
        }
        panel.frame(&mut scene);
        legend::across(&mut scene, (MARGIN + LEFT, bottom + BELOW), &keys, room);
        scene
    }
}

fn marker(part: Part) -> Marker {
    let index = Part::ALL.iter().position(|&of| of == part).unwrap_or(0);
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
                let figure = PValues { p_values: (0..n).map(p_value).collect(), family_wise: 0.001 };
                figure.scene().assert_legible();
            }
        }
    }
}
