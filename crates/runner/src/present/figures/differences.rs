//! Differences in expected log predictive density to the best number of components, as a forest plot.

use super::Figure;
use super::axis::{Axis, Spread, rounded, rounded_by};
use super::criteria::LINEAR_WITHIN;
use super::font::text_width;
use super::legend::{self, Key};
use super::panel::{OVERHANG, Panel};
use super::scene::{Align, Scene, Type, fit};
use super::style::{
    BAND, CHOSEN, FRAME, HAIR, INK, LABEL, LINE, MEASURED, MUTED, Marker, RULE, STRONG, Shape, TICK, TITLE,
};
use anyhow::Result;

/// One number of components, compared with the best one.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub components: usize,
    /// elpd minus the best elpd: zero for the best, negative for the others, NaN when undefined.
    pub elpd_diff: f64,
    /// Standard error of `elpd_diff`; NaN for the best one, or when undefined.
    pub se_diff: f64,
    /// False draws a hollow point.
    pub reliable: bool,
}

/// One criterion's comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub criterion: String,
    /// From the smallest number of components to the largest.
    pub differences: Vec<Difference>,
    /// K of the best score; `None` when no score is defined.
    pub best: Option<usize>,
}

/// One panel per criterion that estimates an expected log predictive density.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    pub comparisons: Vec<Comparison>,
}

/// Half the width of the shaded band: a difference below four is small, and its standard error is not to be
/// relied on.
///
/// Source: Sivula, Magnusson & Vehtari (2020), "Uncertainty in Bayesian leave-one-out cross-validation based
/// model comparison".
const SMALL_DIFFERENCE: f64 = 4.0;

const WIDTH: f64 = 920.0;
const MARGIN: f64 = 14.0;
const MOST_COLUMNS: usize = 3;
const LEFT: f64 = 46.0;
const ABOVE: f64 = 42.0;
const BELOW: f64 = 50.0;
const ROW: f64 = 22.0;
/// Above the column of numbers.
const HEADER: &str = "difference ± SE";

impl Differences {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let columns = self.comparisons.len().clamp(1, MOST_COLUMNS);
        let rows = self.comparisons.len().div_ceil(columns).max(1);
        let deepest =
            self.comparisons.iter().map(|comparison| comparison.differences.len()).max().unwrap_or(0);
        let depth = (deepest.max(2) as f64) * ROW;
        let cell = ((WIDTH - 2.0 * MARGIN) / columns as f64, ABOVE + depth + BELOW);
        let keys = self.keys();
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let height = rows as f64 * cell.1 + legend::height(&keys, room) + 2.0 * MARGIN;
        let mut scene =
            Scene::new("Differences in expected log predictive density to the best K", WIDTH, height);
        for (index, comparison) in self.comparisons.iter().enumerate() {
            let left = MARGIN + (index % columns) as f64 * cell.0 + LEFT;
            let top = MARGIN + (index / columns) as f64 * cell.1 + ABOVE;
            comparison.draw(&mut scene, left, left + cell.0 - LEFT - 8.0, top, top + depth);
        }
        legend::across(&mut scene, (MARGIN + LEFT, rows as f64 * cell.1 + MARGIN), &keys, room);
        scene
    }

    fn keys(&self) -> Vec<(Key, String)> {
        let all = || self.comparisons.iter().flat_map(|comparison| &comparison.differences);
        let mut keys = vec![
            (Key::Line { colour: MEASURED, width: STRONG * 1.6 }, "±1 SE".to_owned()),
            (Key::Line { colour: MEASURED, width: HAIR * 1.4 }, "±2 SE".to_owned()),
            (Key::Band(BAND), format!("|difference| < {SMALL_DIFFERENCE}: small, whatever its SE")),
        ];
        if all().any(|difference| !difference.reliable && difference.elpd_diff.is_finite()) {
            keys.push((Key::Marker(point(true)), "unreliable".to_owned()));
        }
        keys.push((
            Key::None,
            format!("Horizontal axes: linear up to about {LINEAR_WITHIN}, logarithmic beyond."),
        ));
        keys
    }
}

impl Comparison {
    fn draw(&self, scene: &mut Scene, left: f64, right: f64, top: f64, bottom: f64) {
        let written: Vec<String> =
            self.differences.iter().map(|difference| self.written(difference)).collect();
        let header = text_width(HEADER, TICK);
        let column = written
            .iter()
            .map(|text| text_width(text, TICK))
            .fold(header, f64::max)
            .min((right - left) * 0.45);
        let panel = self.panel(left, right - column - 12.0, top, bottom);
        let title = fit(&self.criterion, TITLE, right - left - column - 12.0);
        scene.text((left, top - 22.0), title, Type::new(TITLE, INK, Align::Start));
        scene.text((right, top - 6.0), fit(HEADER, TICK, column), Type::new(TICK, MUTED, Align::End));

        if self.best.is_some() {
            let band = [-SMALL_DIFFERENCE, SMALL_DIFFERENCE]
                .map(|edge| panel.x.position(edge).clamp(panel.left(), panel.right()));
            scene.rectangle((band[0], top), (band[1], bottom), BAND);
        }
        for (row, difference) in self.differences.iter().enumerate() {
            let y = panel.y.position(-(row as f64));
            scene.segment((panel.left(), y), (panel.right(), y), RULE, HAIR);
            let k = difference.components.to_string();
            scene.text_beside((left - 7.0, y), k, Type::new(LABEL, INK, Align::End));
            scene.text_beside((right, y), fit(&written[row], TICK, column), Type::tick(Align::End));
        }
        panel.name_y(scene, "components K", LEFT - 14.0);
        if let Some(best) = self.best {
            let zero = panel.x.position(0.0);
            scene.segment((zero, top), (zero, bottom), CHOSEN, LINE);
            panel.number_x(scene, OVERHANG);
            self.name_zero(scene, &panel, best);
            panel.name_x(scene, "elpd difference");
        }
        scene.segment((panel.left(), bottom), (panel.right(), bottom), FRAME, HAIR);
        self.intervals(scene, &panel);
    }

