//! Draws every criterion by number of components, one panel each.

use super::axis::{Axis, AxisScale, format_value};
use super::figure::Figure;
use super::font::text_width;
use super::legend::{self, Key};
use super::panel::Panel;
use super::scene::{Align, Scene, TextStyle, truncate};
use super::style::{
    AXIS, BAND, HIGHLIGHT, INK, LABEL, LINE, LINEAR_WITHIN, MUTED, Marker, PRIMARY, Shape, THIN, TICK, TITLE,
    with_alpha,
};
use anyhow::Result;

/// Whether a higher or a lower value of a criterion is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    HigherIsBetter,
    LowerIsBetter,
}

/// One criterion's score of one number of components.
#[derive(Debug, Clone, PartialEq)]
pub struct PlottedScore {
    pub components: usize,
    /// On the criterion's own scale; the mean over seeds if there are several. NaN if undefined.
    pub estimate: f64,
    /// Standard error of the difference to the best score, which is what the axis shows; NaN if the criterion has
    /// none.
    pub difference_se: f64,
    /// The estimate of each seed, on the same scale. They are drawn if there are two or more.
    pub seeds: Vec<f64>,
    /// An unreliable score is drawn hollow.
    pub reliable: bool,
}

/// The scores of one criterion.
#[derive(Debug, Clone, PartialEq)]
pub struct CriterionPanel {
    pub name: String,
    pub direction: Direction,
    /// From the smallest number of components to the largest.
    pub scores: Vec<PlottedScore>,
    /// K of the best score; `None` if no score is defined.
    pub best: Option<usize>,
    /// The smallest K indistinguishable from the best; `None` for a criterion without a paired test.
    pub smallest_indistinguishable: Option<usize>,
}

/// One panel per criterion, in the given order.
#[derive(Debug, Clone, PartialEq)]
pub struct CriteriaPlot {
    pub panels: Vec<CriterionPanel>,
}

const WIDTH: f64 = 920.0;
const MAX_COLUMNS: usize = 3;
const MARGIN: f64 = 14.0;
/// Space left of a panel for its numbers, above it for two lines of title, and below it for numbers and a
/// name.
const LEFT: f64 = 62.0;
const ABOVE: f64 = 46.0;
const BELOW: f64 = 48.0;
const BELOW_UNNAMED: f64 = 28.0;
const PANEL_HEIGHT: f64 = 150.0;

impl CriteriaPlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let columns = match self.panels.len() {
            4 => 2,
            count => count.clamp(1, MAX_COLUMNS),
        };
        let width = (WIDTH - 2.0 * MARGIN) / columns as f64;
        // The last panel of every column names its axis, so a row without such a panel is lower.
        let names_x = |index: usize| index + columns >= self.panels.len();
        let tops: Vec<f64> = (0..self.panels.len().div_ceil(columns).max(1))
            .scan(MARGIN, |bottom, row| {
                let top = *bottom + ABOVE;
                let named = names_x((row + 1) * columns - 1);
                *bottom = top + PANEL_HEIGHT + if named { BELOW } else { BELOW_UNNAMED };
                Some(top)
            })
            .collect();
        let foot = tops.last().map_or(MARGIN, |top| top + PANEL_HEIGHT + BELOW);
        let keys = self.keys();
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let height = foot + legend::height(&keys, room) + MARGIN;
        let mut scene = Scene::new("Each criterion by number of components", WIDTH, height);
        for (index, criterion) in self.panels.iter().enumerate() {
            let left = MARGIN + (index % columns) as f64 * width + LEFT;
            let panel = self.panel(criterion, left, left + width - LEFT - 10.0, tops[index / columns]);
            criterion.draw(&mut scene, &panel, &self.components(), index % columns == 0, names_x(index));
        }
        legend::draw_rows(&mut scene, (MARGIN + LEFT, foot), &keys, room);
        scene
    }

    /// Every K of any panel, ascending.
    fn components(&self) -> Vec<usize> {
        let scores = self.panels.iter().flat_map(|criterion| &criterion.scores);
        let mut components: Vec<usize> = scores.map(|score| score.components).collect();
        components.sort_unstable();
        components.dedup();
        components
    }

    fn panel(&self, criterion: &CriterionPanel, left: f64, right: f64, top: f64) -> Panel {
        let components = self.components();
        let (first, last) =
            (components.first().copied().unwrap_or(1), components.last().copied().unwrap_or(1));
        let shown = criterion.scores.iter().flat_map(|score| {
            let difference = criterion.difference(score.estimate);
            let se = if score.difference_se.is_finite() { score.difference_se } else { 0.0 };
            let seeds = score.seeds.iter().map(|seed| criterion.difference(*seed));
            seeds.chain([difference - se, difference + se]).collect::<Vec<f64>>()
        });
        let (low, high) = shown
            .filter(|value| value.is_finite())
            .fold((0.0, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)));
        // A margin inside the panel, on the axis as drawn, so that no marker is cut.
        let y = Axis::new(
            low,
            high,
            top + PANEL_HEIGHT - 9.0,
            top + 9.0,
            AxisScale::Asinh { unit: LINEAR_WITHIN },
        )
        .extended(9.0);
        Panel { x: Axis::new(first as f64 - 0.5, last as f64 + 0.5, left, right, AxisScale::Linear), y }
    }

    fn keys(&self) -> Vec<(Key, String)> {
        let scores = || self.panels.iter().flat_map(|criterion| &criterion.scores);
        let mut keys = Vec::new();
        if self.panels.iter().any(|criterion| criterion.best.is_some()) {
            keys.push((Key::Marker(best(false)), "best".to_owned()));
        }
        if self.panels.iter().any(|criterion| criterion.smallest_indistinguishable.is_some()) {
            let text = "smallest K indistinguishable from the best";
            keys.push((Key::Marker(smallest_ring()), text.to_owned()));
        }
        if scores().any(|score| score.difference_se > 0.0) {
            keys.push((
                Key::Interval(point(false)),
                "±1 standard error of the difference to the best".to_owned(),
            ));
        }
        if scores().any(|score| score.seeds.len() > 1) {
            keys.push((Key::Marker(seed()), "individual seeds".to_owned()));
        }
        if scores().any(|score| !score.reliable && score.estimate.is_finite()) {
            keys.push((Key::Marker(point(true)), "unreliable".to_owned()));
        }
        if scores().any(|score| !score.estimate.is_finite()) {
            keys.push((Key::None, "× undefined".to_owned()));
        }
        keys.push((
            Key::None,
            format!("Vertical axes are linear up to about {LINEAR_WITHIN} and logarithmic beyond."),
        ));
        keys
    }
}

