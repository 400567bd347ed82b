//! A sheet of pixels and the marks on it, their edges smooth in every direction.

use super::font::draw_text;
use super::scene::Point;
use super::style::Colour;
use ab_glyph_rasterizer::{Rasterizer, point};

/// An RGB image on white paper. Coordinates are in pixels from its upper left corner.
pub struct Sheet {
    pub width: usize,
    pub height: usize,
    /// Rows of red, green, blue.
    pub pixels: Vec<u8>,
    /// Share of each pixel, in 255ths, that the mark which is being drawn covers: its parts may overlap, and a colour that
    /// is not opaque must still be laid on once. Zero between two marks.
    coverage: Vec<u8>,
}

/// Whole pixels from `left` to `right` and from `top` to `bottom`, ends excluded.
#[derive(Clone, Copy)]
struct Span {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

/// One piece of a line. It is cut off straight where the line ends, and rounded where the next piece joins.
struct Piece {
    from: (f32, f32),
    /// Direction, of length one.
    along: (f32, f32),
    length: f32,
    cut: [bool; 2],
}

impl Piece {
    /// How far along the piece a point stands.
    fn run(&self, x: f32, y: f32) -> f32 {
        (x - self.from.0) * self.along.0 + (y - self.from.1) * self.along.1
    }

    /// Its distance from the straight line that the piece is part of.
    fn across(&self, x: f32, y: f32) -> f32 {
        ((x - self.from.0) * self.along.1 - (y - self.from.1) * self.along.0).abs()
    }

    /// Share of the pixel around `(x, y)` that the piece of a line covers, `half` its width from its middle.
    fn coverage(&self, x: f32, y: f32, half: f32) -> f32 {
        let (run, across) = (self.run(x, y), self.across(x, y));
        let mut cover = match (-run, run - self.length) {
            (before, _) if before > 0.0 && !self.cut[0] => half + 0.5 - distance(before, across),
            (_, behind) if behind > 0.0 && !self.cut[1] => half + 0.5 - distance(behind, across),
            _ => half + 0.5 - across,
        };
        cover = cover.clamp(0.0, 1.0);
        if self.cut[0] {
            cover *= (run + 0.5).clamp(0.0, 1.0);
        }
        if self.cut[1] {
            cover *= (self.length - run + 0.5).clamp(0.0, 1.0);
        }
        cover
    }
}

/// Pythagoras, without the care for extreme numbers that makes `hypot` slow.
fn distance(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

/// Where the parts of a mark overlap the larger share counts: the edges of one are inside another.
fn cover(cell: &mut u8, share: f32) {
    // A half is added and the rest cut off: rounding, of a number that is not negative.
    *cell = (*cell).max((share * 255.0 + 0.5) as u8);
}

impl Sheet {
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![255; 3 * width * height], coverage: vec![0; width * height] }
    }

    /// Pixels that a rectangle touches, as far as they are on the sheet.
    fn span(&self, (left, top): Point, (right, bottom): Point) -> Span {
        // Casts cut off, which rounds down, and saturate: what is left of the sheet or above it begins with its first pixel.
        let (right, bottom) =
            ((right.ceil() as usize).min(self.width), (bottom.ceil() as usize).min(self.height));
        Span { left: (left as usize).min(right), right, top: (top as usize).min(bottom), bottom }
    }

    /// Pixels of the rectangle around points, and `reach` more on every side.
    fn span_around(&self, points: &[Point], reach: f64) -> Span {
        let least = |part: fn(&Point) -> f64| points.iter().map(part).fold(f64::INFINITY, f64::min) - reach;
        let most =
            |part: fn(&Point) -> f64| points.iter().map(part).fold(f64::NEG_INFINITY, f64::max) + reach;
        self.span((least(|p| p.0), least(|p| p.1)), (most(|p| p.0), most(|p| p.1)))
    }

    /// Lays `colour` on what the mark covers, and makes ready for the next one.
    fn lay(&mut self, colour: Colour, span: Span) {
        const FULL: u32 = 255 * 255;
        // Pixels that one comparison passes over.
        const RUN: usize = 16;
        let Colour { 0: red, 1: green, 2: blue, 3: alpha } = colour;
        let opacity = (alpha * 255.0).round() as u32;
        for row in span.top..span.bottom {
            let row = row * self.width + span.left..row * self.width + span.right;
            let pixels = self.pixels[3 * row.start..3 * row.end].as_chunks_mut::<3>().0;
            for (covered, pixels) in self.coverage[row].chunks_mut(RUN).zip(pixels.chunks_mut(RUN)) {
                // Most of a rectangle around lines is not covered.
                if *covered == [0; RUN] {
                    continue;
                }
                for (covered, pixel) in covered.iter_mut().zip(pixels) {
                    if *covered == 0 {
                        continue;
                    }
                    let share = opacity * u32::from(std::mem::take(covered));
                    for (below, above) in pixel.iter_mut().zip([red, green, blue]) {
                        let mixed = (FULL - share) * u32::from(*below) + share * u32::from(above);
                        *below = ((mixed + FULL / 2) / FULL) as u8;
                    }
                }
            }
        }
    }

