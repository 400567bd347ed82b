//! Draws how often each selection rule finds the true K: over all data sets, and by each factor of the design.

use anyhow::Result;

use super::axis::{Axis, AxisScale};
use super::figure::Figure;
use super::font::text_width;
use super::legend::{self, Key};
use super::panel::{OVERHANG, Panel};
use super::scene::{Align, Scene, TextStyle, truncate};
use super::style::{
    self, AXIS, HIGHLIGHT, INK, LINE, MUTED, Marker, PRIMARY, Shape, THIN, TICK, TITLE, with_alpha,
};

/// A share of data sets, with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    pub share: f64,
    pub interval: (f64, f64),
}

/// How often one rule finds the true K, over all data sets.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleShares {
    pub name: String,
    /// Whether this is the program's answer, which is drawn in the highlight colour.
    pub is_answer: bool,
    /// Whether the panels of the factors show this rule too.
    pub in_factors: bool,
    pub found: Share,
    /// Shares of the data sets for which the rule picks a smaller or a larger K than the true one.
    pub too_small: f64,
    pub too_large: f64,
}

/// The shares found within the groups of one factor.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorPanel {
    pub name: String,
    /// Labels of the groups.
    pub groups: Vec<String>,
    /// Rules × groups.
    pub found: Vec<Vec<Share>>,
}

/// The shares of several selection rules.
#[derive(Debug, Clone, PartialEq)]
pub struct RecoveryPlot {
    pub rules: Vec<RuleShares>,
    pub factors: Vec<FactorPanel>,
}

const WIDTH: f64 = 920.0;
const MARGIN: f64 = 14.0;
/// Room for the names of the rules, and for the columns of numbers right of their shares.
const NAMES: f64 = 190.0;
const NUMBERS: f64 = 150.0;
/// Height of a rule's row, and of the line above the first.
const ROW: f64 = 22.0;
const HEAD: f64 = 34.0;
/// Room below a panel for its numbers and its name.
const BELOW: f64 = 46.0;
/// Panels of factors: their height, the room left of each, and above.
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 56.0;
const ABOVE: f64 = 30.0;
const COLUMNS: usize = 2;
/// Distance between the rules of one group, as a share of the distance of groups.
const DODGE: f64 = 0.085;