impl CriterionPanel {
    fn best_score(&self) -> Option<&PlottedScore> {
        self.scores.iter().find(|score| Some(score.components) == self.best && score.estimate.is_finite())
    }

    /// `estimate` as the axis shows it: measured from the best one.
    fn difference(&self, estimate: f64) -> f64 {
        estimate - self.best_score().map_or(f64::NAN, |best| best.estimate)
    }

    fn draw(&self, scene: &mut Scene, panel: &Panel, components: &[usize], names_y: bool, names_x: bool) {
        self.title(scene, panel);
        if let (Some(k), Some(_)) = (self.smallest_indistinguishable, self.best_score()) {
            let half = (panel.x.position(1.0) - panel.x.position(0.0)).abs().min(40.0) / 2.0;
            let middle = panel.x.position(k as f64);
            scene.rectangle((middle - half, panel.top()), (middle + half, panel.bottom()), BAND);
        }
        if self.best_score().is_some() {
            panel.ticks_y(scene, true);
            // What everything is measured from.
            let zero = panel.y.position(0.0);
            scene.segment((panel.left(), zero), (panel.right(), zero), AXIS, THIN);
            let name = match names_y {
                true => "difference to best",
                false => "",
            };
            panel.label_y(scene, name, LEFT - 14.0);
        } else {
            let middle = ((panel.left() + panel.right()) / 2.0, (panel.top() + panel.bottom()) / 2.0);
            scene.text(middle, "no score is defined", TextStyle::new(LABEL, MUTED, Align::Middle));
        }
        panel.ticks_x_whole(scene, components);
        if names_x {
            panel.label_x(scene, "number of components K");
        }
        panel.frame(scene);
        self.points(scene, panel);
    }

    fn title(&self, scene: &mut Scene, panel: &Panel) {
        let width = panel.right() - panel.left();
        let direction = match self.direction {
            Direction::HigherIsBetter => "higher is better",
            Direction::LowerIsBetter => "lower is better",
        };
        let top = panel.top() - 26.0;
        scene.text((panel.right(), top), direction, TextStyle::new(TICK, MUTED, Align::End));
        let name = truncate(&self.name, TITLE, width - text_width(direction, TICK) - 10.0);
        scene.text((panel.left(), top), name, TextStyle::new(TITLE, INK, Align::Start));
        if let Some(best) = self.best_score() {
            let best = format!("best: {} at K = {}", format_value(best.estimate), best.components);
            scene.text(
                (panel.left(), panel.top() - 10.0),
                truncate(&best, TICK, width),
                TextStyle::new(TICK, MUTED, Align::Start),
            );
        }
    }

