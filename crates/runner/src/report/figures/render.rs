//! Draws a scene with plotters, as SVG and as PNG.

use super::Figure;
use super::scene::{Align, EM_TO_FONT_SIZE, FAMILY, Mark, Point, Scene, Type, drawable, register};
use super::style::Colour;
use anyhow::{Context, Result, anyhow};
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, IntoTextStyle};

/// Backends take whole coordinates: SVG counts tenths of a unit, and its view box divides them back.
const SVG_STEPS: u32 = 10;
/// Pixels of the PNG per unit: sharp on a dense screen and at print width.
const PNG_PIXELS: u32 = 2;
/// The bitmap is drawn this many times larger and averaged, because plotters smooths edges only along one
/// axis.
const PNG_OVERSAMPLING: u32 = 3;

impl Scene {
    /// The same marks in both formats.
    ///
    /// # Errors
    /// When the temporary directory, through which plotters encodes a PNG, cannot be written.
    pub fn render(&self) -> Result<Figure> {
        register();
        Ok(Figure { svg: self.svg()?, png: self.png()? })
    }

    fn size(&self, scale: u32) -> (u32, u32) {
        ((self.width * f64::from(scale)).round() as u32, (self.height * f64::from(scale)).round() as u32)
    }

    fn svg(&self) -> Result<String> {
        let (width, height) = self.size(SVG_STEPS);
        let mut drawn = String::new();
        let target = Target { scale: f64::from(SVG_STEPS), font: SVG_FONT, vector: true };
        target.draw(self, SVGBackend::with_string(&mut drawn, (width, height)))?;
        // Texts are escaped and hold neither a quote nor a line break: what is dropped here is always markup.
        let mut body = drawn.split_once('>').context("plotters wrote no svg element")?.1.replace('\n', "");
        for default in [
            " opacity=\"1\"",
            " stroke=\"none\"",
            " stroke-width=\"1\"",
            " text-anchor=\"start\"",
            " font-family=\"sans-serif\"",
        ] {
            body = body.replace(default, "");
        }
        let body = body.replace(" \"/>", "\"/>");
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{}\" height=\"{}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"DejaVu Sans,Verdana,sans-serif\" \
             stroke-linejoin=\"round\"><title>{}</title>{body}",
            self.width,
            self.height,
            escape(&self.title),
        ))
    }

    fn png(&self) -> Result<Vec<u8>> {
        let scale = PNG_PIXELS * PNG_OVERSAMPLING;
        let (wide, high) = self.size(scale);
        // Whole blocks only, so that every pixel is the mean of as many samples.
        let (wide, high) = (wide.next_multiple_of(PNG_OVERSAMPLING), high.next_multiple_of(PNG_OVERSAMPLING));
        let mut samples = vec![255; (wide * high * 3) as usize];
        let target = Target { scale: f64::from(scale), font: PNG_FONT, vector: false };
        target.draw(self, BitMapBackend::with_buffer(&mut samples, (wide, high)))?;
        let pixels = average_blocks(&samples, wide as usize, PNG_OVERSAMPLING as usize);

        // Plotters encodes a PNG only on its way to a file.
        let file = tempfile::Builder::new().suffix(".png").tempfile().context("no place for a figure")?;
        let size = (wide / PNG_OVERSAMPLING, high / PNG_OVERSAMPLING);
        let mut encoder = BitMapBackend::new(file.path(), size);
        encoder.blit_bitmap((0, 0), size, &pixels).map_err(failed)?;
        encoder.present().map_err(failed)?;
        drop(encoder);
        std::fs::read(file.path()).context("the encoded figure cannot be read back")
    }
}

/// How a backend turns a type size into plotters' and where it puts the baseline below the anchor.
struct Font {
    size_per_em: f64,
    baseline_in_em: f64,
}

/// The SVG backend writes size / 1.24 as `font-size` and drops the baseline by 0.76 em.
const SVG_FONT: Font = Font { size_per_em: 1.24, baseline_in_em: 0.76 };
/// The bitmap backend draws the baseline half a font size below the anchor.
const PNG_FONT: Font = Font { size_per_em: EM_TO_FONT_SIZE, baseline_in_em: EM_TO_FONT_SIZE / 2.0 };

struct Target {
    scale: f64,
    font: Font,
    /// Whether lines and texts are kept as such, or made of pixels.
    vector: bool,
}

impl Target {
    fn draw<B: DrawingBackend>(&self, scene: &Scene, mut backend: B) -> Result<()> {
        for mark in &scene.marks {
            match mark {
                Mark::Line { points, colour, width } => self.line(&mut backend, points, *colour, *width),
                Mark::Area { points, colour } => backend
                    .fill_polygon(points.iter().map(|point| self.place(*point)), colour)
                    .map_err(failed),
                Mark::Disc { centre, radius, colour } => backend
                    .draw_circle(self.place(*centre), self.length(*radius), colour, true)
                    .map_err(failed),
                Mark::Text { at, text, face } => self.text(&mut backend, *at, text, *face),
            }?;
        }
        backend.present().map_err(failed)
    }

