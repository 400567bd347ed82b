//! How much predictive criteria promise beyond the truth, against K, a panel a prior.

use anyhow::Result;

use super::Figure;
use super::axis::{Axis, Spread};
use super::legend::{self, Key};
use super::scene::Scene;
use super::small_multiples::{LEFT, MARGIN, SmallMultiples, WIDTH};
use super::style::{self, FRAME, LINE, Marker, STRONG, Shape, faint};

/// One prior's biases.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub name: String,
    /// Criterion, K, mean of estimate less truth in nats, its standard error.
    pub points: Vec<(String, usize, f64, f64)>,
}

/// A panel a prior, on one vertical axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Biases {
    pub panels: Vec<Series>,
}

const HEIGHT: f64 = 250.0;
/// Standard errors shown on each side.
const BARS: f64 = 2.0;
/// Distance of criteria at one K.
const DODGE: f64 = 0.12;

impl Biases {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn criteria(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for (name, ..) in self.panels.iter().flat_map(|panel| &panel.points) {
            if !names.contains(&name.as_str()) {
                names.push(name.as_str());
            }
        }
        names
    }

    fn scene(&self) -> Scene {
        let grid = SmallMultiples { n: self.panels.len(), columns: self.panels.len(), height: HEIGHT };
        let criteria = self.criteria();
        let keys: Vec<(Key, String)> = criteria
            .iter()
            .enumerate()
            .map(|(index, name)| (Key::Interval(marker(index)), (*name).to_owned()))
            .collect();
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let height = grid.bottom() + legend::height(&keys, room) + MARGIN;
        let mut scene = Scene::new("Estimate less truth of predictive criteria against K", WIDTH, height);
        let points = || self.panels.iter().flat_map(|panel| &panel.points);
        let error = |se: f64| if se.is_nan() { 0.0 } else { BARS * se };
        let low = points().map(|(_, _, mean, se)| mean - error(*se)).fold(0.0, f64::min);
        let high = points().map(|(_, _, mean, se)| mean + error(*se)).fold(0.0, f64::max);
        let first = points().map(|(_, k, ..)| *k).min().unwrap_or(1) as f64;
        let last = points().map(|(_, k, ..)| *k).max().unwrap_or(1) as f64;
        for (index, series) in self.panels.iter().enumerate() {
            let axes = |[left, right]: [f64; 2], [bottom, top]: [f64; 2]| {
                (
                    Axis::new(first - 0.5, last + 0.5, left, right, Spread::Linear),
                    Axis::padded(low, high, 0.06, bottom, top),
                )
            };
            let panel = grid.panel(&mut scene, index, axes, ("components K", "estimate less truth, nats"));
            panel.rule_y(&mut scene);
            grid.head(&mut scene, index, &series.name, None, "");
            panel.line(&mut scene, &[(first - 0.5, 0.0), (last + 0.5, 0.0)], FRAME, STRONG);
            for (place, name) in criteria.iter().enumerate() {
                let shift = DODGE * (place as f64 - (criteria.len() as f64 - 1.0) / 2.0);
                let marker = marker(place);
                let own: Vec<_> = series.points.iter().filter(|(criterion, ..)| criterion == name).collect();
                let line: Vec<(f64, f64)> =
                    own.iter().map(|(_, k, mean, _)| (*k as f64 + shift, *mean)).collect();
                panel.line(&mut scene, &line, faint(marker.colour, 0.45), LINE);
                for (_, k, mean, se) in own {
                    let x = *k as f64 + shift;
                    let (low, high) = (mean - error(*se), mean + error(*se));
                    scene.segment(panel.at(x, low), panel.at(x, high), marker.colour, LINE);
                    panel.marker(&mut scene, (x, *mean), marker);
                }
            }
            panel.frame(&mut scene);
        }
        legend::across(&mut scene, (MARGIN + LEFT, grid.bottom()), &keys, room);
        scene
    }
}

fn marker(index: usize) -> Marker {
    const SHAPES: [Shape; 3] = [Shape::Circle, Shape::Square, Shape::Triangle];
    Marker {
        shape: SHAPES[index % SHAPES.len()],
        colour: style::colour([0, 1, 2][index % 3]),
        radius: 3.6,
        hollow: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_never_overlap_whatever_the_sizes() {
        for scale in [1e-3, 1.0, 1e4] {
            for n in [1, 2] {
                let points = ["WAIC", "PSIS-LOO", "5-fold"]
                    .iter()
                    .flat_map(|name| {
                        (1..=8).map(|k| {
                            ((*name).to_owned(), k, scale * k as f64, if k == 1 { f64::NAN } else { scale })
                        })
                    })
                    .collect();
                let series = Series { name: "model.prior".to_owned(), points };
                Biases { panels: vec![series; n] }.scene().assert_legible();
            }
        }
    }
}
