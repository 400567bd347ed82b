//! Two features: observations by cluster, level lines of the predictive density, components' ellipses.

use super::keys::level_colour;
use super::labels::number_components;
use super::plot::{MASSES, MixturePlot};
use crate::present::figures::geometry::{ellipse, radius_for_mass};
use crate::present::figures::legend::Key;
use crate::present::figures::panel::Panel;
use crate::present::figures::scene::{Point, Scene};
use crate::present::figures::style::{self, LINE, THIN, with_alpha};

const GOLDEN_RATIO: f64 = 1.618_033_988_749_895;
/// Mass of a component that its ellipse encloses.
const ELLIPSE_MASS: f64 = 0.95;

pub fn component_key(index: usize) -> Key {
    Key::Marker(style::cluster_marker(index, 4.0))
}

/// The panel of column `i` upwards against column `j`.
pub fn panel(mixture: &MixturePlot, i: usize, j: usize, (left, right): Point, (top, bottom): Point) -> Panel {
    Panel { x: mixture.axis(j, left, right), y: mixture.axis(i, bottom, top) }
}

/// Draws columns `i` against `j`; with `large` marks and numbered components where the panel stands alone.
pub fn draw(mixture: &MixturePlot, scene: &mut Scene, panel: &Panel, i: usize, j: usize, large: bool) {
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
        let marker = style::cluster_marker(mixture.clusters[n], radius);
        let marker = style::Marker { colour: with_alpha(marker.colour, 0.6), ..marker };
        panel.marker(scene, (mixture.data[j][n], mixture.data[i][n]), marker);
    }
    if let Some(grid) = mixture.pair(i, j) {
        for (index, mass) in MASSES.iter().enumerate() {
            let level = grid.level_for_mass(*mass);
            for line in level.into_iter().flat_map(|level| grid.contours(level)) {
                panel.line(scene, &line, level_colour(index), if large { LINE * 0.8 } else { THIN });
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
        let inside = |x: f64, y: f64| panel.contains(x, y).then(|| panel.at(x, y));
        let means: Vec<Option<Point>> =
            mixture.components.iter().map(|component| inside(component.mean[j], component.mean[i])).collect();
        number_components(scene, &means, (panel.left(), panel.top()), (panel.right(), panel.bottom()));
    }
}
