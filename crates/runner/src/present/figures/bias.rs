//! Draws the bias of predictive criteria on simulated data by number of components, one panel a prior.

use anyhow::Result;

use super::axis::{Axis, AxisScale};
use super::figure::Figure;
use super::legend::{self, Key};
use super::scene::Scene;
use super::small_multiples::{LEFT, MARGIN, SmallMultiples, WIDTH};
use super::style::{self, AXIS, LINE, Marker, Shape, THICK, with_alpha};

/// The bias of one criterion at one number of components.
#[derive(Debug, Clone, PartialEq)]
pub struct Bias {
    pub criterion: String,
    pub components: usize,
    /// Mean over data sets of estimated minus true elpd, in nats: positive is optimistic.
    pub mean: f64,
    /// Standard error of `mean`; NaN if undefined.
    pub se: f64,
}

/// The biases under one prior.
#[derive(Debug, Clone, PartialEq)]
pub struct PriorPanel {
    pub name: String,
    pub biases: Vec<Bias>,
}

/// One panel per prior, with a common vertical axis.
#[derive(Debug, Clone, PartialEq)]
pub struct BiasPlot {
    pub panels: Vec<PriorPanel>,
}

const HEIGHT: f64 = 250.0;
/// Length of an error bar on each side, in standard errors.
const BARS: f64 = 2.0;
/// Distance between the criteria of one K.
const DODGE: f64 = 0.12;

impl BiasPlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn criteria(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for bias in self.panels.iter().flat_map(|panel| &panel.biases) {
            if !names.contains(&bias.criterion.as_str()) {
                names.push(bias.criterion.as_str());
            }
        }
        names
    }

    fn scene(&self) -> Scene {
        let grid = SmallMultiples { n: self.panels.len(), columns: self.panels.len(), height: HEIGHT };
        let criteria = self.criteria();
        let mut keys: Vec<(Key, String)> = criteria
            .iter()
            .enumerate()
            .map(|(index, name)| (Key::Interval(marker(index)), (*name).to_owned()))
            .collect();
        keys.push((Key::None, format!("Bars show ±{BARS} standard errors.")));
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let height = grid.bottom() + legend::height(&keys, room) + MARGIN;
        let mut scene =
            Scene::new("Estimated minus true predictive density by number of components", WIDTH, height);
        let biases = || self.panels.iter().flat_map(|panel| &panel.biases);
        let error = |se: f64| if se.is_nan() { 0.0 } else { BARS * se };
        let low = biases().map(|bias| bias.mean - error(bias.se)).fold(0.0, f64::min);
        let high = biases().map(|bias| bias.mean + error(bias.se)).fold(0.0, f64::max);
        let first = biases().map(|bias| bias.components).min().unwrap_or(1) as f64;
        let last = biases().map(|bias| bias.components).max().unwrap_or(1) as f64;
        for (index, series) in self.panels.iter().enumerate() {
            let axes = |[left, right]: [f64; 2], [bottom, top]: [f64; 2]| {
                (
                    Axis::new(first - 0.5, last + 0.5, left, right, AxisScale::Linear),
                    Axis::padded(low, high, 0.06, bottom, top),
                )
            };
            let panel =
                grid.panel(&mut scene, index, axes, ("number of components K", "bias of the estimate, nats"));
            panel.grid_lines_y(&mut scene);
            grid.head(&mut scene, index, &series.name, None, "");
            panel.line(&mut scene, &[(first - 0.5, 0.0), (last + 0.5, 0.0)], AXIS, THICK);
            for (place, name) in criteria.iter().enumerate() {
                let shift = DODGE * (place as f64 - (criteria.len() as f64 - 1.0) / 2.0);
                let marker = marker(place);
                let own: Vec<_> = series.biases.iter().filter(|bias| bias.criterion == *name).collect();
                let line: Vec<(f64, f64)> =
                    own.iter().map(|bias| (bias.components as f64 + shift, bias.mean)).collect();
                panel.line(&mut scene, &line, with_alpha(marker.colour, 0.45), LINE);
                for bias in own {
                    let x = bias.components as f64 + shift;
                    let (low, high) = (bias.mean - error(bias.se), bias.mean + error(bias.se));
                    scene.segment(panel.at(x, low), panel.at(x, high), marker.colour, LINE);
                    panel.marker(&mut scene, (x, bias.mean), marker);
                }
            }
            panel.frame(&mut scene);
        }
        legend::draw_rows(&mut scene, (MARGIN + LEFT, grid.bottom()), &keys, room);
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
                let biases = ["WAIC", "PSIS-LOO", "5-fold"]
                    .iter()
                    .flat_map(|name| {
                        (1..=8).map(|components| Bias {
                            criterion: (*name).to_owned(),
                            components,
                            mean: scale * components as f64,
                            se: if components == 1 { f64::NAN } else { scale },
                        })
                    })
                    .collect();
                let panel = PriorPanel { name: "model.prior".to_owned(), biases };
                BiasPlot { panels: vec![panel; n] }.scene().assert_legible();
            }
        }
    }
}
