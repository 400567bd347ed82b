//! The numbers of components, placed where they do not touch.

use crate::present::figures::font::text_width;
use crate::present::figures::scene::{Align, Point, Scene, TextStyle};
use crate::present::figures::style::{self, INK, LABEL, PAPER};

/// Draws the numbers of components at their means, moved apart where they would touch.
pub fn number_components(scene: &mut Scene, places: &[Option<Point>], low: Point, high: Point) {
    let radius = |k: usize| (text_width(&(k + 1).to_string(), LABEL) / 2.0 + 4.0).max(8.0);
    let mut taken: Vec<(Point, f64)> = Vec::new();
    for (k, place) in places.iter().enumerate() {
        let Some(at) = place else { continue };
        let r = radius(k);
        let free = |spot: &Point| {
            let inside =
                spot.0 - r >= low.0 && spot.0 + r <= high.0 && spot.1 - r >= low.1 && spot.1 + r <= high.1;
            inside && taken.iter().all(|((x, y), other)| libm::hypot(spot.0 - x, spot.1 - y) > r + other)
        };
        // The mean itself, then positions on rings around it. If all are taken, the number is left out.
        let rings =
            (1..=12).flat_map(|ring| (0..16).map(move |turn| (f64::from(ring) * 6.0, f64::from(turn))));
        let around = rings.map(|(reach, turn)| {
            let (sin, cos) = libm::sincos(std::f64::consts::TAU * turn / 16.0);
            (at.0 + reach * cos, at.1 - reach * sin)
        });
        let Some(spot) = std::iter::once(*at).chain(around).find(free) else { continue };
        if spot != *at {
            scene.segment(*at, spot, style::colour(k), style::THIN);
            scene.disc(*at, 1.8, style::colour(k));
        }
        scene.disc(spot, r, style::colour(k));
        scene.disc(spot, r - 1.3, PAPER);
        scene.text_beside(spot, (k + 1).to_string(), TextStyle::new(LABEL, INK, Align::Middle));
        taken.push((spot, r));
    }
}
