//! How often each judge finds the true K: over all data sets, and by each factor of the design.

use anyhow::Result;

use super::Figure;
use super::axis::{Axis, Spread};
use super::legend::{self, Key};
use super::panel::{OVERHANG, Panel};
use super::scene::{Align, Scene, Type, fit};
use super::style::{
    self, CHOSEN, FRAME, HAIR, INK, LINE, MEASURED, MUTED, Marker, Shape, TICK, TITLE, faint,
};

/// A share with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Data sets.
    pub n: usize,
    pub share: f64,
    pub interval: (f64, f64),
}

/// The shares of several judges.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// Name, whether it is the program's answer, the share found over all sets, the shares too small and too large.
    pub judges: Vec<(String, bool, Share, f64, f64)>,
    /// Name, the groups' labels, and of every judge the shares in these groups.
    pub factors: Vec<(String, Vec<String>, Vec<Vec<Share>>)>,
}

const WIDTH: f64 = 920.0;
const MARGIN: f64 = 14.0;
/// Room for the judges' names, and for the two columns of numbers right of their shares.
const NAMES: f64 = 190.0;
const NUMBERS: f64 = 150.0;
/// Height of a judge's row, and of the line above the first.
const ROW: f64 = 22.0;
const HEAD: f64 = 34.0;
/// Room below a panel for its numbers and its name.
const BELOW: f64 = 46.0;
/// Panels of factors: their height, the room left of each, and above.
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 56.0;
const ABOVE: f64 = 30.0;
const COLUMNS: usize = 2;
/// Distance between judges of one group, as a share of the distance of groups.
const DODGE: f64 = 0.085;

impl Recovery {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    /// The judges whose shares are followed over the factors, by their place: the answer, and every criterion's best.
    fn followed(&self) -> Vec<usize> {
        let followed =
            |(_, (name, ..)): &(usize, &(String, bool, Share, f64, f64))| !name.contains("simplest");
        self.judges.iter().enumerate().filter(followed).map(|(index, _)| index).collect()
    }

    fn marker(&self, index: usize, place: usize) -> Marker {
        if self.judges[index].1 && place == 0 {
            return Marker { shape: Shape::Circle, colour: CHOSEN, radius: 4.0, hollow: false };
        }
        // Vermilion is the answer's.
        const COLOURS: [usize; 7] = [0, 2, 1, 3, 4, 6, 7];
        let shapes = [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond];
        let colour = style::colour(COLOURS[place.saturating_sub(1) % COLOURS.len()]);
        // Shapes that come again are hollow.
        Marker { shape: shapes[place % shapes.len()], colour, radius: 3.2, hollow: place >= shapes.len() }
    }

    fn scene(&self) -> Scene {
        let overall = HEAD + self.judges.len() as f64 * ROW + BELOW;
        let rows = self.factors.len().div_ceil(COLUMNS) as f64;
        let followed = self.followed();
        let keys: Vec<(Key, String)> = followed
            .iter()
            .enumerate()
            .map(|(place, &index)| (Key::Interval(self.marker(index, place)), self.judges[index].0.clone()))
            .collect();
        let room = WIDTH - 2.0 * MARGIN;
        let legend = if self.factors.is_empty() { 0.0 } else { legend::height(&keys, room) + MARGIN };
        let height = MARGIN + overall + rows * (ABOVE + HEIGHT + BELOW) + legend;
        let mut scene = Scene::new("Share of data sets whose number of components is found", WIDTH, height);
        self.overall(&mut scene);
        for (index, (name, labels, shares)) in self.factors.iter().enumerate() {
            let (row, column) = ((index / COLUMNS) as f64, (index % COLUMNS) as f64);
            let width = (WIDTH - 2.0 * MARGIN) / COLUMNS as f64;
            let left = MARGIN + column * width + LEFT;
            let top = MARGIN + overall + row * (ABOVE + HEIGHT + BELOW) + ABOVE;
            let right = left + width - LEFT - MARGIN;
            self.factor(&mut scene, [left, right, top], (name, labels, shares), &followed);
        }
        if !self.factors.is_empty() {
            legend::across(&mut scene, (MARGIN, height - legend), &keys, room);
        }
        scene
    }

