//! A fitted mixture over its data: one feature, two features, or a grid of pairs.

mod grid;
mod keys;
mod labels;
mod marginal;
pub mod plot;
mod scatter;

use super::figure::Figure;
use super::panel::OVERHANG;
use super::scene::Scene;
use anyhow::Result;

pub use self::plot::MixturePlot;

impl MixturePlot {
    /// # Errors
    /// When the parts do not have the shapes that their fields tell, or the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.check()?;
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        match self.columns.len() {
            1 => self.one_feature(),
            2 => self.two_features(),
            _ => self.grid_of_pairs(),
        }
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
        panel.ticks_x(&mut scene, OVERHANG);
        panel.ticks_y(&mut scene, false);
        panel.label_x(&mut scene, &self.columns[0]);
        panel.label_y(&mut scene, &self.columns[1], 48.0);
        let keys = [self.component_keys(scatter::component_key), self.region_keys()].concat();
        self.legend(&mut scene, (left, 18.0), 150.0, &keys);
        self.note_thinning(&mut scene, (66.0, height - 4.0), 1);
        scene
    }
}

#[cfg(test)]
mod tests {
    use super::plot::{Component, Curve, MAX_FEATURES};
    use super::*;
    use crate::present::figures::contour::Grid;

    /// A mixture of `k` unit Gaussians in a row over `columns` columns of `n` values.
    fn mixture(columns: usize, k: usize, n: usize, value: impl Fn(usize) -> f64) -> MixturePlot {
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
        let shown = columns.min(MAX_FEATURES);
        let nodes = vec![-1.0, 0.0, 1.0];
        MixturePlot {
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
        let refused = |change: &dyn Fn(&mut MixturePlot)| {
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
