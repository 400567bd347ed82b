//! The legend of a figure of a fitted mixture, and its note on thinning.

use super::plot::{Component, MASSES, MixturePlot};
use crate::present::figures::legend::{self, Key};
use crate::present::figures::scene::{Align, Point, Scene, TextStyle};
use crate::present::figures::style::{self, Colour, INK, LINE, MUTED, THICK, TICK, TITLE};

/// Components with an entry in the legend. The others are recognised by the numbers on their ellipses.
const MAX_KEYS: usize = 12;

/// Greys of the level lines, darkest around the innermost region.
pub fn level_colour(index: usize) -> Colour {
    const GREYS: [u8; MASSES.len()] = [70, 125, 175];
    style::grey(GREYS[index])
}

impl MixturePlot {
    /// Number and weight of each component.
    pub fn component_keys(&self, key: impl Fn(usize) -> Key) -> Vec<(Key, String)> {
        let count = self.components.len();
        let entry = |(index, component): (usize, &Component)| {
            (key(index), format!("{}: weight {:.2}", index + 1, component.weight))
        };
        let mut keys: Vec<(Key, String)> =
            self.components.iter().enumerate().map(entry).take(MAX_KEYS).collect();
        if count > MAX_KEYS {
            keys.push((Key::None, format!("and {} more components", count - MAX_KEYS)));
        }
        keys
    }

    pub fn density_key(&self) -> Vec<(Key, String)> {
        let mut keys = vec![(Key::Band(style::BAR), "data".to_owned())];
        if !self.marginals.is_empty() {
            keys.insert(0, (Key::Line { colour: INK, width: THICK }, "posterior predictive".to_owned()));
        }
        keys
    }

    pub fn region_keys(&self) -> Vec<(Key, String)> {
        let mut keys =
            vec![(Key::Line { colour: style::colour(0), width: LINE }, "95 % of a component".to_owned())];
        if !self.pairs.is_empty() {
            let line = |(index, mass): (usize, &f64)| {
                (
                    Key::Line { colour: level_colour(index), width: LINE },
                    format!("{:.0} % of the mixture", mass * 100.0),
                )
            };
            keys.extend(MASSES.iter().enumerate().map(line));
        }
        keys
    }

    /// A column of keys under the number of components.
    pub fn legend(&self, scene: &mut Scene, (left, top): Point, width: f64, keys: &[(Key, String)]) {
        let heading = format!("K = {}", self.components.len());
        scene.text((left, top + TITLE * 0.8), heading, TextStyle::new(TITLE, INK, Align::Start));
        legend::draw_column(scene, (left, top + TITLE + 8.0), keys, width);
    }

    pub fn note_thinning(&self, scene: &mut Scene, at: Point, panels: usize) {
        let stride = self.stride(panels);
        if stride > 1 {
            let note = format!("About one in {stride} of {} observations is drawn.", self.clusters.len());
            scene.text(at, note, TextStyle::new(TICK, MUTED, Align::Start));
        }
    }
}
