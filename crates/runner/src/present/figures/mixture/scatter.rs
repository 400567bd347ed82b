//! Two features: observations by cluster, level lines of the predictive density, components' ellipses.

use super::super::geometry::{ellipse, radius_for_mass};
use super::super::legend::Key;
use super::super::panel::Panel;
use super::super::scene::{Point, Scene};
use super::super::style::{self, Colour, HAIR, LINE, faint};
use super::{MASSES, Mixture, number_components};
use plotters::style::RGBAColor;

const GOLDEN_RATIO: f64 = 1.618_033_988_749_895;
/// Mass of a component that its ellipse encloses.
const ELLIPSE_MASS: f64 = 0.95;

pub fn component_key(index: usize) -> Key {
    Key::Marker(style::cluster(index, 4.0))
}

/// Greys of the level lines, darkest around the innermost region.
pub fn level_colour(index: usize) -> Colour {
    const GREYS: [u8; MASSES.len()] = [70, 125, 175];
    RGBAColor(GREYS[index], GREYS[index], GREYS[index], 1.0)
}

/// The panel of column `i` upwards against column `j`.
pub fn panel(mixture: &Mixture, i: usize, j: usize, (left, right): Point, (top, bottom): Point) -> Panel {
    Panel { x: mixture.axis(j, left, right), y: mixture.axis(i, bottom, top) }
}

/// Draws columns `i` against `j`; with `large` marks and numbered components where the panel stands alone.
pub fn draw(mixture: &Mixture, scene: &mut Scene, panel: &Panel, i: usize, j: usize, large: bool) {
    let shown = mixture.shown();
    let stride = mixture.stride(if large { 1 } else { shown * (shown - 1) / 2 });
    let crowd = mixture.clusters.len() / stride;
    let radius = match (large, crowd) {
        (true, ..=400) => 2.8,
        (true, _) => 2.1,
        (false, ..=400) => 1.7,
        (false, _) => 1.3,
    };
    // Multiples of the golden ratio pick evenly and without a rhythm that the order of the rows could share.
    let drawn = |n: &usize| stride == 1 || (*n as f64 * GOLDEN_RATIO).fract() * (stride as f64) < 1.0;
    for n in (0..mixture.clusters.len()).filter(drawn) {
        let marker = style::cluster(mixture.clusters[n], radius);
        let marker = style::Marker { colour: faint(marker.colour, 0.6), ..marker };
        panel.marker(scene, (mixture.data[j][n], mixture.data[i][n]), marker);
    }
    if let Some(grid) = mixture.pair(i, j) {
        for (index, mass) in MASSES.iter().enumerate() {
            let level = grid.level_for_mass(*mass);
            for line in level.into_iter().flat_map(|level| grid.contours(level)) {
                panel.line(scene, &line, level_colour(index), if large { LINE * 0.8 } else { HAIR });
            }
        }
    }
    for (k, component) in mixture.components.iter().enumerate() {
        let covariance = [
            [component.covariance(j, j), component.covariance(j, i)],
            [component.covariance(i, j), component.covariance(i, i)],
        ];
        let mean = [component.mean[j], component.mean[i]];
        if let Some(outline) = ellipse(mean, covariance, radius_for_mass(ELLIPSE_MASS)) {
            panel.line(scene, &outline, style::colour(k), if large { LINE * 1.2 } else { LINE * 0.8 });
        }
    }
    if large {
        let inside = |x: f64, y: f64| panel.holds(x, y).then(|| panel.at(x, y));
        let means: Vec<Option<Point>> =
            mixture.components.iter().map(|component| inside(component.mean[j], component.mean[i])).collect();
        number_components(scene, &means, (panel.left(), panel.top()), (panel.right(), panel.bottom()));
    }
}
