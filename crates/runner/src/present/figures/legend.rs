//! Legends: keys to a figure's marks, outside its panels.

use super::font::text_width;
use super::scene::{Align, Point, Scene, TextStyle, truncate};
use super::style::{Colour, INK, LINE, Marker, TICK};

/// The mark that a legend entry shows before its text.
#[derive(Debug, Clone, Copy)]
pub enum Key {
    Marker(Marker),
    Line {
        colour: Colour,
        width: f64,
    },
    Band(Colour),
    /// A vertical interval with a marker on it.
    Interval(Marker),
    /// Text only.
    None,
}

/// Width of a key and its distance to the text, the space between entries, and the height of a row.
const KEY: f64 = 18.0;
const GAP: f64 = 5.0;
const BETWEEN: f64 = 18.0;
pub const ROW: f64 = 17.0;

fn draw(scene: &mut Scene, (x, y): Point, key: Key) {
    let middle = (x + KEY / 2.0, y);
    match key {
        Key::Marker(marker) => scene.marker(middle, marker),
        Key::Line { colour, width } => scene.segment((x, y), (x + KEY, y), colour, width),
        Key::Band(colour) => scene.rectangle((x, y - 5.0), (x + KEY, y + 5.0), colour),
        Key::Interval(marker) => {
            scene.segment((middle.0, y - 7.0), (middle.0, y + 7.0), marker.colour, LINE);
            scene.marker(middle, marker);
        }
        Key::None => {}
    }
}

/// Distance from the start of an entry to its text.
fn indent(key: Key) -> f64 {
    if matches!(key, Key::None) { 0.0 } else { KEY + GAP }
}

/// The entries in rows no wider than `width`, each with its horizontal position.
fn rows(entries: &[(Key, String)], width: f64) -> Vec<Vec<(f64, &(Key, String))>> {
    let mut rows: Vec<Vec<(f64, &(Key, String))>> = Vec::new();
    let mut x = f64::INFINITY;
    for entry in entries {
        let needs = indent(entry.0) + text_width(&entry.1, TICK);
        if x + needs > width {
            rows.push(Vec::new());
            x = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((x, entry));
        }
        x += needs + BETWEEN;
    }
    rows
}

/// Height of the entries drawn by [`draw_rows`].
pub fn height(entries: &[(Key, String)], width: f64) -> f64 {
    rows(entries, width).len() as f64 * ROW
}

/// Draws the entries in rows, from the upper left corner `(left, top)`.
pub fn draw_rows(scene: &mut Scene, (left, top): Point, entries: &[(Key, String)], width: f64) {
    for (index, row) in rows(entries, width).into_iter().enumerate() {
        let y = top + (index as f64 + 0.5) * ROW;
        for (x, (key, text)) in row {
            draw(scene, (left + x, y), *key);
            scene.text_beside((left + x + indent(*key), y), text, TextStyle::new(TICK, INK, Align::Start));
        }
    }
}

/// Draws the entries below one another, from the upper left corner `(left, top)`.
pub fn draw_column(scene: &mut Scene, (left, top): Point, entries: &[(Key, String)], width: f64) {
    for (index, (key, text)) in entries.iter().enumerate() {
        let y = top + (index as f64 + 0.5) * ROW;
        draw(scene, (left, y), *key);
        let text = truncate(text, TICK, width - indent(*key));
        scene.text_beside((left + indent(*key), y), text, TextStyle::new(TICK, INK, Align::Start));
    }
}
