//! One feature: histogram, predictive density and the components' weighted densities.

use super::labels::number_components;
use super::plot::{Component, MixturePlot};
use crate::present::figures::axis::{Axis, AxisScale};
use crate::present::figures::geometry::normal_density;
use crate::present::figures::histogram::Histogram;
use crate::present::figures::legend::Key;
use crate::present::figures::panel::{OVERHANG, Panel};
use crate::present::figures::scene::{Point, Scene};
use crate::present::figures::style::{self, BAR, INK, LINE, THICK, THIN};

/// Up to this many observations are also drawn one by one, as a rug.
const MAX_RUG: usize = 300;
/// Points of a component's curve.
const NODES: usize = 241;

pub fn component_key(index: usize) -> Key {
    Key::Line { colour: style::colour(index), width: LINE }
}

/// The figure of a single feature, with axes.
pub fn alone(mixture: &MixturePlot, scene: &mut Scene, (left, right): Point, (top, bottom): Point) {
    let panel = panel(mixture, 0, (left, right), (top, bottom));
    draw(mixture, scene, &panel, 0);
    let peaks: Vec<Option<Point>> = mixture
        .components
        .iter()
        .map(|component| peak(component, 0).map(|(x, y)| panel.at(x, y)))
        .map(|at| at.filter(|at| at.0.is_finite() && at.1.is_finite()))
        .collect();
    number_components(scene, &peaks, (left, top), (right, bottom));
    if mixture.clusters.len() <= MAX_RUG {
        for (value, cluster) in mixture.data[0].iter().zip(&mixture.clusters) {
            let x = panel.x.position(*value);
            scene.segment((x, bottom - 8.0), (x, bottom), style::colour(*cluster), THIN);
        }
    }
    panel.frame(scene);
    panel.ticks_x(scene, OVERHANG);
    panel.ticks_y(scene, false);
    panel.label_x(scene, &mixture.columns[0]);
    panel.label_y(scene, "density", 50.0);
}

/// A panel high enough for every curve of feature `i` and its histogram.
pub fn panel(mixture: &MixturePlot, i: usize, (left, right): Point, (top, bottom): Point) -> Panel {
    let bars = Histogram::new(&mixture.data[i])
        .map_or(0.0, |histogram| histogram.density.iter().copied().fold(0.0, f64::max));
    let curve = mixture.marginals.get(i).map(|curve| curve.density.iter().copied());
    let curve = curve.into_iter().flatten().filter(|density| density.is_finite()).fold(0.0, f64::max);
    // A component that has collapsed onto a value has a peak without bounds: what is seen must not follow it.
    let seen = bars.max(curve);
    let limit = if seen > 0.0 { 2.0 * seen } else { f64::INFINITY };
    let peaks =
        mixture.components.iter().filter_map(|component| peak(component, i)).map(|(_, density)| density);
    let highest = peaks.filter(|density| density.is_finite()).fold(seen, f64::max).min(limit);
    let y = Axis::new(0.0, if highest > 0.0 { highest * 1.08 } else { 1.0 }, bottom, top, AxisScale::Linear);
    Panel { x: mixture.axis(i, left, right), y }
}

pub fn draw(mixture: &MixturePlot, scene: &mut Scene, panel: &Panel, i: usize) {
    for (left, right, height) in Histogram::new(&mixture.data[i]).iter().flat_map(Histogram::bars) {
        let (corner, foot) = (panel.at(left, height), panel.at(right, 0.0));
        // A gap of paper tells neighbouring bars apart.
        let gap = if foot.0 - corner.0 > 4.0 { 0.5 } else { 0.0 };
        scene.rectangle((corner.0 + gap, corner.1), (foot.0 - gap, foot.1), BAR);
    }
    for (k, component) in mixture.components.iter().enumerate() {
        panel.line(scene, &weighted_density(component, i, panel), style::colour(k), LINE);
    }
    if let Some(curve) = mixture.marginals.get(i) {
        let points: Vec<Point> = curve.x.iter().copied().zip(curve.density.iter().copied()).collect();
        panel.line(scene, &points, INK, THICK * 0.8);
    }
}

/// Where a component's weighted density is highest; `None` for a variance that is not positive.
fn peak(component: &Component, i: usize) -> Option<Point> {
    let density =
        component.weight * normal_density(component.mean[i], component.mean[i], component.variance(i));
    (density > 0.0).then_some((component.mean[i], density))
}

/// Weighted density within five standard deviations, as far as the panel goes.
fn weighted_density(component: &Component, i: usize, panel: &Panel) -> Vec<Point> {
    let (mean, variance) = (component.mean[i], component.variance(i));
    let reach = 5.0 * variance.sqrt();
    let node = |n: usize| {
        let x = mean + reach * (2.0 * n as f64 / (NODES - 1) as f64 - 1.0);
        (x, component.weight * normal_density(x, mean, variance))
    };
    // Only a curve that stands higher than a hair over the axis is seen.
    let least = panel.y.position(0.0) - THIN;
    (0..NODES).map(node).filter(|(_, density)| panel.y.position(*density) < least).collect()
}
