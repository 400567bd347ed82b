//! A rectangle of the figure with two axes, their ticks and labels, and marks in their coordinates.

use super::axis::Axis;
use super::font::text_width;
use super::geometry::clip;
use super::scene::{Align, Point, Scene, TextStyle, truncate};
use super::style::{AXIS, Colour, GRID_LINE, INK, LABEL, Marker, THIN, TICK};

/// A rectangle of the figure with two axes.
#[derive(Debug, Clone, Copy)]
pub struct Panel {
    pub x: Axis,
    pub y: Axis,
}

/// Approximate largest number of ticks of a long axis; more would not help the reader.
const MAX_TICKS: f64 = 8.0;
/// Space between an axis and its tick labels.
const TICK_SPACE: f64 = 5.0;
/// Smallest distance between two ticks: a number and space for x, a line of text and space for y.
const GAP_X: f64 = 32.0;
const GAP_Y: f64 = 24.0;
/// How far tick labels may extend beyond a panel that has no neighbour.
pub const OVERHANG: f64 = 16.0;
/// Largest width of the tick labels left of a panel.
const MAX_NUMBER: f64 = 40.0;

impl Panel {
    pub fn left(&self) -> f64 {
        self.x.start
    }

    pub fn right(&self) -> f64 {
        self.x.end
    }

    pub fn top(&self) -> f64 {
        self.y.end
    }

    pub fn bottom(&self) -> f64 {
        self.y.start
    }

    pub fn at(&self, x: f64, y: f64) -> Point {
        (self.x.position(x), self.y.position(y))
    }

    pub fn contains(&self, x: f64, y: f64) -> bool {
        self.x.contains(x) && self.y.contains(y)
    }

    /// Left and lower edge.
    pub fn frame(&self, scene: &mut Scene) {
        let (left, right, top, bottom) = (self.left(), self.right(), self.top(), self.bottom());
        scene.line(vec![(left, top), (left, bottom), (right, bottom)], AXIS, THIN);
    }

    /// All four edges, for panels in a grid.
    pub fn frame_all(&self, scene: &mut Scene) {
        let (left, right, top, bottom) = (self.left(), self.right(), self.top(), self.bottom());
        scene.line(vec![(left, top), (left, bottom), (right, bottom), (right, top), (left, top)], AXIS, THIN);
    }

    /// Ticks below the panel, as many as fit without touching; labels extend at most `overhang` beyond the panel.
    pub fn ticks_x(&self, scene: &mut Scene, overhang: f64) {
        const SPACE: f64 = 8.0;
        let reach = |(value, text): &(f64, String)| {
            let half = (text_width(text, TICK) + SPACE) / 2.0;
            (self.x.position(*value) - half, self.x.position(*value) + half)
        };
        let mut gap = GAP_X.max(self.x.length() / MAX_TICKS);
        let mut ticks = self.x.ticks(gap);
        while ticks.windows(2).any(|pair| reach(&pair[0]).1 > reach(&pair[1]).0) {
            gap *= 1.25;
            ticks = self.x.ticks(gap);
            if gap > self.x.length() {
                ticks.truncate(1);
            }
        }
        let (low, high) = (self.left() - overhang - SPACE / 2.0, self.right() + overhang + SPACE / 2.0);
        ticks.retain(|tick| reach(tick).0 >= low && reach(tick).1 <= high);
        for (value, text) in ticks {
            self.tick_x(scene, value, &text);
        }
    }

    /// One tick per value; labels that would touch the previous one are left out.
    pub fn ticks_x_whole(&self, scene: &mut Scene, values: &[usize]) {
        let widest =
            values.iter().map(|value| text_width(&value.to_string(), TICK)).fold(0.0, f64::max) + 6.0;
        let mut last = f64::NEG_INFINITY;
        for value in values {
            let at = self.x.position(*value as f64);
            if at - last >= widest {
                self.tick_x(scene, *value as f64, &value.to_string());
                last = at;
            }
        }
    }

    fn tick_x(&self, scene: &mut Scene, value: f64, text: &str) {
        let (x, y) = (self.x.position(value), self.bottom());
        scene.segment((x, y), (x, y + 3.0), AXIS, THIN);
        scene.text((x, y + TICK_SPACE + TICK), text, TextStyle::tick(Align::Middle));
    }

    /// Ticks left of the panel; with `grid_lines`, also a grid line at each.
    pub fn ticks_y(&self, scene: &mut Scene, grid_lines: bool) {
        let ticks = self.tick_values_y();
        // Very long numbers get a smaller font, so that they do not overlap the axis label.
        let widest = ticks.iter().map(|(_, text)| text_width(text, TICK)).fold(0.0, f64::max);
        let style = TextStyle::new(TICK * (MAX_NUMBER / widest).min(1.0), INK, Align::End);
        for (value, text) in ticks {
            let y = self.y.position(value);
            if grid_lines {
                scene.segment((self.left(), y), (self.right(), y), GRID_LINE, THIN);
            }
            scene.segment((self.left() - 3.0, y), (self.left(), y), AXIS, THIN);
            scene.text_beside((self.left() - TICK_SPACE, y), text, style);
        }
    }

    /// Grid lines without ticks, for panels that share the ticks of a neighbour.
    pub fn grid_lines_y(&self, scene: &mut Scene) {
        for (value, _) in self.tick_values_y() {
            let y = self.y.position(value);
            scene.segment((self.left(), y), (self.right(), y), GRID_LINE, THIN);
        }
    }

    fn tick_values_y(&self) -> Vec<(f64, String)> {
        self.y.ticks(GAP_Y.max(self.y.length() / MAX_TICKS))
    }

    pub fn label_x(&self, scene: &mut Scene, name: &str) {
        let middle = (self.left() + self.right()) / 2.0;
        let name = truncate(name, LABEL, self.x.length());
        scene.text(
            (middle, self.bottom() + TICK_SPACE + TICK + 17.0),
            name,
            TextStyle::new(LABEL, INK, Align::Middle),
        );
    }

    /// The label of the vertical axis, reading upwards, `space` left of the panel.
    pub fn label_y(&self, scene: &mut Scene, name: &str, space: f64) {
        let middle = (self.top() + self.bottom()) / 2.0;
        let name = truncate(name, LABEL, self.y.length());
        scene.text((self.left() - space, middle), name, TextStyle::new(LABEL, INK, Align::Middle).rotated());
    }

    /// A line in data coordinates, clipped to the panel.
    pub fn line(&self, scene: &mut Scene, points: &[Point], colour: Colour, width: f64) {
        let placed: Vec<Point> = points.iter().map(|(x, y)| self.at(*x, *y)).collect();
        for part in clip(&placed, (self.left(), self.top()), (self.right(), self.bottom())) {
            scene.line(part, colour, width);
        }
    }

    /// A marker in data coordinates, if it is inside the panel.
    pub fn marker(&self, scene: &mut Scene, (x, y): Point, marker: Marker) {
        if self.contains(x, y) {
            scene.marker(self.at(x, y), marker);
        }
    }
}
