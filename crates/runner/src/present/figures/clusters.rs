//! Draws what clusters are like, feature by feature, and how surely their rows belong to them.

use anyhow::Result;

use super::axis::{Axis, AxisScale};
use super::figure::Figure;
use super::legend::{self, Key};
use super::panel::Panel;
use super::scene::{Align, Scene, TextStyle, truncate};
use super::small_multiples::{LEFT, MARGIN, WIDTH};
use super::style::{self, AXIS, GRID_LINE, INK, LINE, MUTED, THIN, TICK, TITLE, with_alpha};

/// One cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct PlottedCluster {
    pub n_rows: usize,
    /// Of each feature the lower quartile, the median and the upper quartile over the cluster's rows, on a scale that features share;
    /// empty without rows.
    pub profile: Vec<[f64; 3]>,
    /// The probabilities with which the rows belong to the cluster, or evenly spaced quantiles of them, in descending order.
    pub probabilities: Vec<f64>,
}

/// All clusters of a partition.
#[derive(Debug, Clone, PartialEq)]
pub struct ClustersPlot {
    pub columns: Vec<String>,
    pub clusters: Vec<PlottedCluster>,
    /// A row whose cluster is more probable than this is clear.
    pub clear: f64,
}

const PROFILE: f64 = 250.0;
const RELIABILITY: f64 = 130.0;
/// Room above a panel for its heading, and below it for the names of features or of an axis.
const ABOVE: f64 = 28.0;
const BELOW: f64 = 34.0;
/// Space between two clusters, as a share of all rows.
const BETWEEN: f64 = 0.012;
/// Clusters with an entry in the legend; colours and markers tell no more apart.
const MAX_KEYS: usize = 32;
/// How opaque the band between quartiles is, and the area below probabilities.
const BAND_ALPHA: f64 = 0.14;
const AREA_ALPHA: f64 = 0.35;

impl ClustersPlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let keys: Vec<(Key, String)> = self.clusters.iter().enumerate().take(MAX_KEYS).map(key).collect();
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let (left, right) = (MARGIN + LEFT, WIDTH - MARGIN);
        let keys_top = MARGIN + ABOVE + PROFILE + BELOW;
        let reliability_top = keys_top + legend::height(&keys, room) + ABOVE + 6.0;
        let height = reliability_top + RELIABILITY + BELOW + MARGIN;
        let mut scene = Scene::new("Profile of the clusters and reliability of their rows", WIDTH, height);
        self.profile(&mut scene, (left, right), MARGIN + ABOVE);
        legend::draw_rows(&mut scene, (left, keys_top), &keys, room);
        self.reliability(&mut scene, (left, right), reliability_top);
        scene
    }

    /// Features side by side, a line for each cluster.
    fn profile(&self, scene: &mut Scene, (left, right): (f64, f64), top: f64) {
        let shown = || self.clusters.iter().enumerate().filter(|(_, cluster)| !cluster.profile.is_empty());
        let ends = || shown().flat_map(|(_, cluster)| cluster.profile.iter().flatten().copied());
        let (low, high) = (ends().fold(0.0, f64::min), ends().fold(0.0, f64::max));
        let n = self.columns.len() as f64;
        let panel = Panel {
            x: Axis::new(0.5, n + 0.5, left, right, AxisScale::Linear),
            y: Axis::padded(low, high, 0.05, top + PROFILE, top),
        };
        heading(scene, &panel, "Median and quartiles of each cluster");
        panel.ticks_y(scene, true);
        panel.label_y(scene, "standard deviations from the mean", LEFT - 12.0);
        let slot = (right - left) / n;
        for (feature, name) in self.columns.iter().enumerate() {
            let x = panel.x.position(feature as f64 + 1.0);
            scene.segment((x, panel.top()), (x, panel.bottom()), GRID_LINE, THIN);
            let name = truncate(name, TICK, slot - 6.0);
            scene.text((x, panel.bottom() + 16.0), name, TextStyle::tick(Align::Middle));
        }
        // A single feature has a width all the same.
        let spread = if self.columns.len() == 1 { 0.2 } else { 0.0 };
        for (index, cluster) in shown() {
            let along = |quartile: usize| {
                let points = cluster.profile.iter().enumerate();
                points.flat_map(move |(feature, values)| {
                    let x = feature as f64 + 1.0;
                    [(x - spread, values[quartile]), (x + spread, values[quartile])]
                })
            };
            let outline = along(0).chain(along(2).collect::<Vec<_>>().into_iter().rev());
            let outline = outline.map(|(x, y)| panel.at(x, y)).collect();
            scene.area(outline, with_alpha(style::colour(index), BAND_ALPHA));
        }
        for (index, cluster) in shown() {
            let points = cluster.profile.iter().enumerate();
            let medians: Vec<_> = points.map(|(feature, values)| (feature as f64 + 1.0, values[1])).collect();
            panel.line(scene, &medians, style::colour(index), LINE);
            for median in medians {
                panel.marker(scene, median, style::cluster_marker(index, 3.2));
            }
        }
        panel.frame(scene);
    }

    /// Rows side by side, each as high as its probability.
    fn reliability(&self, scene: &mut Scene, (left, right): (f64, f64), top: f64) {
        let total = self.clusters.iter().map(|cluster| cluster.n_rows).sum::<usize>().max(1) as f64;
        let filled = self.clusters.iter().filter(|cluster| cluster.n_rows > 0).count();
        let width = 1.0 + BETWEEN * filled.saturating_sub(1) as f64;
        let panel = Panel {
            x: Axis::new(0.0, width, left, right, AxisScale::Linear),
            y: Axis::new(0.0, 1.0, top + RELIABILITY, top, AxisScale::Linear),
        };
        heading(scene, &panel, "How surely each row belongs to its cluster");
        panel.ticks_y(scene, true);
        panel.label_y(scene, "probability", LEFT - 12.0);
        let mut begins = 0.0;
        for (index, cluster) in self.clusters.iter().enumerate().filter(|(_, cluster)| cluster.n_rows > 0) {
            let share = cluster.n_rows as f64 / total;
            let n = cluster.probabilities.len() as f64;
            let steps = cluster.probabilities.iter().enumerate().flat_map(|(place, &probability)| {
                let x = |edge: f64| begins + share * edge / n;
                [panel.at(x(place as f64), probability), panel.at(x(place as f64 + 1.0), probability)]
            });
            let steps: Vec<_> = steps.collect();
            let feet = [panel.at(begins + share, 0.0), panel.at(begins, 0.0)];
            let outline = steps.iter().copied().chain(feet).collect();
            scene.area(outline, with_alpha(style::colour(index), AREA_ALPHA));
            scene.line(steps, style::colour(index), LINE);
            let ((start, _), (end, _)) = (panel.at(begins, 0.0), panel.at(begins + share, 0.0));
            let number = (index + 1).to_string();
            if end - start > 12.0 {
                let at = ((start + end) / 2.0, panel.bottom() + 14.0);
                scene.text(at, number, TextStyle::tick(Align::Middle));
            }
            begins += share + BETWEEN;
        }
        let clear = panel.y.position(self.clear);
        scene.segment((left, clear), (right, clear), AXIS, THIN);
        panel.frame(scene);
        let middle = (left + right) / 2.0;
        let name = "rows of each cluster, the surest first";
        scene.text((middle, panel.bottom() + 31.0), name, TextStyle::new(TICK, MUTED, Align::Middle));
    }
}