    /// A line through `points`, joints rounded, ends cut off straight; closed if it ends where it began.
    pub fn line(&mut self, points: &[Point], width: f64, colour: Colour) {
        let half = (width / 2.0) as f32;
        let pieces: Vec<_> = points.windows(2).filter(|pair| pair[0] != pair[1]).collect();
        let Some(last) = pieces.len().checked_sub(1) else { return };
        let closed = points.first() == points.last();
        for (index, pair) in pieces.iter().enumerate() {
            let (from, to) = (pair[0], pair[1]);
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            let piece = Piece {
                from: (from.0 as f32, from.1 as f32),
                along: (((to.0 - from.0) / length) as f32, ((to.1 - from.1) / length) as f32),
                length: length as f32,
                cut: [index == 0 && !closed, index == last && !closed],
            };
            self.piece(&piece, pair, half);
        }
        self.lay(colour, self.span_around(points, width / 2.0 + 1.0));
    }

    fn piece(&mut self, piece: &Piece, ends: &[Point], half: f32) {
        let reach = f64::from(half) + 0.5;
        let whole = self.span_around(ends, reach);
        // The part of a row within reach of the straight line that the piece is part of: a steep line crosses few of the
        // pixels in the rectangle around it. A level one has no slope and is within reach of all of them.
        let (across, up) = (ends[1].0 - ends[0].0, ends[1].1 - ends[0].1);
        let (slope, half_width) = if up == 0.0 {
            (0.0, f64::INFINITY)
        } else {
            (across / up, reach * f64::from(piece.length) / up.abs() + 1.0)
        };
        for row in whole.top..whole.bottom {
            let y = row as f64 + 0.5;
            let middle = ends[0].0 + (y - ends[0].1) * slope;
            // One pixel too many at either end is not covered, and changes nothing.
            let (left, right) = ((middle - half_width) as usize, (middle + half_width) as usize);
            let columns = left.max(whole.left)..right.saturating_add(1).min(whole.right);
            let Some(last) = columns.len().checked_sub(1) else { continue };
            let (x, y) = (columns.start as f32 + 0.5, y as f32);
            let cells = self.coverage[row * self.width..][columns].iter_mut().enumerate();
            let runs = [piece.run(x, y), piece.run(x + last as f32, y)];
            if runs.iter().all(|&run| 0.5 <= run && run <= piece.length - 0.5) {
                // Far from both ends, as most of a long piece is.
                for (column, cell) in cells {
                    let across = piece.across(x + column as f32, y);
                    cover(cell, (half + 0.5 - across).clamp(0.0, 1.0));
                }
            } else {
                for (column, cell) in cells {
                    cover(cell, piece.coverage(x + column as f32, y, half));
                }
            }
        }
    }

    pub fn disc(&mut self, centre: Point, radius: f64, colour: Colour) {
        let span = self.span_around(&[centre], radius + 0.5);
        for row in span.top..span.bottom {
            for column in span.left..span.right {
                let (x, y) = (column as f64 + 0.5 - centre.0, row as f64 + 0.5 - centre.1);
                let share = (radius as f32 + 0.5 - distance(x as f32, y as f32)).clamp(0.0, 1.0);
                cover(&mut self.coverage[row * self.width + column], share);
            }
        }
        self.lay(colour, span);
    }

    /// The inside of a polygon whose sides do not cross.
    pub fn area(&mut self, corners: &[Point], colour: Colour) {
        // What reaches beyond the sheet is pressed onto its border, where the rasteriser needs it to be.
        let (width, height) = (self.width as f64, self.height as f64);
        let corners: Vec<Point> =
            corners.iter().map(|&(x, y)| (x.clamp(0.0, width), y.clamp(0.0, height))).collect();
        let span = self.span_around(&corners, 0.0);
        if span.left >= span.right || span.top >= span.bottom {
            return;
        }
        let mut rasterizer = Rasterizer::new(span.right - span.left, span.bottom - span.top);
        let placed = |(x, y): Point| point((x - span.left as f64) as f32, (y - span.top as f64) as f32);
        for (from, to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
            rasterizer.draw_line(placed(*from), placed(*to));
        }
        rasterizer.for_each_pixel_2d(|column, row, share| {
            let (x, y) = (span.left + column as usize, span.top + row as usize);
            cover(&mut self.coverage[y * self.width + x], share.min(1.0));
        });
        self.lay(colour, span);
    }

