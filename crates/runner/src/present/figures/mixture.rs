//! A fitted mixture over its data: one feature, two, or a grid of pairs.

mod grid;
mod marginal;
mod scatter;

use super::Figure;
use super::axis::Axis;
use super::font::text_width;
use super::geometry::Grid;
use super::legend::{self, Key};
use super::panel::OVERHANG;
use super::scene::{Align, Point, Scene, Type};
use super::style::{self, INK, LABEL, LINE, MUTED, PAPER, STRONG, TICK, TITLE};
use anyhow::{Result, ensure};

/// Features that a grid of pairs shows; a legible cell needs a seventh of the page.
pub const MOST_FEATURES: usize = 6;
/// Shares of the predictive mass that level lines enclose, from the innermost.
const MASSES: [f64; 3] = [0.5, 0.8, 0.95];
/// Components with a line of their own in the legend. Beyond, the numbers on the ellipses have to do.
const MOST_KEYS: usize = 12;

/// Point estimate of one component, on the scale of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    pub weight: f64,
    /// One value per column.
    pub mean: Vec<f64>,
    /// Columns × columns, row by row.
    pub covariance: Vec<f64>,
}

impl Component {
    fn variance(&self, i: usize) -> f64 {
        self.covariance(i, i)
    }

    fn covariance(&self, i: usize, j: usize) -> f64 {
        self.covariance[i * self.mean.len() + j]
    }
}

/// The posterior predictive density of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    pub x: Vec<f64>,
    pub density: Vec<f64>,
}

/// A mixture of some K, with the data it was fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    pub columns: Vec<String>,
    /// Values column by column, each as long as `clusters`.
    pub data: Vec<Vec<f64>>,
    /// Index into `components` of each observation's cluster.
    pub clusters: Vec<usize>,
    pub components: Vec<Component>,
    /// Predictive density of each of the first [`MOST_FEATURES`] columns; empty draws none.
    pub marginals: Vec<Curve>,
    /// Joint predictive densities of the pairs (1, 0), (2, 0), (2, 1), (3, 0), … of the first
    /// [`MOST_FEATURES`] columns: the later column upwards (`y`), the earlier one across (`x`). Empty draws
    /// no level lines. A hundred nodes a side make smooth lines.
    pub pairs: Vec<Grid>,
}

/// The range over which a column is drawn, so the one to evaluate its [`Curve`] and [`Grid`]s on: the data
/// and an eighth of its range on either side. `None` without a finite value.
pub fn extent(values: &[f64]) -> Option<(f64, f64)> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().reduce(f64::min)?, finite().reduce(f64::max)?);
    let margin = match high / 8.0 - low / 8.0 {
        0.0 if low == 0.0 => 1.0,
        0.0 => low.abs() * 0.05,
        margin => margin,
    };
    Some(((low - margin).max(-f64::MAX / 2.0), (high + margin).min(f64::MAX / 2.0)))
}