    fn points(&self, scene: &mut Scene, panel: &Panel) {
        let mut line = Vec::new();
        for score in &self.scores {
            let (k, difference) = (score.components as f64, self.difference(score.estimate));
            if difference.is_finite() {
                line.push((k, difference));
            } else {
                // A gap in the line is seen; what makes it is said at its foot.
                panel.line(scene, &line, with_alpha(PRIMARY, 0.45), LINE);
                line.clear();
                scene.text(
                    (panel.x.position(k), panel.bottom() - 4.0),
                    "×",
                    TextStyle::new(LABEL, MUTED, Align::Middle),
                );
            }
        }
        panel.line(scene, &line, with_alpha(PRIMARY, 0.45), LINE);
        for score in &self.scores {
            let (k, difference) = (score.components as f64, self.difference(score.estimate));
            if score.seeds.len() > 1 {
                // Beside their mean, so that neither hides the other.
                for estimate in &score.seeds {
                    let at = panel.at(k, self.difference(*estimate));
                    scene.marker((at.0 + 10.0, at.1), seed());
                }
            }
            if score.difference_se > 0.0 {
                let se = score.difference_se;
                panel.line(scene, &[(k, difference - se), (k, difference + se)], PRIMARY, LINE);
            }
            let at = panel.at(k, difference);
            if Some(score.components) == self.smallest_indistinguishable {
                scene.marker(at, smallest_ring());
            }
            let marker = match Some(score.components) == self.best {
                true => best(!score.reliable),
                false => point(!score.reliable),
            };
            scene.marker(at, marker);
        }
    }
}

fn point(hollow: bool) -> Marker {
    Marker { shape: Shape::Circle, colour: PRIMARY, radius: 3.4, hollow }
}

fn best(hollow: bool) -> Marker {
    Marker { shape: Shape::Diamond, colour: PRIMARY, radius: 4.6, hollow }
}

fn smallest_ring() -> Marker {
    Marker { shape: Shape::Circle, colour: HIGHLIGHT, radius: 7.6, hollow: true }
}

fn seed() -> Marker {
    Marker { shape: Shape::Circle, colour: with_alpha(PRIMARY, 0.35), radius: 1.8, hollow: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criterion(name: &str, estimates: &[f64]) -> CriterionPanel {
        let score = |(index, estimate): (usize, &f64)| PlottedScore {
            components: index + 1,
            estimate: *estimate,
            difference_se: 1.5,
            seeds: vec![estimate - 0.5, estimate + 0.5],
            reliable: index % 2 == 0,
        };
        let best =
            estimates.iter().enumerate().filter(|(_, e)| e.is_finite()).max_by(|a, b| a.1.total_cmp(b.1));
        let best = best.map(|(index, _)| index + 1);
        CriterionPanel {
            name: name.to_owned(),
            direction: Direction::HigherIsBetter,
            scores: estimates.iter().enumerate().map(score).collect(),
            best,
            smallest_indistinguishable: best,
        }
    }

    fn scene(estimates: &[f64], panels: usize) -> Scene {
        let names = [
            "aic",
            "bic",
            "icl",
            "waic",
            "loo",
            "kfold",
            "evidence",
            "a criterion whose name does not end 🐧",
        ];
        let panels = names[..panels].iter().map(|name| criterion(name, estimates)).collect();
        CriteriaPlot { panels }.scene()
    }

    #[test]
    fn texts_never_overlap_whatever_the_scores_and_the_number_of_panels() {
        let many: Vec<f64> = (0..40).map(|k| -f64::from(k * k * 100)).collect();
        let cases: [&[f64]; 8] = [
            &[-1290.0, -1134.2, -1136.9, -1139.0, -1142.4],
            &[-5.0],
            &[f64::NAN, f64::NAN, f64::NAN],
            &[f64::NAN, -3.0, f64::NEG_INFINITY],
            &[1e300, -1e300, 0.0],
            &[1e-300, 2e-300],
            &many,
            &[],
        ];
        for estimates in cases {
            for panels in 0..=8 {
                scene(estimates, panels).assert_legible();
            }
        }
    }

    #[test]
    fn every_degenerate_figure_is_drawn() {
        for estimates in [&[-5.0][..], &[f64::NAN, f64::NAN], &[1e300, -1e300], &[]] {
            assert!(scene(estimates, 2).render().is_ok());
        }
    }

    #[test]
    fn a_far_score_leaves_the_differences_near_the_best_apart() {
        let plot = CriteriaPlot { panels: vec![criterion("loo", &[-100_000.0, 0.0, -3.0])] };
        let panel = plot.panel(&plot.panels[0], 0.0, 200.0, 0.0);
        assert!(panel.y.position(-3.0) - panel.y.position(0.0) > 6.0, "a marker's width");
    }
}
