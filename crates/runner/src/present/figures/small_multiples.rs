//! Panels of the same size and axes, arranged row by row.

use super::axis::Axis;
use super::font::text_width;
use super::panel::Panel;
use super::scene::{Align, Scene, TextStyle, truncate};
use super::style::{INK, MUTED, TICK, TITLE};

/// The arrangement of the panels.
#[derive(Debug, Clone, Copy)]
pub struct SmallMultiples {
    pub n: usize,
    pub columns: usize,
    /// Height of a panel's axis.
    pub height: f64,
}

pub const WIDTH: f64 = 920.0;
pub const MARGIN: f64 = 14.0;
/// Room left of the first panel of a row, for the axis' numbers and name, and between panels.
pub const LEFT: f64 = 62.0;
const BETWEEN: f64 = 26.0;
/// Room above a panel, for two lines, and below it, for numbers.
const ABOVE: f64 = 40.0;
const BELOW: f64 = 24.0;
/// Room below the last row, for the axis' name.
const FOOT: f64 = 22.0;

impl SmallMultiples {
    fn rows(&self) -> usize {
        self.n.div_ceil(self.columns).max(1)
    }

    /// Position below the panels, where a legend can start.
    pub fn bottom(&self) -> f64 {
        MARGIN + self.rows() as f64 * (ABOVE + self.height + BELOW) + FOOT
    }

    /// Edges of the axes of panel `index`: left, right, top, bottom.
    fn edges(&self, index: usize) -> [f64; 4] {
        let (row, column) = (index / self.columns, index % self.columns);
        let gaps = (self.columns - 1) as f64 * BETWEEN;
        let width = (WIDTH - 2.0 * MARGIN - LEFT - gaps) / self.columns as f64;
        let left = MARGIN + LEFT + column as f64 * (width + BETWEEN);
        let top = MARGIN + ABOVE + row as f64 * (ABOVE + self.height + BELOW);
        [left, left + width, top, top + self.height]
    }

    /// Panel `index` with ticks, and with axis labels in the first column and the last row.
    ///
    /// `axes` makes both axes from their edges: start and end of x, then of y.
    pub fn panel(
        &self,
        scene: &mut Scene,
        index: usize,
        axes: impl Fn([f64; 2], [f64; 2]) -> (Axis, Axis),
        (name_x, name_y): (&str, &str),
    ) -> Panel {
        let [left, right, top, bottom] = self.edges(index);
        let (x, y) = axes([left, right], [bottom, top]);
        let panel = Panel { x, y };
        panel.ticks_x(scene, BETWEEN / 2.0 - 4.0);
        if index.is_multiple_of(self.columns) {
            panel.ticks_y(scene, false);
            panel.label_y(scene, name_y, LEFT - 12.0);
        }
        // The last panel of each column has none below it.
        if index + self.columns >= self.n {
            panel.label_x(scene, name_x);
        }
        panel
    }

    /// A panel's heading: its title, an optional line below it, and a number at the right.
    pub fn head(&self, scene: &mut Scene, index: usize, title: &str, below: Option<&str>, number: &str) {
        let [left, right, top, _] = self.edges(index);
        let room = right - left - text_width(number, TICK) - 6.0;
        let muted = |align| TextStyle::new(TICK, MUTED, align);
        // A long title gets a smaller font before it is truncated.
        let mut heading = |y: f64, width: f64| {
            let size = (TITLE * width / text_width(title, TITLE)).clamp(TICK, TITLE);
            scene.text((left, y), truncate(title, size, width), TextStyle::new(size, INK, Align::Start));
        };
        match below {
            Some(below) => {
                heading(top - 24.0, right - left);
                scene.text((left, top - 8.0), truncate(below, TICK, room), muted(Align::Start));
            }
            None => scene.text(
                (left, top - 8.0),
                truncate(title, TITLE, room),
                TextStyle::new(TITLE, INK, Align::Start),
            ),
        }
        scene.text((right, top - 8.0), number, muted(Align::End));
    }
}
