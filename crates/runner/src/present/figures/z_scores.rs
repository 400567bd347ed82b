//! Draws sorted z-scores against normal quantiles, with an envelope for correlated z-scores.

use anyhow::Result;
use gmm_accuracy::z_scores::ZScores;

use super::axis::{Axis, AxisScale};
use super::figure::Figure;
use super::legend::{self, Key};
use super::scene::{Point, Scene};
use super::small_multiples::{LEFT, MARGIN, SmallMultiples, WIDTH};
use super::style::{AXIS, BAR, HIGHLIGHT, Marker, PRIMARY, Shape, THIN};

/// One panel per group of estimates.
#[derive(Debug, Clone, PartialEq)]
pub struct ZScorePlot {
    /// Name of the part of the suite.
    pub title: String,
    pub groups: Vec<ZScores>,
}

const COLUMNS: usize = 4;
const HEIGHT: f64 = 130.0;

/// The axes reach at least `MIN` and at most `MAX`; z-scores beyond are drawn at the edge.
const MIN: f64 = 3.5;
const MAX: f64 = 8.0;

const POINT: Marker = Marker { shape: Shape::Circle, colour: PRIMARY, radius: 2.2, hollow: false };
const BEYOND: Marker = Marker { shape: Shape::Triangle, colour: HIGHLIGHT, radius: 3.0, hollow: false };

impl ZScorePlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let grid = SmallMultiples { n: self.groups.len(), columns: COLUMNS, height: HEIGHT };
        let most = self.groups.iter().flat_map(|group| &group.z).fold(0.0f64, |most, z| most.max(z.abs()));
        let reach = (1.05 * most).clamp(MIN, MAX);
        let mut keys = vec![
            (Key::Marker(POINT), "z-score of one estimate".to_owned()),
            (
                Key::Band(BAR),
                "pointwise 95 % envelope of simulated z-scores with the same correlation".to_owned(),
            ),
            (Key::Line { colour: AXIS, width: THIN }, "normal distribution".to_owned()),
        ];
        if most > reach {
            keys.push((Key::Marker(BEYOND), format!("beyond {reach:.0}")));
        }
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let height = grid.bottom() + legend::height(&keys, room) + MARGIN;
        let mut scene =
            Scene::new(format!("Quantile-quantile plots of z-scores, {}", self.title), WIDTH, height);
        for (index, group) in self.groups.iter().enumerate() {
            draw(&mut scene, &grid, index, group, reach);
        }
        legend::draw_rows(&mut scene, (MARGIN + LEFT, grid.bottom()), &keys, room);
        scene
    }
}

fn draw(scene: &mut Scene, grid: &SmallMultiples, index: usize, group: &ZScores, reach: f64) {
    let axes = |[left, right]: [f64; 2], [bottom, top]: [f64; 2]| {
        (
            Axis::new(-MIN, MIN, left, right, AxisScale::Linear),
            Axis::new(-reach, reach, bottom, top, AxisScale::Linear),
        )
    };
    let panel = grid.panel(scene, index, axes, ("normal quantile", "z-score"));
    grid.head(scene, index, &group.case, Some(&group.group), &format!("n = {}", group.z.len()));
    let mut sorted = group.z.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let quantiles = group.normal_quantiles();
    let edge = |which: usize| -> Vec<Point> {
        let envelope = group.envelope.iter().enumerate();
        envelope.map(|(i, edges)| panel.at(quantiles[i], edges[which].clamp(-reach, reach))).collect()
    };
    let mut outline = edge(0);
    outline.extend(edge(1).into_iter().rev());
    scene.area(outline, BAR);
    panel.line(scene, &[(-MIN, -MIN), (MIN, MIN)], AXIS, THIN);
    for (i, &z) in sorted.iter().enumerate() {
        let marker = if z.abs() > reach { BEYOND } else { POINT };
        panel.marker(scene, (quantiles[i], z.clamp(-reach, reach)), marker);
    }
    panel.frame(scene);
}

#[cfg(test)]
mod tests {
    use super::*;
    use gmm_accuracy::check::Part;

    #[test]
    fn texts_never_overlap_and_far_scores_stand_at_the_edge() {
        for n in [1, 3, 4, 9] {
            for scale in [1.0, 4.0, 1e6] {
                let group = |_| ZScores {
                    part: Part::Posteriors,
                    case: "a posterior of many parameters and a long name".to_owned(),
                    group: "parameters: standard deviations, and more".to_owned(),
                    names: vec![String::new(); 5],
                    z: [-2.0, -1.0, 0.0, 1.0, 2.0].map(|z| scale * z).to_vec(),
                    envelope: vec![[-1.0, 1.0]; 5],
                };
                let figure =
                    ZScorePlot { title: "posteriors".to_owned(), groups: (0..n).map(group).collect() };
                figure.scene().assert_legible();
            }
        }
    }
}
