//! Draws differences in expected log predictive density to the best K as a forest plot.

use super::axis::{Axis, AxisScale, format_value, format_with_error};
use super::figure::Figure;
use super::font::text_width;
use super::legend::{self, Key};
use super::panel::{OVERHANG, Panel};
use super::scene::{Align, Scene, TextStyle, truncate};
use super::style::{
    AXIS, BAND, GRID_LINE, HIGHLIGHT, INK, LABEL, LINE, LINEAR_WITHIN, MUTED, Marker, PRIMARY, Shape, THICK,
    THIN, TICK, TITLE,
};
use anyhow::Result;

/// One number of components, compared with the best one.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub components: usize,
    /// Expected log predictive density (elpd) minus the best one, in nats: 0 for the best, negative for the others,
    /// NaN if undefined.
    pub elpd_diff: f64,
    /// Standard error of `elpd_diff`; NaN for the best, or if undefined.
    pub se_diff: f64,
    /// An unreliable difference is drawn hollow.
    pub reliable: bool,
}

/// The differences of one criterion.
#[derive(Debug, Clone, PartialEq)]
pub struct CriterionDifferences {
    pub criterion: String,
    /// From the smallest number of components to the largest.
    pub differences: Vec<Difference>,
    /// K of the best score; `None` if no score is defined.
    pub best: Option<usize>,
}

/// One panel per criterion that estimates an expected log predictive density.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferencesPlot {
    pub panels: Vec<CriterionDifferences>,
}

/// Half the width of the shaded band: a difference below four is small, and its standard error is unreliable.
///
/// Source: Sivula, Magnusson & Vehtari (2020), "Uncertainty in Bayesian leave-one-out cross-validation based
/// model comparison".
const SMALL_DIFFERENCE: f64 = 4.0;

const WIDTH: f64 = 920.0;
const MARGIN: f64 = 14.0;
const MAX_COLUMNS: usize = 3;
const LEFT: f64 = 46.0;
const ABOVE: f64 = 42.0;
const BELOW: f64 = 50.0;
const ROW: f64 = 22.0;
/// Above the column of numbers.
const HEADER: &str = "difference ± SE";

impl DifferencesPlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let columns = self.panels.len().clamp(1, MAX_COLUMNS);
        let rows = self.panels.len().div_ceil(columns).max(1);
        let deepest = self.panels.iter().map(|comparison| comparison.differences.len()).max().unwrap_or(0);
        let depth = (deepest.max(2) as f64) * ROW;
        let cell = ((WIDTH - 2.0 * MARGIN) / columns as f64, ABOVE + depth + BELOW);
        let keys = self.keys();
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let height = rows as f64 * cell.1 + legend::height(&keys, room) + 2.0 * MARGIN;
        let mut scene =
            Scene::new("Expected log predictive density of each K minus that of the best K", WIDTH, height);
        for (index, comparison) in self.panels.iter().enumerate() {
            let left = MARGIN + (index % columns) as f64 * cell.0 + LEFT;
            let top = MARGIN + (index / columns) as f64 * cell.1 + ABOVE;
            comparison.draw(&mut scene, left, left + cell.0 - LEFT - 8.0, top, top + depth);
        }
        legend::draw_rows(&mut scene, (MARGIN + LEFT, rows as f64 * cell.1 + MARGIN), &keys, room);
        scene
    }

    fn keys(&self) -> Vec<(Key, String)> {
        let all = || self.panels.iter().flat_map(|comparison| &comparison.differences);
        let mut keys = vec![
            (Key::Line { colour: PRIMARY, width: THICK * 1.6 }, "±1 standard error (SE)".to_owned()),
            (Key::Line { colour: PRIMARY, width: THIN * 1.4 }, "±2 SE".to_owned()),
            (Key::Band(BAND), format!("differences below {SMALL_DIFFERENCE} are too small to matter")),
        ];
        if all().any(|difference| !difference.reliable && difference.elpd_diff.is_finite()) {
            keys.push((Key::Marker(point(true)), "unreliable".to_owned()));
        }
        keys.push((
            Key::None,
            format!("Horizontal axes are linear up to about {LINEAR_WITHIN} and logarithmic beyond."),
        ));
        keys
    }
}