    fn place(&self, (x, y): Point) -> (i32, i32) {
        ((x * self.scale).round() as i32, (y * self.scale).round() as i32)
    }

    fn length(&self, length: f64) -> u32 {
        (length * self.scale).round().max(1.0) as u32
    }

    fn line<B: DrawingBackend>(
        &self,
        backend: &mut B,
        points: &[Point],
        colour: Colour,
        width: f64,
    ) -> Result<()> {
        if self.vector {
            let style = colour.stroke_width(self.length(width));
            return backend.draw_path(points.iter().map(|point| self.place(*point)), &style).map_err(failed);
        }
        // Plotters' outline of a whole path tears at sharp turns: a box per segment and a disc per joint do
        // not.
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let length = (x1 - x0).hypot(y1 - y0);
            if length > 0.0 {
                let (dx, dy) = ((y1 - y0) / length * width / 2.0, (x0 - x1) / length * width / 2.0);
                let corners =
                    [(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)];
                backend.fill_polygon(corners.map(|point| self.place(point)), &colour).map_err(failed)?;
            }
        }
        for joint in &points[1..points.len() - 1] {
            backend
                .draw_circle(self.place(*joint), self.length(width / 2.0), &colour, true)
                .map_err(failed)?;
        }
        Ok(())
    }

    fn text<B: DrawingBackend>(&self, backend: &mut B, (x, y): Point, text: &str, face: Type) -> Result<()> {
        let lift = face.size * self.font.baseline_in_em;
        let (at, transform) = match face.turned {
            false => ((x, y - lift), FontTransform::None),
            true => ((x - lift, y), FontTransform::Rotate270),
        };
        let across = match face.align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
            Align::End => HPos::Right,
        };
        let font = (FAMILY, face.size * self.scale * self.font.size_per_em).into_font();
        let style = font
            .transform(transform)
            .color(&face.colour)
            .into_text_style(&(0, 0))
            .pos(Pos::new(across, VPos::Top));
        let text = if self.vector { text.to_owned() } else { drawable(text) };
        backend.draw_text(&text, &style, self.place(at)).map_err(failed)
    }
}

/// Plotters' errors hold what a backend could not do, and borrow nothing from it.
fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("a figure cannot be drawn: {error}")
}

/// Mean of every `block` × `block` square of an RGB image that is `wide` pixels wide.
fn average_blocks(samples: &[u8], wide: usize, block: usize) -> Vec<u8> {
    let across = wide / block;
    let mut pixels = Vec::with_capacity(samples.len() / (block * block));
    for rows in samples.chunks_exact(3 * wide * block) {
        for column in 0..across {
            for channel in 0..3 {
                let sum: usize = (0..block)
                    .flat_map(|y| (0..block).map(move |x| (y, x)))
                    .map(|(y, x)| usize::from(rows[3 * (y * wide + column * block + x) + channel]))
                    .sum();
                let count = block * block;
                pixels.push(((sum + count / 2) / count) as u8);
            }
        }
    }
    pixels
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::style::INK;
    use super::*;

    fn scene() -> Scene {
        let mut scene = Scene::new("a < b & c", 40.0, 30.0);
        scene.segment((0.0, 15.0), (40.0, 15.0), INK, 2.0);
        scene.text((20.0, 12.0), "opacity=\"1\" <&>", Type::tick(Align::Middle));
        scene
    }

    #[test]
    fn both_formats_are_the_same_bytes_every_time() {
        assert_eq!(scene().render().unwrap(), scene().render().unwrap());
    }

    #[test]
    fn an_svg_holds_its_title_and_texts_escaped_and_untouched_by_the_trimming() {
        let svg = scene().render().unwrap().svg;
        assert!(svg.contains("<title>a &lt; b &amp; c</title>"), "{svg}");
        assert!(svg.contains("opacity=&quot;1&quot; &lt;&amp;&gt;"), "{svg}");
        assert!(svg.ends_with("</svg>") && !svg.contains("id="), "{svg}");
    }

    #[test]
    fn a_png_has_two_pixels_for_every_unit() {
        let png = scene().render().unwrap().png;
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        let edge = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert_eq!((edge(16), edge(20)), (80, 60));
    }

    #[test]
    fn averaging_keeps_a_constant_and_halves_an_edge() {
        assert_eq!(average_blocks(&[7; 3 * 16], 4, 2), [7; 12]);
        let row = [0, 0, 0, 255, 255, 255];
        assert_eq!(average_blocks(&[row, row].concat(), 2, 2), [128; 3]);
    }
}