fn heading(scene: &mut Scene, panel: &Panel, text: &str) {
    scene.text((panel.left(), panel.top() - 10.0), text, TextStyle::new(TITLE, INK, Align::Start));
}

fn key((index, cluster): (usize, &PlottedCluster)) -> (Key, String) {
    let rows = cluster.n_rows;
    let text = format!("cluster {}: {rows} row{}", index + 1, if rows == 1 { "" } else { "s" });
    (Key::Marker(style::cluster_marker(index, 4.0)), text)
}

#[cfg(test)]
mod tests {
    use super::super::scene::Mark;
    use super::*;

    fn plot(columns: usize, clusters: usize, value: f64) -> ClustersPlot {
        let cluster = |index: usize| PlottedCluster {
            n_rows: 10 + index,
            profile: vec![[value - 1.0, value, value + index as f64]; columns],
            probabilities: vec![1.0, 0.9, 0.5],
        };
        ClustersPlot {
            columns: (0..columns).map(|i| format!("temperature_sensor_{i}")).collect(),
            clusters: (0..clusters).map(cluster).collect(),
            clear: 0.9,
        }
    }

    #[test]
    fn texts_never_overlap_whatever_the_data() {
        for columns in [1, 2, 13, 60] {
            for clusters in [1, 8, 40] {
                plot(columns, clusters, 0.5).scene().assert_legible();
            }
        }
        plot(2, 2, 1e300).scene().assert_legible();
        let mut with_an_empty_one = plot(2, 2, 0.0);
        with_an_empty_one.clusters[1] =
            PlottedCluster { n_rows: 0, profile: Vec::new(), probabilities: Vec::new() };
        with_an_empty_one.scene().assert_legible();
    }

    #[test]
    fn names_that_differ_in_their_ends_stay_different() {
        let texts: Vec<String> =
            plot(6, 2, 0.0).scene().text_boxes().into_iter().map(|(_, text)| text).collect();
        for sensor in 0..6 {
            let mut ends =
                texts.iter().filter(|text| text.starts_with('t') && text.ends_with(&sensor.to_string()));
            assert!(ends.next().is_some(), "{sensor} in {texts:?}");
        }
    }

    /// Areas of probabilities: each as wide as the cluster's share of the rows, and as high as the probabilities.
    #[test]
    fn an_area_is_as_large_as_its_rows_are_sure() {
        let scene = plot(1, 2, 0.0).scene();
        let areas: Vec<f64> = scene
            .marks
            .iter()
            .filter_map(|mark| match mark {
                Mark::Area { points, colour } if (colour.3 - AREA_ALPHA).abs() < 1e-12 => {
                    let pairs = points.iter().zip(points.iter().cycle().skip(1));
                    Some(pairs.map(|((a, b), (c, d))| (a * d - c * b) / 2.0).sum::<f64>().abs())
                }
                _ => None,
            })
            .collect();
        let whole = (WIDTH - 2.0 * MARGIN - LEFT) / (1.0 + BETWEEN) * RELIABILITY;
        for (area, share) in areas.iter().zip([10.0 / 21.0, 11.0 / 21.0]) {
            approx::assert_relative_eq!(*area, whole * share * 0.8, max_relative = 1e-9);
        }
        assert_eq!(areas.len(), 2);
    }
}