    /// A text of a type size whose baseline starts at `at`; `turned` reads upwards.
    pub fn text(&mut self, text: &str, size: f64, at: Point, turned: bool, colour: Colour) {
        let mut touched: Option<Span> = None;
        // In the frame of a turned text columns run up the sheet and rows across it.
        let start = if turned { (-at.1, at.0) } else { at };
        draw_text(text, size, start, |column, row, share| {
            let (x, y) = if turned { (row, -1 - column) } else { (column, row) };
            if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y))
                && x < self.width
                && y < self.height
            {
                cover(&mut self.coverage[y * self.width + x], share);
                let span = touched.get_or_insert(Span { left: x, right: x, top: y, bottom: y });
                (span.left, span.right) = (span.left.min(x), span.right.max(x + 1));
                (span.top, span.bottom) = (span.top.min(y), span.bottom.max(y + 1));
            }
        });
        if let Some(span) = touched {
            self.lay(colour, span);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::style::{INK, PAPER, with_alpha};
    use super::*;
    use plotters::style::RGBAColor;

    const BLACK: Colour = RGBAColor(0, 0, 0, 1.0);

    /// Blackness of the sheet, in pixels.
    fn ink(sheet: &Sheet) -> f64 {
        sheet.pixels.iter().map(|&value| f64::from(255 - value) / 255.0).sum::<f64>() / 3.0
    }

    fn drawn(draw: impl FnOnce(&mut Sheet)) -> Sheet {
        let mut sheet = Sheet::new(60, 40);
        draw(&mut sheet);
        assert!(sheet.coverage.iter().all(|&covered| covered == 0), "the next mark starts clean");
        sheet
    }

    #[test]
    fn a_line_covers_its_length_times_its_width_at_any_slope() {
        for to in [(50.0, 10.3), (40.2, 33.9), (10.3, 35.0), (12.1, 30.0)] {
            let from = (10.3, 10.3);
            let sheet = drawn(|sheet| sheet.line(&[from, to], 3.0, BLACK));
            let area = 3.0 * (to.0 - from.0).hypot(to.1 - from.1);
            assert!((ink(&sheet) / area - 1.0).abs() < 0.02, "{to:?}: {} for {area}", ink(&sheet));
        }
    }

    #[test]
    fn discs_and_polygons_cover_their_areas() {
        let disc = drawn(|sheet| sheet.disc((20.2, 20.7), 5.0, BLACK));
        assert!((ink(&disc) / (std::f64::consts::PI * 25.0) - 1.0).abs() < 0.02, "{}", ink(&disc));
        let triangle = drawn(|sheet| sheet.area(&[(5.5, 5.25), (45.5, 5.25), (5.5, 35.25)], BLACK));
        assert!((ink(&triangle) / 600.0 - 1.0).abs() < 0.005, "{}", ink(&triangle));
    }

    #[test]
    fn a_line_that_crosses_itself_is_no_darker_there() {
        let points = [(5.0, 20.0), (55.0, 20.0), (30.0, 5.0), (30.0, 35.0)];
        let sheet = drawn(|sheet| sheet.line(&points, 4.0, with_alpha(BLACK, 0.5)));
        assert_eq!(sheet.pixels.iter().min(), Some(&127));
    }

    #[test]
    fn a_closed_line_has_no_ends() {
        let square = [(10.0, 10.0), (30.0, 10.0), (30.0, 30.0), (10.0, 30.0), (10.0, 10.0)];
        let sheet = drawn(|sheet| sheet.line(&square, 4.0, BLACK));
        let at = |x: usize, y: usize| sheet.pixels[3 * (y * sheet.width + x)];
        assert_eq!([at(9, 9), at(30, 9), at(30, 30), at(9, 30)], [at(9, 9); 4]);
        assert!(at(9, 9) < 40, "{}", at(9, 9));
    }

    #[test]
    fn a_turned_text_is_the_upright_one_turned() {
        let upright = drawn(|sheet| sheet.text("Rd", 20.0, (4.0, 30.0), false, INK));
        let turned = drawn(|sheet| sheet.text("Rd", 20.0, (30.0, 36.0), true, INK));
        let at = |sheet: &Sheet, x: usize, y: usize| sheet.pixels[3 * (y * sheet.width + x)];
        for along in 0..30 {
            for up in 0..20 {
                assert_eq!(at(&upright, 4 + along, 29 - up), at(&turned, 29 - up, 35 - along));
            }
        }
        assert!(ink(&upright) > 20.0);
    }

    #[test]
    fn marks_beyond_the_sheet_are_left_out() {
        let sheet = drawn(|sheet| {
            sheet.disc((-50.0, 1e9), 3.0, BLACK);
            sheet.disc((1e9, 10.0), 3.0, BLACK);
            sheet.line(&[(-40.0, -9.0), (1e9, -9.0)], 2.0, BLACK);
            sheet.line(&[(-1e9, 50.0), (-3.0, 1e9)], 2.0, BLACK);
            sheet.area(&[(-9.0, -9.0), (-2.0, -9.0), (-2.0, 90.0)], BLACK);
            sheet.text("far", 12.0, (900.0, -70.0), true, BLACK);
        });
        assert_eq!(ink(&sheet), 0.0);
        let half =
            drawn(|sheet| sheet.area(&[(-50.0, -50.0), (30.0, -50.0), (30.0, 90.0), (-50.0, 90.0)], PAPER));
        assert_eq!(ink(&half), 0.0);
    }
}
