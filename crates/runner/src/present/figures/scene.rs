//! A figure as a list of marks in its own units, independent of any output format.

use super::font::text_width;
use super::style::{Colour, INK, Marker, PAPER, Shape, TICK};

pub type Point = (f64, f64);

/// The font family in the SVG that plotters writes; the renderer replaces it by the figure's own.
pub const FAMILY: &str = "sans-serif";
/// Height of capitals and digits over the type size, in DejaVu Sans.
pub const CAP_HEIGHT: f64 = 0.73;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Start,
    Middle,
    End,
}

/// Size, colour and alignment of a text on its baseline; a `rotated` text reads upwards.
#[derive(Debug, Clone, Copy)]
pub struct TextStyle {
    pub size: f64,
    pub colour: Colour,
    pub align: Align,
    pub rotated: bool,
}

impl TextStyle {
    pub fn new(size: f64, colour: Colour, align: Align) -> Self {
        Self { size, colour, align, rotated: false }
    }

    pub fn tick(align: Align) -> Self {
        Self::new(TICK, INK, align)
    }

    pub fn rotated(self) -> Self {
        Self { rotated: true, ..self }
    }
}

#[derive(Debug, Clone)]
pub enum Mark {
    Line { points: Vec<Point>, colour: Colour, width: f64 },
    Area { points: Vec<Point>, colour: Colour },
    Disc { centre: Point, radius: f64, colour: Colour },
    Text { at: Point, text: String, style: TextStyle },
}

/// Marks in painting order on a white background; x increases to the right, y downwards.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What the figure shows, in a few words: the SVG's title, which screen readers read out.
    pub title: String,
    pub width: f64,
    pub height: f64,
    pub marks: Vec<Mark>,
}

impl Scene {
    pub fn new(title: impl Into<String>, width: f64, height: f64) -> Self {
        Self { title: printable(&title.into()), width, height, marks: Vec::new() }
    }

    /// A line through `points`; a line with an undefined point is not drawn.
    pub fn line(&mut self, points: Vec<Point>, colour: Colour, width: f64) {
        if points.len() > 1 && points.iter().all(is_finite) {
            self.marks.push(Mark::Line { points, colour, width });
        }
    }

    pub fn segment(&mut self, from: Point, to: Point, colour: Colour, width: f64) {
        self.line(vec![from, to], colour, width);
    }

    pub fn area(&mut self, points: Vec<Point>, colour: Colour) {
        if points.len() > 2 && points.iter().all(is_finite) {
            self.marks.push(Mark::Area { points, colour });
        }
    }

    pub fn rectangle(&mut self, (left, top): Point, (right, bottom): Point, colour: Colour) {
        self.area(vec![(left, top), (right, top), (right, bottom), (left, bottom)], colour);
    }

    pub fn disc(&mut self, centre: Point, radius: f64, colour: Colour) {
        if is_finite(&centre) {
            self.marks.push(Mark::Disc { centre, radius, colour });
        }
    }

    pub fn marker(&mut self, at: Point, marker: Marker) {
        let Marker { shape, colour, radius, hollow } = marker;
        if hollow {
            self.shape(at, shape, radius, colour);
            self.shape(at, shape, radius - 1.3, PAPER);
        } else {
            self.shape(at, shape, radius, colour);
        }
    }

    fn shape(&mut self, at: Point, shape: Shape, radius: f64, colour: Colour) {
        // Radii of the polygons whose area is the disc's, so that no cluster looks heavier than another.
        let (sides, radius, turn) = match shape {
            Shape::Circle => return self.disc(at, radius, colour),
            Shape::Triangle => (3, radius * 1.555, 0.25),
            Shape::Square => (4, radius * 1.253, 0.125),
            Shape::Diamond => (4, radius * 1.253, 0.0),
        };
        let corner = |i: usize| {
            let angle = std::f64::consts::TAU * (i as f64 / sides as f64 + turn);
            (at.0 + radius * libm::cos(angle), at.1 - radius * libm::sin(angle))
        };
        self.area((0..sides).map(corner).collect(), colour);
    }