impl Mixture {
    /// # Errors
    /// When the parts do not have the shapes that their fields tell, or the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.check()?;
        self.scene().render()
    }

    fn check(&self) -> Result<()> {
        let (columns, shown) = (self.columns.len(), self.shown());
        let pairs = shown * shown.saturating_sub(1) / 2;
        ensure!(columns > 0, "a mixture without columns");
        ensure!(self.data.len() == columns, "{} columns of data for {columns} names", self.data.len());
        for (name, values) in self.columns.iter().zip(&self.data) {
            ensure!(
                values.len() == self.clusters.len(),
                "{} values of {name} for {} clusters",
                values.len(),
                self.clusters.len()
            );
        }
        for (k, component) in self.components.iter().enumerate() {
            ensure!(
                component.mean.len() == columns,
                "component {k} has {} means for {columns} columns",
                component.mean.len()
            );
            let entries = component.covariance.len();
            ensure!(
                entries == columns * columns,
                "component {k} has {entries} covariances for {columns} columns"
            );
        }
        let k = self.components.len();
        ensure!(self.clusters.iter().all(|cluster| *cluster < k), "a cluster beyond the {k} components");
        ensure!(
            [0, shown].contains(&self.marginals.len()),
            "{} curves for {shown} columns",
            self.marginals.len()
        );
        ensure!([0, pairs].contains(&self.pairs.len()), "{} grids for {pairs} pairs", self.pairs.len());
        Ok(())
    }

    fn scene(&self) -> Scene {
        match self.columns.len() {
            1 => self.one_feature(),
            2 => self.two_features(),
            _ => self.grid_of_pairs(),
        }
    }

    fn title(&self) -> String {
        let k = self.components.len();
        let columns = self.columns[..self.shown()].join(", ");
        format!("Gaussian mixture of {k} component{} over {columns}", if k == 1 { "" } else { "s" })
    }

    fn shown(&self) -> usize {
        self.columns.len().min(MOST_FEATURES)
    }

    /// Joint predictive density of columns `i` > `j`.
    fn pair(&self, i: usize, j: usize) -> Option<&Grid> {
        self.pairs.get(i * (i - 1) / 2 + j)
    }

    fn axis(&self, column: usize, start: f64, end: f64) -> Axis {
        let (low, high) = extent(&self.data[column]).unwrap_or((0.0, 1.0));
        Axis::padded(low, high, 0.0, start, end)
    }

    fn one_feature(&self) -> Scene {
        let (width, height) = (760.0, 400.0);
        let keys = [self.component_keys(marginal::component_key), self.density_key()].concat();
        let left = width - 150.0;
        let mut scene = Scene::new(self.title(), width, height);
        marginal::alone(self, &mut scene, (66.0, left - 18.0), (18.0, height - 50.0));
        self.legend(&mut scene, (left, 18.0), 140.0, &keys);
        scene
    }

    fn two_features(&self) -> Scene {
        let (width, height) = (760.0, 520.0);
        let left = width - 160.0;
        let mut scene = Scene::new(self.title(), width, height);
        let panel = scatter::panel(self, 1, 0, (66.0, left - 18.0), (18.0, height - 50.0));
        scatter::draw(self, &mut scene, &panel, 1, 0, true);
        panel.frame(&mut scene);
        panel.number_x(&mut scene, OVERHANG);
        panel.number_y(&mut scene, false);
        panel.name_x(&mut scene, &self.columns[0]);
        panel.name_y(&mut scene, &self.columns[1], 48.0);
        let keys = [self.component_keys(scatter::component_key), self.region_keys()].concat();
        self.legend(&mut scene, (left, 18.0), 150.0, &keys);
        self.note_thinning(&mut scene, (66.0, height - 4.0), 1);
        scene
    }

    /// Number and weight of each component.
    fn component_keys(&self, key: impl Fn(usize) -> Key) -> Vec<(Key, String)> {
        let count = self.components.len();
        let entry = |(index, component): (usize, &Component)| {
            (key(index), format!("{}: weight {:.2}", index + 1, component.weight))
        };
        let mut keys: Vec<(Key, String)> =
            self.components.iter().enumerate().map(entry).take(MOST_KEYS).collect();
        if count > MOST_KEYS {
            keys.push((Key::None, format!("and {} more", count - MOST_KEYS)));
        }
        keys
    }

    fn density_key(&self) -> Vec<(Key, String)> {
        let mut keys = vec![(Key::Band(style::BAR), "data".to_owned())];
        if !self.marginals.is_empty() {
            keys.insert(0, (Key::Line { colour: INK, width: STRONG }, "predictive".to_owned()));
        }
        keys
    }

    fn region_keys(&self) -> Vec<(Key, String)> {
        let mut keys =
            vec![(Key::Line { colour: style::colour(0), width: LINE }, "95 % of a component".to_owned())];
        if !self.pairs.is_empty() {
            let line = |(index, mass): (usize, &f64)| {
                (
                    Key::Line { colour: scatter::level_colour(index), width: LINE },
                    format!("{:.0} % of the mixture", mass * 100.0),
                )
            };
            keys.extend(MASSES.iter().enumerate().map(line));
        }
        keys
    }

    /// A column of keys under the number of components.
    fn legend(&self, scene: &mut Scene, (left, top): Point, width: f64, keys: &[(Key, String)]) {
        let heading = format!("K = {}", self.components.len());
        scene.text((left, top + TITLE * 0.8), heading, Type::new(TITLE, INK, Align::Start));
        legend::down(scene, (left, top + TITLE + 8.0), keys, width);
    }

    /// One in how many observations is drawn, when all would make the file too large.
    fn stride(&self, panels: usize) -> usize {
        /// Points of one figure: some 60 bytes of SVG each.
        const MOST_POINTS: usize = 6000;
        (self.clusters.len() * panels).div_ceil(MOST_POINTS).max(1)
    }

    fn note_thinning(&self, scene: &mut Scene, at: Point, panels: usize) {
        let stride = self.stride(panels);
        if stride > 1 {
            let note = format!("About one in {stride} of {} observations is drawn.", self.clusters.len());
            scene.text(at, note, Type::new(TICK, MUTED, Align::Start));
        }
    }
}

