//! Draws the posterior probability of every K beside its prior one.

use anyhow::Result;

use super::axis::{Axis, AxisScale};
use super::figure::Figure;
use super::font::text_width;
use super::legend::{self, Key};
use super::panel::Panel;
use super::scene::{Align, Scene, TextStyle};
use super::small_multiples::{LEFT, MARGIN, WIDTH};
use super::style::{HIGHLIGHT, INK, LINE, MUTED, PALE, THICK, TICK};

/// One K.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlottedProbability {
    pub components: usize,
    pub posterior: f64,
    /// Standard error of the posterior probability; 0 or NaN where it is not known.
    pub error: f64,
    /// Among the K of the figure.
    pub prior: f64,
    /// Whether no other K is more probable.
    pub is_most_probable: bool,
}

/// Every K that has an evidence, in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbabilitiesPlot {
    pub of_each: Vec<PlottedProbability>,
}

const HEIGHT: f64 = 200.0;
/// Room above the panel, and below it for the axis' numbers and name.
const ABOVE: f64 = 18.0;
const BELOW: f64 = 50.0;
/// Half the width of a bar, in K.
const HALF: f64 = 0.32;
/// Least probability with a number above its bar.
const WRITTEN: f64 = 0.005;

impl ProbabilitiesPlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let keys = [
            (Key::Band(HIGHLIGHT), "most probable K".to_owned()),
            (Key::Band(PALE), "other K".to_owned()),
            (Key::Line { colour: INK, width: LINE }, "± 1 standard error".to_owned()),
            (Key::Line { colour: MUTED, width: THICK }, "prior probability".to_owned()),
        ];
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let foot = MARGIN + ABOVE + HEIGHT + BELOW;
        let height = foot + legend::height(&keys, room) + MARGIN;
        let mut scene = Scene::new("Posterior probability of the number of components K", WIDTH, height);
        let ks: Vec<usize> = self.of_each.iter().map(|entry| entry.components).collect();
        let (first, last) = (ks.first().copied().unwrap_or(1), ks.last().copied().unwrap_or(1));
        let panel = Panel {
            x: Axis::new(
                first as f64 - 0.6,
                last as f64 + 0.6,
                MARGIN + LEFT,
                WIDTH - MARGIN,
                AxisScale::Linear,
            ),
            y: Axis::new(0.0, 1.0, MARGIN + ABOVE + HEIGHT, MARGIN + ABOVE, AxisScale::Linear),
        };
        panel.ticks_y(&mut scene, true);
        panel.label_y(&mut scene, "probability", LEFT - 12.0);
        let mut free = f64::NEG_INFINITY;
        for entry in &self.of_each {
            let k = entry.components as f64;
            let bar = panel.at(k + HALF, entry.posterior);
            let colour = if entry.is_most_probable { HIGHLIGHT } else { PALE };
            scene.rectangle((panel.x.position(k - HALF), panel.bottom()), bar, colour);
            let (low, high) = (entry.posterior - entry.error, entry.posterior + entry.error);
            // Shorter than the line is wide, it would be a dot on the bar's end.
            if entry.error > 0.005 {
                panel.line(&mut scene, &[(k, low.max(0.0)), (k, high.min(1.0))], INK, LINE);
            }
            let (left, right) = (panel.at(k - HALF, entry.prior), panel.at(k + HALF, entry.prior));
            scene.segment(left, right, MUTED, THICK);
            let number = format!("{:.2}", entry.posterior);
            let (x, top) = panel.at(k, entry.posterior.max(high.min(1.0)));
            // Above the bar, and above the line of the prior if that is in the way.
            let line = panel.y.position(entry.prior);
            let y = if (top - TICK - 10.0..top).contains(&line) { line } else { top } - 6.0;
            let half = text_width(&number, TICK) / 2.0;
            if entry.posterior >= WRITTEN && x - half > free {
                scene.text((x, y), number, TextStyle::new(TICK, INK, Align::Middle));
                free = x + half + 3.0;
            }
        }
        panel.frame(&mut scene);
        panel.ticks_x_whole(&mut scene, &ks);
        panel.label_x(&mut scene, "number of components K");
        legend::draw_rows(&mut scene, (MARGIN + LEFT, foot), &keys, room);
        scene
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(ks: impl Iterator<Item = usize>, posterior: impl Fn(usize) -> f64) -> ProbabilitiesPlot {
        let of_each = ks.map(|components| PlottedProbability {
            components,
            posterior: posterior(components),
            error: 0.04,
            prior: 1.0 / components as f64,
            is_most_probable: components == 2,
        });
        ProbabilitiesPlot { of_each: of_each.collect() }
    }

    #[test]
    fn texts_never_overlap_however_many_k_there_are() {
        for largest in [1, 3, 10, 40, 300] {
            plot(1..=largest, |_| 0.2).scene().assert_legible();
        }
        plot([2, 3, 50].into_iter(), |_| 1.0).scene().assert_legible();
        plot(std::iter::empty(), |_| 1.0).scene().assert_legible();
    }

    /// The bar's height over the axis' is the probability.
    #[test]
    fn a_bar_is_as_high_as_its_probability() {
        use super::super::scene::Mark;
        let scene = plot(2..=2, |_| 0.25).scene();
        let area = scene.marks.iter().find_map(|mark| match mark {
            Mark::Area { points, .. } => Some(points.clone()),
            _ => None,
        });
        let heights: Vec<f64> = area.unwrap().iter().map(|(_, y)| *y).collect();
        let height = heights.iter().copied().fold(f64::MIN, f64::max)
            - heights.iter().copied().fold(f64::MAX, f64::min);
        approx::assert_relative_eq!(height, 0.25 * HEIGHT, max_relative = 1e-12);
    }
}