    /// Adds `text` with its baseline through `at`.
    pub fn text(&mut self, at: Point, text: impl AsRef<str>, style: TextStyle) {
        let text = printable(text.as_ref());
        if is_finite(&at) && !text.is_empty() {
            self.marks.push(Mark::Text { at, text, style });
        }
    }

    /// Adds `text` vertically centred on `at`, by the height of its digits.
    pub fn text_beside(&mut self, at: Point, text: impl AsRef<str>, style: TextStyle) {
        let drop = style.size * CAP_HEIGHT / 2.0;
        let at = if style.rotated { (at.0 + drop, at.1) } else { (at.0, at.1 + drop) };
        self.text(at, text, style);
    }
}

fn is_finite(point: &Point) -> bool {
    point.0.is_finite() && point.1.is_finite()
}

/// Control characters are not allowed in XML, and a line break would not be drawn as one.
fn printable(text: &str) -> String {
    let blank = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().map(|c| if blank(c) { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// `text` itself if it fits into `width`; otherwise its beginning and its end with an ellipsis between them, since names of
/// columns often differ only in their last characters.
pub fn truncate(text: &str, size: f64, width: f64) -> String {
    let text = printable(text);
    if text_width(&text, size) <= width {
        return text;
    }
    let characters: Vec<char> = text.chars().collect();
    let shortened = |kept: usize| {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let head: String = characters[..head].iter().collect();
        let tail: String = characters[characters.len() - tail..].iter().collect();
        format!("{}…{}", head.trim_end(), tail.trim_start())
    };
    let counts: Vec<usize> = (0..characters.len()).collect();
    let fitting = counts.partition_point(|&kept| text_width(&shortened(kept), size) <= width);
    shortened(fitting.saturating_sub(1))
}

#[cfg(test)]
impl Scene {
    /// Bounding boxes (left, top, right, bottom) of the texts, with the text.
    pub fn text_boxes(&self) -> Vec<([f64; 4], String)> {
        let boxed = |mark: &Mark| {
            let Mark::Text { at: (x, y), text, style } = mark else { return None };
            let width = text_width(text, style.size);
            let before = match style.align {
                Align::Start => 0.0,
                Align::Middle => width / 2.0,
                Align::End => width,
            };
            let (up, down) = (style.size * CAP_HEIGHT, style.size * 0.2);
            let corners = if style.rotated {
                [x - up, y + before - width, x + down, y + before]
            } else {
                [x - before, y - up, x - before + width, y + down]
            };
            Some((corners, text.clone()))
        };
        self.marks.iter().filter_map(boxed).collect()
    }

    /// Panics if two texts overlap or one extends beyond the figure.
    pub fn assert_legible(&self) {
        let boxes = self.text_boxes();
        for (i, ([left, top, right, bottom], text)) in boxes.iter().enumerate() {
            assert!(
                *left >= 0.0 && *top >= 0.0 && *right <= self.width && *bottom <= self.height,
                "`{text}` extends beyond the figure: {left:.1} {top:.1} {right:.1} {bottom:.1}"
            );
            for ([l, t, r, b], other) in &boxes[..i] {
                let apart = right <= l || r <= left || bottom <= t || b <= top;
                assert!(apart, "`{text}` overlaps `{other}`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitted_text_is_never_wider_than_its_place() {
        for text in [
            "width",
            "a very long column name indeed, in millimetres",
            "🐧🐧🐧🐧🐧🐧🐧🐧",
            "عرض الورقة بالسنتيمتر",
        ] {
            for width in [8.0, 40.0, 90.0] {
                let fitted = truncate(text, 11.0, width);
                assert!(text_width(&fitted, 11.0) <= width.max(text_width("…", 11.0)), "{fitted}");
            }
        }
    }

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_end() {
        let name = |end: &str| truncate(&format!("mean_radius_of_the_cell_nucleus_{end}"), 11.0, 110.0);
        assert!(name("mm").starts_with("mean_") && name("mm").ends_with("s_mm"), "{}", name("mm"));
        assert_ne!(name("mm"), name("cm"));
        assert_eq!(truncate("anything", 11.0, 0.0), "…");
    }

    #[test]
    fn a_text_that_fits_is_kept_whole_but_for_control_characters() {
        assert_eq!(truncate("bill\u{0}length\n", 11.0, 200.0), "bill length");
    }
}