/// Sets the components' numbers at their means, moved apart where they would touch.
fn number_components(scene: &mut Scene, places: &[Option<Point>], low: Point, high: Point) {
    let radius = |k: usize| (text_width(&(k + 1).to_string(), LABEL) / 2.0 + 4.0).max(8.0);
    let mut taken: Vec<(Point, f64)> = Vec::new();
    for (k, place) in places.iter().enumerate() {
        let Some(at) = place else { continue };
        let r = radius(k);
        let free = |spot: &Point| {
            let inside =
                spot.0 - r >= low.0 && spot.0 + r <= high.0 && spot.1 - r >= low.1 && spot.1 + r <= high.1;
            inside && taken.iter().all(|((x, y), other)| (spot.0 - x).hypot(spot.1 - y) > r + other)
        };
        // The mean itself, then rings of places around it; where all are taken, the number is left out.
        let rings =
            (1..=12).flat_map(|ring| (0..16).map(move |turn| (f64::from(ring) * 6.0, f64::from(turn))));
        let around = rings.map(|(reach, turn)| {
            let (sin, cos) = (std::f64::consts::TAU * turn / 16.0).sin_cos();
            (at.0 + reach * cos, at.1 - reach * sin)
        });
        let Some(spot) = std::iter::once(*at).chain(around).find(free) else { continue };
        if spot != *at {
            scene.segment(*at, spot, style::colour(k), style::HAIR);
            scene.disc(*at, 1.8, style::colour(k));
        }
        scene.disc(spot, r, style::colour(k));
        scene.disc(spot, r - 1.3, PAPER);
        scene.text_beside(spot, (k + 1).to_string(), Type::new(LABEL, INK, Align::Middle));
        taken.push((spot, r));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mixture of `k` unit Gaussians in a row over `columns` columns of `n` values.
    fn mixture(columns: usize, k: usize, n: usize, value: impl Fn(usize) -> f64) -> Mixture {
        let names = [
            "a",
            "an extremely long column name, with its unit (mm)",
            "🐧",
            "عرض الورقة",
            "<&>\"",
            "f",
            "g",
            "h",
        ];
        let component = |index: usize| {
            let mut covariance = vec![0.0; columns * columns];
            (0..columns).for_each(|i| covariance[i * columns + i] = 1.0);
            Component { weight: 1.0 / k as f64, mean: vec![index as f64; columns], covariance }
        };
        let shown = columns.min(MOST_FEATURES);
        let nodes = vec![-1.0, 0.0, 1.0];
        Mixture {
            columns: (0..columns).map(|i| names[i % names.len()].repeat(1 + i / names.len())).collect(),
            data: (0..columns).map(|column| (0..n).map(|i| value(i + column)).collect()).collect(),
            clusters: (0..n).map(|i| i % k).collect(),
            components: (0..k).map(component).collect(),
            marginals: vec![Curve { x: nodes.clone(), density: vec![0.1, 0.4, 0.1] }; shown],
            pairs: vec![
                Grid { x: nodes.clone(), y: nodes, density: vec![0., 0., 0., 0., 1., 0., 0., 0., 0.] };
                shown * (shown - 1) / 2
            ],
        }
    }

    #[test]
    fn texts_never_overlap_whatever_the_data() {
        for columns in 1..=8 {
            for (k, n) in [(1, 1), (3, 40), (25, 60)] {
                mixture(columns, k, n, |i| (i * 37 % 11) as f64).scene().assert_legible();
                mixture(columns, k, n, |i| if i % 2 == 0 { 1e300 } else { -1e300 }).scene().assert_legible();
                mixture(columns, k, n, |_| 1e-300).scene().assert_legible();
                mixture(columns, k, n, |i| 123_456.0 + i as f64 * 1e-4).scene().assert_legible();
                mixture(columns, k, n, |_| f64::NAN).scene().assert_legible();
            }
        }
    }

    #[test]
    fn degenerate_mixtures_are_drawn() {
        for columns in [1, 2, 3] {
            for value in [0.0, 1e300, -1e-300, f64::NAN, f64::MAX] {
                let mut mixture = mixture(columns, 2, 1, |_| value);
                mixture.components[0].covariance[0] = 0.0;
                mixture.components[1].mean[0] = f64::NAN;
                assert!(mixture.draw().is_ok(), "{columns} columns of {value}");
            }
        }
    }

    #[test]
    fn parts_of_wrong_shapes_are_refused_by_name() {
        let whole = mixture(2, 2, 5, |i| i as f64);
        let refused = |change: &dyn Fn(&mut Mixture)| {
            let mut mixture = whole.clone();
            change(&mut mixture);
            mixture.draw().unwrap_err().to_string()
        };
        assert_eq!(refused(&|m| m.clusters[0] = 2), "a cluster beyond the 2 components");
        assert_eq!(refused(&|m| m.data[0].truncate(1)), "1 values of a for 5 clusters");
        assert_eq!(refused(&|m| m.pairs.push(m.pairs[0].clone())), "2 grids for 1 pairs");
        assert_eq!(refused(&|m| m.marginals.truncate(1)), "1 curves for 2 columns");
        assert_eq!(
            refused(&|m| m.components[1].covariance.truncate(3)),
            "component 1 has 3 covariances for 2 columns"
        );
    }

    #[test]
    fn many_observations_are_thinned_and_the_figure_says_so() {
        let scene = mixture(2, 2, 20_000, |i| (i % 501) as f64).scene();
        assert!(
            scene
                .text_boxes()
                .iter()
                .any(|(_, text)| text == "About one in 4 of 20000 observations is drawn.")
        );
        assert!(scene.marks.len() < 7000, "{}", scene.marks.len());
    }
}
