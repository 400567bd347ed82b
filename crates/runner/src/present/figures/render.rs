//! Renders a scene as SVG with plotters, and as PNG with the rasteriser.

use super::figure::Figure;
use super::font::text_width;
use super::raster::Image;
use super::scene::{Align, FAMILY, Mark, Point, Scene, TextStyle};
use anyhow::{Context, Result, anyhow};
use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, IntoTextStyle};

/// The SVG backend takes whole coordinates: they count tenths of a unit, and the view box divides them back.
const SVG_STEPS: f64 = 10.0;
/// Pixels of the PNG per unit: sharp on a dense screen and at print width.
const PNG_PIXELS: f64 = 2.0;
/// On three figures of one report this compression takes 12 ms with this filter, and zlib's fastest level 36 ms, for files of
/// the same size; other fixed filters make files larger by a quarter or more.
const COMPRESSION: png::Compression = png::Compression::Fast;
const FILTER: png::FilterType = png::FilterType::Paeth;

impl Scene {
    /// The same marks in both formats.
    ///
    /// # Errors
    /// When a backend cannot draw a mark, which for finite marks does not happen.
    pub fn render(&self) -> Result<Figure> {
        Ok(Figure { svg: self.svg()?, png: self.png()? })
    }

    fn size(&self, scale: f64) -> (u32, u32) {
        ((self.width * scale).round() as u32, (self.height * scale).round() as u32)
    }

    fn svg(&self) -> Result<String> {
        let (width, height) = self.size(SVG_STEPS);
        let mut drawn = String::new();
        self.write_svg(SVGBackend::with_string(&mut drawn, (width, height)))?;
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

    fn write_svg(&self, mut backend: SVGBackend<'_>) -> Result<()> {
        for mark in &self.marks {
            match mark {
                Mark::Line { points, colour, width } => {
                    let style = colour.stroke_width(svg_length(*width));
                    backend.draw_path(points.iter().map(svg_place), &style).map_err(failed)
                }
                Mark::Area { points, colour } => {
                    backend.fill_polygon(points.iter().map(svg_place), colour).map_err(failed)
                }
                Mark::Disc { centre, radius, colour } => {
                    backend.draw_circle(svg_place(centre), svg_length(*radius), colour, true).map_err(failed)
                }
                Mark::Text { at, text, style } => svg_text(&mut backend, *at, text, *style),
            }?;
        }
        backend.present().map_err(failed)
    }

    fn png(&self) -> Result<Vec<u8>> {
        let (width, height) = self.size(PNG_PIXELS);
        let mut image = Image::new(width as usize, height as usize);
        let place = |(x, y): &Point| (x * PNG_PIXELS, y * PNG_PIXELS);
        for mark in &self.marks {
            match mark {
                Mark::Line { points, colour, width } => {
                    let points: Vec<Point> = points.iter().map(place).collect();
                    image.line(&points, width * PNG_PIXELS, *colour);
                }
                Mark::Area { points, colour } => {
                    image.area(&points.iter().map(place).collect::<Vec<_>>(), *colour);
                }
                Mark::Disc { centre, radius, colour } => {
                    image.disc(place(centre), radius * PNG_PIXELS, *colour);
                }
                Mark::Text { at: (x, y), text, style } => {
                    let before = match style.align {
                        Align::Start => 0.0,
                        Align::Middle => text_width(text, style.size) / 2.0,
                        Align::End => text_width(text, style.size),
                    };
                    let start = if style.rotated { (*x, y + before) } else { (x - before, *y) };
                    image.text(text, style.size * PNG_PIXELS, place(&start), style.rotated, style.colour);
                }
            }
        }
        encode(&image).context("a figure cannot be encoded as PNG")
    }
}

fn svg_place((x, y): &Point) -> (i32, i32) {
    ((x * SVG_STEPS).round() as i32, (y * SVG_STEPS).round() as i32)
}

fn svg_length(length: f64) -> u32 {
    (length * SVG_STEPS).round().max(1.0) as u32
}

fn svg_text(backend: &mut SVGBackend<'_>, (x, y): Point, text: &str, style: TextStyle) -> Result<()> {
    // The backend writes size / 1.24 as `font-size` and drops the baseline by 0.76 em.
    const SIZE_PER_EM: f64 = 1.24;
    const BASELINE: f64 = 0.76;
    let lift = style.size * BASELINE;
    let (at, transform) = match style.rotated {
        false => ((x, y - lift), FontTransform::None),
        true => ((x - lift, y), FontTransform::Rotate270),
    };
    let across = match style.align {
        Align::Start => HPos::Left,
        Align::Middle => HPos::Center,
        Align::End => HPos::Right,
    };
    let set = (FAMILY, style.size * SVG_STEPS * SIZE_PER_EM)
        .into_font()
        .transform(transform)
        .color(&style.colour)
        .into_text_style(&(0, 0))
        .pos(Pos::new(across, VPos::Top));
    backend.draw_text(text, &set, svg_place(&at)).map_err(failed)
}

fn encode(image: &Image) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width as u32, image.height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(COMPRESSION);
    encoder.set_filter(FILTER);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&image.pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// Plotters' errors hold what a backend could not do, and borrow nothing from it.
fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("a figure cannot be drawn: {error}")
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
        scene.text((20.0, 12.0), "opacity=\"1\" <&>", TextStyle::tick(Align::Middle));
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
}