impl RecoveryPlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    /// Indices of the rules that the panels of the factors show.
    fn in_factors(&self) -> Vec<usize> {
        (0..self.rules.len()).filter(|&index| self.rules[index].in_factors).collect()
    }

    fn marker(&self, index: usize, place: usize) -> Marker {
        if self.rules[index].is_answer && place == 0 {
            return Marker { shape: Shape::Circle, colour: HIGHLIGHT, radius: 4.0, hollow: false };
        }
        // Vermilion is reserved for the answer.
        const COLOURS: [usize; 7] = [0, 2, 1, 3, 4, 6, 7];
        let shapes = [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond];
        let colour = style::colour(COLOURS[place.saturating_sub(1) % COLOURS.len()]);
        // Shapes are hollow when they repeat.
        Marker { shape: shapes[place % shapes.len()], colour, radius: 3.2, hollow: place >= shapes.len() }
    }

    fn scene(&self) -> Scene {
        let overall = HEAD + self.rules.len() as f64 * ROW + BELOW;
        let rows = self.factors.len().div_ceil(COLUMNS) as f64;
        let rules = self.in_factors();
        let keys: Vec<(Key, String)> = rules
            .iter()
            .enumerate()
            .map(|(place, &index)| (Key::Interval(self.marker(index, place)), self.rules[index].name.clone()))
            .collect();
        let room = WIDTH - 2.0 * MARGIN;
        let legend = if self.factors.is_empty() { 0.0 } else { legend::height(&keys, room) + MARGIN };
        let height = MARGIN + overall + rows * (ABOVE + HEIGHT + BELOW) + legend;
        let mut scene = Scene::new(
            "Share of data sets for which each rule finds the true number of components",
            WIDTH,
            height,
        );
        self.overall(&mut scene);
        for (index, factor) in self.factors.iter().enumerate() {
            let (row, column) = ((index / COLUMNS) as f64, (index % COLUMNS) as f64);
            let width = (WIDTH - 2.0 * MARGIN) / COLUMNS as f64;
            let left = MARGIN + column * width + LEFT;
            let top = MARGIN + overall + row * (ABOVE + HEIGHT + BELOW) + ABOVE;
            let right = left + width - LEFT - MARGIN;
            self.factor(&mut scene, [left, right, top], factor, &rules);
        }
        if !self.factors.is_empty() {
            legend::draw_rows(&mut scene, (MARGIN, height - legend), &keys, room);
        }
        scene
    }

    fn overall(&self, scene: &mut Scene) {
        let (left, right) = (MARGIN + NAMES, WIDTH - MARGIN - NUMBERS);
        let top = MARGIN + HEAD;
        let bottom = top + self.rules.len() as f64 * ROW;
        let panel = Panel {
            x: Axis::new(0.0, 1.0, left, right, AxisScale::Linear),
            y: Axis::new(0.0, 1.0, bottom, top, AxisScale::Linear),
        };
        scene.text(
            (MARGIN, MARGIN + TITLE),
            "Share of data sets for which the true K is found",
            TextStyle::new(TITLE, INK, Align::Start),
        );
        let muted = |align| TextStyle::new(TICK, MUTED, align);
        let columns = [right + 62.0, right + 108.0, right + NUMBERS];
        for (at, words) in columns.into_iter().zip(["found", "too small", "too large"]) {
            // Two words stand one above the other, so that columns may be narrow.
            let words: Vec<&str> = words.split(' ').collect();
            for (line, word) in words.iter().rev().enumerate() {
                scene.text((at, top - 8.0 - 12.0 * line as f64), word, muted(Align::End));
            }
        }
        panel.ticks_x(scene, OVERHANG);
        for tick in [0.2, 0.4, 0.6, 0.8, 1.0] {
            let x = panel.x.position(tick);
            scene.segment((x, top), (x, bottom), style::GRID_LINE, THIN);
        }
        for (row, rule) in self.rules.iter().enumerate() {
            let y = top + (row as f64 + 0.5) * ROW;
            let colour = if rule.is_answer { HIGHLIGHT } else { PRIMARY };
            let name = truncate(&rule.name, TICK, NAMES - 12.0);
            scene.text_beside((left - 10.0, y), name, TextStyle::new(TICK, INK, Align::End));
            let (low, high) =
                (panel.x.position(rule.found.interval.0), panel.x.position(rule.found.interval.1));
            scene.segment((low, y), (high, y), colour, LINE);
            let radius = if rule.is_answer { 4.4 } else { 3.6 };
            scene.marker(
                (panel.x.position(rule.found.share), y),
                Marker { shape: Shape::Circle, colour, radius, hollow: false },
            );
            for (at, value) in columns.into_iter().zip([rule.found.share, rule.too_small, rule.too_large]) {
                scene.text_beside((at, y), format!("{value:.3}"), TextStyle::tick(Align::End));
            }
        }
        panel.frame(scene);
        panel.label_x(scene, "share found, with 95 % interval");
    }

    fn factor(&self, scene: &mut Scene, [left, right, top]: [f64; 3], factor: &FactorPanel, rules: &[usize]) {
        let n = factor.groups.len() as f64;
        let panel = Panel {
            x: Axis::new(-0.5, n - 0.5, left, right, AxisScale::Linear),
            y: Axis::new(0.0, 1.0, top + HEIGHT, top, AxisScale::Linear),
        };
        panel.ticks_y(scene, true);
        panel.label_y(scene, "share found", LEFT - 14.0);
        let middle = (rules.len() as f64 - 1.0) / 2.0;
        let dodge = DODGE.min(0.7 / rules.len() as f64);
        for (place, &index) in rules.iter().enumerate().rev() {
            let marker = self.marker(index, place);
            let x = |group: usize| group as f64 + dodge * (place as f64 - middle);
            let line: Vec<(f64, f64)> = factor.found[index]
                .iter()
                .enumerate()
                .map(|(group, share)| (x(group), share.share))
                .collect();
            panel.line(scene, &line, with_alpha(marker.colour, 0.45), LINE);
            for (group, share) in factor.found[index].iter().enumerate() {
                let (low, high) = share.interval;
                scene.segment(
                    panel.at(x(group), low),
                    panel.at(x(group), high),
                    with_alpha(marker.colour, 0.6),
                    THIN,
                );
                panel.marker(scene, (x(group), share.share), marker);
            }
        }
        let room = (right - left) / n;
        for (group, label) in factor.groups.iter().enumerate() {
            let at = panel.x.position(group as f64);
            scene.segment((at, panel.bottom()), (at, panel.bottom() + 3.0), AXIS, THIN);
            // Labels of many groups are set smaller before they are cut.
            let size = (TICK * (room - 6.0) / text_width(label, TICK)).clamp(7.5, TICK);
            let label = truncate(label, size, room - 4.0);
            scene.text((at, panel.bottom() + 5.0 + TICK), label, TextStyle::new(size, INK, Align::Middle));
        }
        panel.frame(scene);
        let name = match factor.name.as_str() {
            "N" => "observations N",
            "D" => "features D",
            "K" => "true components K",
            "overlap" => "mean pairwise overlap (K > 1)",
            other => other,
        };
        panel.label_x(scene, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_never_overlap_whatever_the_rules_and_groups() {
        let share = Share { share: 0.71, interval: (0.52, 0.86) };
        for n_rules in [1, 6, 10] {
            for groups in [
                vec!["1", "2"],
                vec!["0.0010–0.0021", "0.0022–0.0047", "0.0048–0.0102", "0.0103–0.0224", "0.0227–0.0500"],
                vec!["1"; 8],
            ] {
                let rule = |i: usize| RuleShares {
                    name: if i == 0 { "answer".to_owned() } else { format!("PSIS-LOO, {i} best (contrast)") },
                    is_answer: i == 0,
                    in_factors: true,
                    found: share,
                    too_small: 0.2,
                    too_large: 0.09,
                };
                let rules: Vec<_> = (0..n_rules).map(rule).collect();
                let groups: Vec<String> = groups.iter().map(|&label| label.to_owned()).collect();
                let found = vec![vec![share; groups.len()]; n_rules];
                let factors = ["N", "D", "K", "overlap"].map(|name| FactorPanel {
                    name: name.to_owned(),
                    groups: groups.clone(),
                    found: found.clone(),
                });
                for n in [0, 1, 4] {
                    RecoveryPlot { rules: rules.clone(), factors: factors[..n].to_vec() }
                        .scene()
                        .assert_legible();
                }
            }
        }
    }
}
