//! The embedded font: which glyph stands for a character, how wide a text is, and its shape in pixels.

use ab_glyph::{Font, FontRef, Glyph, GlyphId, PxScale, point};
use std::sync::LazyLock;

/// Stands for a character that the font does not have, and that would otherwise leave no trace.
const MISSING: char = '⊠';

static BYTES: &[u8] = include_bytes!("../../../assets/DejaVuSans-subset.ttf");

static FONT: LazyLock<FontRef<'static>> =
    LazyLock::new(|| FontRef::try_from_slice(BYTES).expect("the embedded font is an OpenType font"));

fn glyph(c: char) -> GlyphId {
    let own = FONT.glyph_id(c);
    // A space may go without a shape.
    if c.is_ascii() || c.is_whitespace() || FONT.outline(own).is_some() {
        own
    } else {
        FONT.glyph_id(MISSING)
    }
}

/// The glyphs of a text with the distance of each from the text's start, and the width of all, in font units.
fn layout(text: &str) -> (Vec<(f32, GlyphId)>, f32) {
    let mut width = 0.0;
    let mut glyphs: Vec<(f32, GlyphId)> = Vec::new();
    for id in text.chars().map(glyph) {
        width += glyphs.last().map_or(0.0, |&(_, before)| FONT.kern_unscaled(before, id));
        glyphs.push((width, id));
        width += FONT.h_advance_unscaled(id);
    }
    (glyphs, width)
}

/// Font units of one em.
fn units() -> f32 {
    FONT.units_per_em().expect("the embedded font has an em")
}

/// Width of `text` at a type size, in the unit of that size.
pub fn text_width(text: &str, size: f64) -> f64 {
    f64::from(layout(text).1 / units()) * size
}

/// Calls `pixel` with column, row and coverage in (0, 1] for every pixel that a text touches which starts at `(x, y)` on its
/// baseline; all in pixels, rows downwards.
pub fn draw_text(text: &str, size: f64, (x, y): (f64, f64), mut pixel: impl FnMut(i64, i64, f32)) {
    let pixels_per_unit = size as f32 / units();
    // This library scales by the font's height, not by its em.
    let scale = PxScale::from(pixels_per_unit * FONT.height_unscaled());
    for (start, id) in layout(text).0 {
        let position = point(x as f32 + start * pixels_per_unit, y as f32);
        let Some(outline) = FONT.outline_glyph(Glyph { id, scale, position }) else { continue };
        let corner = outline.px_bounds().min;
        let (left, top) = (corner.x as i64, corner.y as i64);
        outline.draw(|column, row, coverage| {
            if coverage > 0.0 {
                pixel(left + i64::from(column), top + i64::from(row), coverage.min(1.0));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_without_a_glyph_become_boxes_and_all_others_stay() {
        let stays = |text: &str| text.chars().all(|c| glyph(c) == FONT.glyph_id(c));
        assert!(stays("length (µm²) ± α, 10⁻³ Ω − …"));
        let boxed: Vec<bool> = "a 🐧 ع".chars().map(|c| glyph(c) == glyph(MISSING)).collect();
        assert_eq!(boxed, [false, false, true, false, true]);
        assert!(FONT.outline(glyph(MISSING)).is_some());
    }

    #[test]
    fn a_text_covers_about_its_width_and_nothing_below_its_baseline_but_descenders() {
        let (mut left, mut right, mut bottom) = (i64::MAX, i64::MIN, i64::MIN);
        draw_text("HIM", 40.0, (10.25, 50.0), |column, row, _| {
            (left, right, bottom) = (left.min(column), right.max(column), bottom.max(row));
        });
        let width = text_width("HIM", 40.0);
        assert!(left >= 10 && (right as f64) < 10.25 + width, "{left} {right} {width}");
        assert!((right - left) as f64 > 0.8 * width);
        assert_eq!(bottom, 49);
    }
}
