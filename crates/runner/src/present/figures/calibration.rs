//! Draws the ranks of simulation-based calibration: their ECDF minus the uniform one, with simultaneous bands.

use anyhow::Result;
use gmm_accuracy::ranks::{BAND_COVERAGE as COVERAGE, RankUniformity};

use super::axis::{Axis, AxisScale, format_p_value};
use super::figure::Figure;
use super::legend::{self, Key};
use super::scene::{Point, Scene};
use super::small_multiples::{LEFT, MARGIN, SmallMultiples, WIDTH};
use super::style::{AXIS, BAR, HIGHLIGHT, LINE, PRIMARY, THICK, THIN};

/// One panel per quantity of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationPlot {
    pub quantities: Vec<RankUniformity>,
}

const COLUMNS: usize = 3;
const HEIGHT: f64 = 120.0;

impl CalibrationPlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let grid = SmallMultiples { n: self.quantities.len(), columns: COLUMNS, height: HEIGHT };
        let mut keys = vec![
            (
                Key::Line { colour: PRIMARY, width: THICK },
                "ECDF of the ranks minus the uniform one".to_owned(),
            ),
            (Key::Band(BAR), format!("{:.0} % simultaneous band for uniform ranks", 100.0 * COVERAGE)),
        ];
        if self.quantities.iter().any(leaves_band) {
            let text = "leaves the band, as one panel in twenty does by chance".to_owned();
            keys.push((Key::Line { colour: HIGHLIGHT, width: THICK }, text));
        }
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let case = self.quantities.first().map_or("", |quantity| quantity.case.as_str());
        let height = grid.bottom() + legend::height(&keys, room) + MARGIN;
        let mut scene = Scene::new(format!("Ranks of simulation-based calibration, {case}"), WIDTH, height);
        let reach = self.reach();
        for (index, quantity) in self.quantities.iter().enumerate() {
            let axes = |[left, right]: [f64; 2], [bottom, top]: [f64; 2]| {
                (
                    Axis::new(0.0, 1.0, left, right, AxisScale::Linear),
                    Axis::new(-reach, reach, bottom, top, AxisScale::Linear),
                )
            };
            let names = ("rank / number of ranks", "ECDF difference");
            let panel = grid.panel(&mut scene, index, axes, names);
            grid.head(&mut scene, index, &quantity.quantity, None, &format_p_value(quantity.p_value));
            let n = quantity.n_ranks as f64;
            let x = |i: usize| (i + 1) as f64 / n;
            let edge = |which: usize| -> Vec<Point> {
                let band = quantity.band.iter().enumerate();
                let inner = band.map(|(i, edges)| panel.at(x(i), edges[which]));
                [vec![panel.at(0.0, 0.0)], inner.collect(), vec![panel.at(1.0, 0.0)]].concat()
            };
            let mut outline = edge(0);
            outline.extend(edge(1).into_iter().rev());
            scene.area(outline, BAR);
            panel.line(&mut scene, &[(0.0, 0.0), (1.0, 0.0)], AXIS, THIN);
            let differences = quantity.difference.iter().enumerate().map(|(i, &value)| (x(i), value));
            let line: Vec<Point> = [vec![(0.0, 0.0)], differences.collect(), vec![(1.0, 0.0)]].concat();
            let colour = if leaves_band(quantity) { HIGHLIGHT } else { PRIMARY };
            panel.line(&mut scene, &line, colour, LINE);
            panel.frame(&mut scene);
        }
        legend::draw_rows(&mut scene, (MARGIN + LEFT, grid.bottom()), &keys, room);
        scene
    }

    /// Half the height of every panel: the largest distance from zero of any line or band.
    fn reach(&self) -> f64 {
        let values = self.quantities.iter().flat_map(|quantity| {
            quantity.difference.iter().copied().chain(quantity.band.iter().flatten().copied())
        });
        1.08 * values.map(f64::abs).fold(0.01, f64::max)
    }
}

/// Whether the line is outside its band anywhere.
fn leaves_band(quantity: &RankUniformity) -> bool {
    let mut points = quantity.difference.iter().zip(&quantity.band);
    points.any(|(difference, band)| *difference < band[0] || *difference > band[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_never_overlap_whatever_the_ranks() {
        for n in [1, 2, 3, 7, 10] {
            for stretch in [0.0, 0.3, 1.0] {
                let quantity = |index: usize| RankUniformity {
                    case: "K = 2, D = 2, inverse gamma".to_owned(),
                    quantity: ["log density", "a quantity with a very long name indeed, of two features"]
                        [index % 2]
                        .to_owned(),
                    n_replicates: 100,
                    ranks: vec![0; 100],
                    n_ranks: 11,
                    difference: (0..10).map(|i| stretch * f64::from(i) / 10.0).collect(),
                    band: vec![[-0.1, 0.1]; 10],
                    smallest_tail: 0.1,
                    p_value: 1e-300,
                };
                let figure = CalibrationPlot { quantities: (0..n).map(quantity).collect() };
                figure.scene().assert_legible();
            }
        }
    }
}