impl CriterionDifferences {
    fn draw(&self, scene: &mut Scene, left: f64, right: f64, top: f64, bottom: f64) {
        let numbers: Vec<String> =
            self.differences.iter().map(|difference| self.numbers(difference)).collect();
        let header = text_width(HEADER, TICK);
        let column = numbers
            .iter()
            .map(|text| text_width(text, TICK))
            .fold(header, f64::max)
            .min((right - left) * 0.45);
        let panel = self.panel(left, right - column - 12.0, top, bottom);
        let title = truncate(&self.criterion, TITLE, right - left - column - 12.0);
        scene.text((left, top - 22.0), title, TextStyle::new(TITLE, INK, Align::Start));
        scene.text(
            (right, top - 6.0),
            truncate(HEADER, TICK, column),
            TextStyle::new(TICK, MUTED, Align::End),
        );

        if self.best.is_some() {
            let band = [-SMALL_DIFFERENCE, SMALL_DIFFERENCE]
                .map(|edge| panel.x.position(edge).clamp(panel.left(), panel.right()));
            scene.rectangle((band[0], top), (band[1], bottom), BAND);
        }
        for (row, difference) in self.differences.iter().enumerate() {
            let y = panel.y.position(-(row as f64));
            scene.segment((panel.left(), y), (panel.right(), y), GRID_LINE, THIN);
            let k = difference.components.to_string();
            scene.text_beside((left - 7.0, y), k, TextStyle::new(LABEL, INK, Align::End));
            scene.text_beside((right, y), truncate(&numbers[row], TICK, column), TextStyle::tick(Align::End));
        }
        panel.label_y(scene, "K", LEFT - 14.0);
        if let Some(best) = self.best {
            let zero = panel.x.position(0.0);
            scene.segment((zero, top), (zero, bottom), HIGHLIGHT, LINE);
            panel.ticks_x(scene, OVERHANG);
            self.label_zero(scene, &panel, best);
            panel.label_x(scene, "difference in elpd, nats");
        }
        scene.segment((panel.left(), bottom), (panel.right(), bottom), AXIS, THIN);
        self.intervals(scene, &panel);
    }

    /// Labels the line at zero, above it and within the panel's width.
    fn label_zero(&self, scene: &mut Scene, panel: &Panel, best: usize) {
        let name = format!("best: K = {best}");
        let half = text_width(&name, TICK) / 2.0;
        let (low, high) = (panel.left() + half, panel.right() - half);
        let middle = panel.x.position(0.0).min(high).max(low);
        scene.text((middle, panel.top() - 6.0), name, TextStyle::new(TICK, HIGHLIGHT, Align::Middle));
    }

    fn intervals(&self, scene: &mut Scene, panel: &Panel) {
        for (row, difference) in self.differences.iter().enumerate() {
            let (row, value, se) = (-(row as f64), difference.elpd_diff, difference.se_diff);
            if se > 0.0 {
                panel.line(scene, &[(value - 2.0 * se, row), (value + 2.0 * se, row)], PRIMARY, THIN * 1.4);
                panel.line(scene, &[(value - se, row), (value + se, row)], PRIMARY, THICK * 1.6);
            }
            let marker = match Some(difference.components) == self.best {
                true => Marker {
                    shape: Shape::Diamond,
                    colour: HIGHLIGHT,
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
        let x = Axis::new(low, high, left + 6.0, right - 6.0, AxisScale::Asinh { unit: LINEAR_WITHIN })
            .extended(6.0);
        // Row r stands at −r, the smallest K at the top; a short comparison leaves room below its last.
        let rows = ((bottom - top) / ROW).round();
        Panel { x, y: Axis::new(0.5 - rows, 0.5, bottom, top, AxisScale::Linear) }
    }

    /// The numbers of one row: difference ± standard error.
    fn numbers(&self, difference: &Difference) -> String {
        match (difference.elpd_diff, difference.se_diff) {
            _ if Some(difference.components) == self.best => "0".to_owned(),
            (value, _) if !value.is_finite() => "undefined".to_owned(),
            (value, se) if se > 0.0 && se.is_finite() => {
                let [value, se] = format_with_error(value, se);
                format!("{value} ± {se}")
            }
            (value, _) => format_value(value),
        }
    }
}

fn point(hollow: bool) -> Marker {
    Marker { shape: Shape::Circle, colour: PRIMARY, radius: 3.8, hollow }
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
        let comparison = CriterionDifferences {
            criterion: "kfold (10 folds, every one with its own centroids and scale)".to_owned(),
            differences: differences.iter().enumerate().map(difference).collect(),
            best,
        };
        DifferencesPlot { panels: vec![comparison; panels] }.scene()
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