    fn overall(&self, scene: &mut Scene) {
        let (left, right) = (MARGIN + NAMES, WIDTH - MARGIN - NUMBERS);
        let top = MARGIN + HEAD;
        let bottom = top + self.judges.len() as f64 * ROW;
        let panel = Panel {
            x: Axis::new(0.0, 1.0, left, right, Spread::Linear),
            y: Axis::new(0.0, 1.0, bottom, top, Spread::Linear),
        };
        scene.text(
            (MARGIN, MARGIN + TITLE),
            "Share of data sets whose K is found",
            Type::new(TITLE, INK, Align::Start),
        );
        let muted = |align| Type::new(TICK, MUTED, align);
        let columns = [right + 62.0, right + 108.0, right + NUMBERS];
        for (at, words) in columns.into_iter().zip(["found", "too small", "too large"]) {
            // Two words stand one above the other, so that columns may be narrow.
            let words: Vec<&str> = words.split(' ').collect();
            for (line, word) in words.iter().rev().enumerate() {
                scene.text((at, top - 8.0 - 12.0 * line as f64), word, muted(Align::End));
            }
        }
        panel.number_x(scene, OVERHANG);
        for tick in [0.2, 0.4, 0.6, 0.8, 1.0] {
            let x = panel.x.position(tick);
            scene.segment((x, top), (x, bottom), style::RULE, HAIR);
        }
        for (row, (name, is_answer, share, too_small, too_large)) in self.judges.iter().enumerate() {
            let y = top + (row as f64 + 0.5) * ROW;
            let colour = if *is_answer { CHOSEN } else { MEASURED };
            let name = fit(name, TICK, NAMES - 12.0);
            scene.text_beside((left - 10.0, y), name, Type::new(TICK, INK, Align::End));
            let (low, high) = (panel.x.position(share.interval.0), panel.x.position(share.interval.1));
            scene.segment((low, y), (high, y), colour, LINE);
            let radius = if *is_answer { 4.4 } else { 3.6 };
            scene.marker(
                (panel.x.position(share.share), y),
                Marker { shape: Shape::Circle, colour, radius, hollow: false },
            );
            for (at, value) in columns.into_iter().zip([share.share, *too_small, *too_large]) {
                scene.text_beside((at, y), format!("{value:.3}"), Type::tick(Align::End));
            }
        }
        panel.frame(scene);
        panel.name_x(scene, "share found, with a 95 % interval");
    }

    fn factor(
        &self,
        scene: &mut Scene,
        [left, right, top]: [f64; 3],
        (name, labels, shares): (&str, &[String], &[Vec<Share>]),
        followed: &[usize],
    ) {
        let n = labels.len() as f64;
        let panel = Panel {
            x: Axis::new(-0.5, n - 0.5, left, right, Spread::Linear),
            y: Axis::new(0.0, 1.0, top + HEIGHT, top, Spread::Linear),
        };
        panel.number_y(scene, true);
        panel.name_y(scene, "share found", LEFT - 14.0);
        let middle = (followed.len() as f64 - 1.0) / 2.0;
        let dodge = DODGE.min(0.7 / followed.len() as f64);
        for (place, &index) in followed.iter().enumerate().rev() {
            let marker = self.marker(index, place);
            let x = |group: usize| group as f64 + dodge * (place as f64 - middle);
            let line: Vec<(f64, f64)> =
                shares[index].iter().enumerate().map(|(group, share)| (x(group), share.share)).collect();
            panel.line(scene, &line, faint(marker.colour, 0.45), LINE);
            for (group, share) in shares[index].iter().enumerate() {
                let (low, high) = share.interval;
                scene.segment(
                    panel.at(x(group), low),
                    panel.at(x(group), high),
                    faint(marker.colour, 0.6),
                    HAIR,
                );
                panel.marker(scene, (x(group), share.share), marker);
            }
        }
        let room = (right - left) / n;
        for (group, label) in labels.iter().enumerate() {
            let at = panel.x.position(group as f64);
            scene.segment((at, panel.bottom()), (at, panel.bottom() + 3.0), FRAME, HAIR);
            // Labels of many groups are set smaller before they are cut.
            let size = (TICK * (room - 6.0) / super::font::text_width(label, TICK)).clamp(7.5, TICK);
            let label = fit(label, size, room - 4.0);
            scene.text((at, panel.bottom() + 5.0 + TICK), label, Type::new(size, INK, Align::Middle));
        }
        panel.frame(scene);
        let name = match name {
            "N" => "observations N",
            "D" => "features D",
            "K" => "true components K",
            "overlap" => "average overlap of two components (where K > 1)",
            other => other,
        };
        panel.name_x(scene, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_never_overlap_whatever_the_judges_and_groups() {
        let share = Share { n: 30, share: 0.71, interval: (0.52, 0.86) };
        for n_judges in [1, 6, 10] {
            for groups in [
                vec!["1", "2"],
                vec!["0.0010–0.0021", "0.0022–0.0047", "0.0048–0.0102", "0.0103–0.0224", "0.0227–0.0500"],
                vec!["1"; 8],
            ] {
                let judges: Vec<_> = (0..n_judges)
                    .map(|i| {
                        (
                            if i == 0 {
                                "answer".to_owned()
                            } else {
                                format!("PSIS-LOO, {i} best (contrast)")
                            },
                            i == 0,
                            share,
                            0.2,
                            0.09,
                        )
                    })
                    .collect();
                let labels: Vec<String> = groups.iter().map(|&label| label.to_owned()).collect();
                let shares = vec![vec![share; labels.len()]; n_judges];
                let factors =
                    ["N", "D", "K", "overlap"].map(|name| (name.to_owned(), labels.clone(), shares.clone()));
                for n in [0, 1, 4] {
                    Recovery { judges: judges.clone(), factors: factors[..n].to_vec() }
                        .scene()
                        .assert_legible();
                }
            }
        }
    }
}