    /// Says what zero is, above the line and inside the panel's width.
    fn name_zero(&self, scene: &mut Scene, panel: &Panel, best: usize) {
        let name = format!("best: K = {best}");
        let half = text_width(&name, TICK) / 2.0;
        let (low, high) = (panel.left() + half, panel.right() - half);
        let middle = panel.x.position(0.0).min(high).max(low);
        scene.text((middle, panel.top() - 6.0), name, Type::new(TICK, CHOSEN, Align::Middle));
    }

    fn intervals(&self, scene: &mut Scene, panel: &Panel) {
        for (row, difference) in self.differences.iter().enumerate() {
            let (row, value, se) = (-(row as f64), difference.elpd_diff, difference.se_diff);
            if se > 0.0 {
                panel.line(scene, &[(value - 2.0 * se, row), (value + 2.0 * se, row)], MEASURED, HAIR * 1.4);
                panel.line(scene, &[(value - se, row), (value + se, row)], MEASURED, STRONG * 1.6);
            }
            let marker = match Some(difference.components) == self.best {
                true => Marker {
                    shape: Shape::Diamond,
                    colour: CHOSEN,
                    radius: 4.6,
                    hollow: !difference.reliable,
                },
                false => point(!difference.reliable),
            };
            panel.marker(scene, (value, row), marker);
        }
    }

    fn panel(&self, left: f64, right: f64, top: f64, bottom: f64) -> Panel {
        let ends = self.differences.iter().flat_map(|difference| {
            let reach = if difference.se_diff > 0.0 { 2.0 * difference.se_diff } else { 0.0 };
            [difference.elpd_diff - reach, difference.elpd_diff + reach]
        });
        // The band is always in sight, so that the eye has a measure.
        let band = (-SMALL_DIFFERENCE, SMALL_DIFFERENCE);
        let (low, high) =
            ends.filter(|end| end.is_finite()).fold(band, |(low, high), end| (low.min(end), high.max(end)));
        let x = Axis::new(low, high, left + 6.0, right - 6.0, Spread::Signed { unit: LINEAR_WITHIN })
            .stretched(6.0);
        // Row r stands at −r, the smallest K at the top; a short comparison leaves room below its last.
        let rows = ((bottom - top) / ROW).round();
        Panel { x, y: Axis::new(0.5 - rows, 0.5, bottom, top, Spread::Linear) }
    }

    /// The numbers of one row.
    fn written(&self, difference: &Difference) -> String {
        match (difference.elpd_diff, difference.se_diff) {
            _ if Some(difference.components) == self.best => "0".to_owned(),
            (value, _) if !value.is_finite() => "undefined".to_owned(),
            (value, se) if se > 0.0 && se.is_finite() => {
                let [value, se] = rounded_by(value, se);
                format!("{value} ± {se}")
            }
            (value, _) => rounded(value),
        }
    }
}

fn point(hollow: bool) -> Marker {
    Marker { shape: Shape::Circle, colour: MEASURED, radius: 3.8, hollow }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(differences: &[(f64, f64)], best: Option<usize>, panels: usize) -> Scene {
        let difference = |(index, (elpd_diff, se_diff)): (usize, &(f64, f64))| Difference {
            components: index + 1,
            elpd_diff: *elpd_diff,
            se_diff: *se_diff,
            reliable: index != 1,
        };
        let comparison = Comparison {
            criterion: "kfold (10 folds, every one with its own centroids and scale)".to_owned(),
            differences: differences.iter().enumerate().map(difference).collect(),
            best,
        };
        Differences { comparisons: vec![comparison; panels] }.scene()
    }

    #[test]
    fn texts_never_overlap_and_degenerate_comparisons_are_drawn() {
        let many: Vec<(f64, f64)> = (0..30).map(|k| (-f64::from(k * k), f64::from(k) / 3.0)).collect();
        let cases = [
            (&[(-154.2, 17.3), (0.0, f64::NAN), (-2.7, 1.2), (-4.9, 2.4)][..], Some(2)),
            (&[(0.0, f64::NAN)], Some(1)),
            (&[(f64::NAN, f64::NAN), (f64::NAN, f64::NAN)], None),
            (&[(-1e300, 1e300), (0.0, 0.0), (-1e-300, 1e-300)], Some(2)),
            (&many, Some(1)),
            (&[], None),
        ];
        for (differences, best) in cases {
            for panels in 0..=4 {
                let scene = scene(differences, best, panels);
                scene.assert_legible();
                assert!(panels != 1 || scene.render().is_ok());
            }
        }
    }
}
