//! Draws the chains of a few quantities: traces, and rank histograms that show whether the chains agree.

use super::axis::{Axis, AxisScale};
use super::figure::Figure;
use super::legend::{self, Key};
use super::panel::{OVERHANG, Panel};
use super::scene::{Align, Point, Scene, TextStyle, truncate};
use super::style::{self, BAND, INK, LABEL, MUTED, THIN, TICK, TITLE, with_alpha};
use anyhow::Result;

/// The draws of one quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    pub name: String,
    /// One vector per chain, in the order of sampling. Draws that are not finite are skipped.
    pub chains: Vec<Vec<f64>>,
}

/// One row of panels per quantity. Use label-invariant ones: those of a component jump when labels switch.
#[derive(Debug, Clone, PartialEq)]
pub struct TracePlot {
    /// K of the fit.
    pub components: usize,
    pub traces: Vec<Trace>,
}

const MARGIN: f64 = 14.0;
const LEFT: f64 = 70.0;
const TRACE_WIDTH: f64 = 400.0;
const RANKS_WIDTH: f64 = 410.0;
const BETWEEN: f64 = 26.0;
const ABOVE: f64 = 30.0;
const HEIGHT: f64 = 92.0;
const BELOW: f64 = 20.0;
const FOOT: f64 = 26.0;

/// Points of a chain that are drawn: about one for each unit of the panel's width, and the file stays small.
const MAX_POINTS: usize = 500;
/// Bins of a rank histogram; bayesplot's default.
const BINS: usize = 20;
/// Chains with a histogram of their own; more would be thinner than their bars.
const MAX_CHAINS: usize = 8;

impl TracePlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let row = ABOVE + HEIGHT + BELOW;
        let width = 2.0 * MARGIN + LEFT + TRACE_WIDTH + BETWEEN + RANKS_WIDTH;
        let keys = self.keys();
        let room = width - 2.0 * MARGIN - LEFT;
        let body = MARGIN + self.traces.len() as f64 * row + FOOT;
        let mut scene = Scene::new(
            format!("Traces and rank histograms of the chains, K = {}", self.components),
            width,
            body + legend::height(&keys, room) + MARGIN,
        );
        for (index, trace) in self.traces.iter().enumerate() {
            let top = MARGIN + index as f64 * row + ABOVE;
            trace.draw(&mut scene, top, index == 0, index + 1 == self.traces.len());
        }
        legend::draw_rows(&mut scene, (MARGIN + LEFT, body), &keys, room);
        scene
    }

    fn keys(&self) -> Vec<(Key, String)> {
        let chains = self.traces.iter().map(|trace| trace.chains.len()).max().unwrap_or(0);
        let line = |chain: usize| {
            (Key::Line { colour: style::colour(chain), width: style::THICK }, format!("chain {}", chain + 1))
        };
        let mut keys: Vec<(Key, String)> = (0..chains.min(MAX_CHAINS)).map(line).collect();
        keys.push((
            Key::Band(BAND),
            "95 % interval of a count if all chains have the same distribution and draws are independent"
                .to_owned(),
        ));
        if chains > MAX_CHAINS {
            keys.push((
                Key::None,
                format!("Ranks of the first {MAX_CHAINS} of {chains} chains; colours repeat."),
            ));
        }
        if self.traces.iter().flat_map(|trace| &trace.chains).any(|chain| chain.len() > MAX_POINTS) {
            keys.push((
                Key::None,
                format!("Traces show the extremes of each of {} intervals.", MAX_POINTS / 2),
            ));
        }
        keys
    }
}

impl Trace {
    fn draw(&self, scene: &mut Scene, top: f64, first: bool, last: bool) {
        let left = MARGIN + LEFT;
        let bottom = top + HEIGHT;
        let title = |scene: &mut Scene, at: f64, width: f64, text: &str| {
            scene.text(
                (at, top - 8.0),
                truncate(text, TITLE, width),
                TextStyle::new(TITLE, INK, Align::Start),
            );
        };
        title(scene, left, TRACE_WIDTH, &self.name);
        self.trace(scene, (left, left + TRACE_WIDTH), (top, bottom), last);
        let left = left + TRACE_WIDTH + BETWEEN;
        if first {
            let style = TextStyle::new(TICK, MUTED, Align::Start);
            scene.text((left, top - 8.0), "ranks among the draws of all chains", style);
        }
        self.ranks(scene, (left, left + RANKS_WIDTH), (top, bottom), last);
    }

    fn trace(&self, scene: &mut Scene, (left, right): Point, (top, bottom): Point, last: bool) {
        let draws = || self.chains.iter().flatten().copied().filter(|draw| draw.is_finite());
        let low = draws().fold(f64::INFINITY, f64::min).max(-f64::MAX / 4.0);
        let high = draws().fold(f64::NEG_INFINITY, f64::max).min(f64::MAX / 4.0);
        let longest = self.chains.iter().map(Vec::len).max().unwrap_or(0).max(2);
        let x = Axis::new(0.0, (longest - 1) as f64, left, right, AxisScale::Linear);
        let panel = Panel { x, y: Axis::padded(low, high, 0.04, bottom, top) };
        for (chain, draws) in self.chains.iter().enumerate() {
            let points = thin(draws, MAX_POINTS);
            if let [(draw, value)] = points[..] {
                scene.disc(panel.at(draw, value), 2.0, style::colour(chain));
            }
            panel.line(scene, &points, with_alpha(style::colour(chain), 0.75), THIN);
        }
        panel.frame(scene);
        if draws().next().is_some() {
            panel.ticks_y(scene, false);
        } else {
            let middle = ((left + right) / 2.0, (top + bottom) / 2.0);
            scene.text(middle, "no finite draws", TextStyle::new(LABEL, MUTED, Align::Middle));
        }
        if last {
            panel.ticks_x(scene, OVERHANG);
            panel.label_x(scene, "draw");
        }
    }

    /// Rank histograms; source: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021).
    ///
    /// Ranks are counted here, from the draws: a histogram of ranks is a way of drawing them, as one of
    /// values is.
    fn ranks(&self, scene: &mut Scene, (left, right): Point, (top, bottom): Point, last: bool) {
        let counts = rank_counts(&self.chains);
        let drawn = counts.len().min(MAX_CHAINS);
        let highest = counts.iter().flatten().copied().max().unwrap_or(0) as f64;
        let cell = (right - left) / drawn.max(1) as f64;
        for (chain, counts) in counts.iter().enumerate().take(drawn) {
            let across = (left + chain as f64 * cell, left + (chain + 1) as f64 * cell - 8.0);
            let total: usize = counts.iter().sum();
            let all: usize = self.chains.iter().flatten().filter(|draw| draw.is_finite()).count();
            let expected = expected_counts(total, all);
            let y = Axis::new(
                0.0,
                (highest * 1.05).max(expected.1 * 1.2).max(1.0),
                bottom,
                top,
                AxisScale::Linear,
            );
            let panel = Panel { x: Axis::new(0.0, BINS as f64, across.0, across.1, AxisScale::Linear), y };
            scene.rectangle(panel.at(0.0, expected.1), panel.at(BINS as f64, expected.0), BAND);
            let mut outline = Vec::new();
            for (bin, count) in counts.iter().enumerate() {
                outline.extend([(bin as f64, *count as f64), ((bin + 1) as f64, *count as f64)]);
            }
            let ground = [(BINS as f64, 0.0), (0.0, 0.0)];
            let body = outline.iter().chain(&ground).map(|(rank, count)| panel.at(*rank, *count)).collect();
            scene.area(body, with_alpha(style::colour(chain), 0.28));
            panel.line(scene, &outline, style::colour(chain), style::LINE);
            let mean = total as f64 / BINS as f64;
            panel.line(scene, &[(0.0, mean), (BINS as f64, mean)], MUTED, THIN);
            scene.segment((across.0, bottom), (across.1, bottom), style::AXIS, THIN);
        }
        if last {
            let middle = (left + right) / 2.0;
            scene.text(
                (middle, bottom + 32.0),
                "rank, low to high",
                TextStyle::new(LABEL, INK, Align::Middle),
            );
        }
    }
}

/// At most `most` points of a chain. Of each stretch the lowest and the highest draw are kept, in their
/// order: an excursion stays in sight, which a fixed stride would miss.
fn thin(draws: &[f64], most: usize) -> Vec<Point> {
    let points =
        || draws.iter().enumerate().map(|(at, draw)| (at as f64, *draw)).filter(|(_, draw)| draw.is_finite());
    if draws.len() <= most {
        return points().collect();
    }
    let stretch = draws.len().div_ceil(most / 2) as f64;
    let mut kept: Vec<Point> = Vec::new();
    let all: Vec<Point> = points().collect();
    for part in all.chunk_by(|a, b| (a.0 / stretch).floor() == (b.0 / stretch).floor()) {
        let lowest = part.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
        let highest = part.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
        let mut pair: Vec<Point> = lowest.into_iter().chain(highest).collect();
        pair.sort_by(|a, b| a.0.total_cmp(&b.0));
        pair.dedup();
        kept.extend(pair);
    }
    kept
}

/// How many of each chain's draws have a rank, among the finite draws of all chains, in each of [`BINS`]
/// equal parts. Equal draws share the mean of their ranks.
fn rank_counts(chains: &[Vec<f64>]) -> Vec<[usize; BINS]> {
    let mut draws: Vec<(f64, usize)> = Vec::new();
    for (chain, values) in chains.iter().enumerate() {
        draws.extend(values.iter().filter(|value| value.is_finite()).map(|value| (*value, chain)));
    }
    draws.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut counts = vec![[0; BINS]; chains.len()];
    let mut below = 0;
    for tied in draws.chunk_by(|a, b| a.0 == b.0) {
        // Twice the mean rank, counted from 0.5: whole, so that no rounding decides a bin.
        let twice = 2 * below + tied.len();
        let bin = (twice * BINS / (2 * draws.len())).min(BINS - 1);
        for (_, chain) in tied {
            counts[*chain][bin] += 1;
        }
        below += tied.len();
    }
    counts
}

/// Where 95 % of a bin's counts fall when all chains draw from one distribution: a bin then holds `all` /
/// [`BINS`] ranks taken without replacement, so the count is hypergeometric; its normal approximation.
fn expected_counts(chain: usize, all: usize) -> (f64, f64) {
    let (n, total, share) = (chain as f64, all as f64, 1.0 / BINS as f64);
    let left = if all > 1 { (total - n) / (total - 1.0) } else { 0.0 };
    let reach = 1.96 * (n * share * (1.0 - share) * left).sqrt();
    ((n * share - reach).max(0.0), n * share + reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(chains: Vec<Vec<f64>>, variables: usize) -> Scene {
        let name =
            "log density of the observation with the longest name of all, in nats, 🐧 عرض الورقة بالسنتيمتر";
        TracePlot { components: 3, traces: vec![Trace { name: name.to_owned(), chains }; variables] }.scene()
    }

    #[test]
    fn texts_never_overlap_and_degenerate_draws_are_drawn() {
        let cases = [
            vec![],
            vec![vec![]],
            vec![vec![1.0]],
            vec![vec![f64::NAN; 5], vec![f64::NEG_INFINITY; 5]],
            vec![vec![1e300, -1e300, f64::MAX, f64::MIN], vec![1e-300; 4]],
            vec![vec![2.0; 700]; 12],
        ];
        for chains in cases {
            let scene = scene(chains, 3);
            scene.assert_legible();
            assert!(scene.render().is_ok());
        }
        scene(vec![vec![1.0, 2.0]], 0).assert_legible();
    }

    #[test]
    fn thinning_keeps_every_excursion_and_the_order() {
        let mut draws: Vec<f64> = (0..10_000).map(|i| f64::from(i % 7)).collect();
        draws[4321] = 99.0;
        draws[8765] = -99.0;
        let kept = thin(&draws, 500);
        assert!(kept.len() <= 500);
        assert!(kept.contains(&(4321.0, 99.0)) && kept.contains(&(8765.0, -99.0)));
        assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(thin(&draws[..500], 500).len(), 500);
    }

    #[test]
    fn ranks_of_interleaved_chains_are_uniform_and_of_parted_chains_are_not() {
        let chain = |first: i32, step: usize| (first..400).step_by(step).map(f64::from).collect::<Vec<f64>>();
        assert_eq!(rank_counts(&[chain(0, 2), chain(1, 2)]), [[10; BINS]; 2]);
        let parted = rank_counts(&[(0..200).map(f64::from).collect(), (200..400).map(f64::from).collect()]);
        assert_eq!(parted[0][..10], [20; 10]);
        assert_eq!(parted[0][10..], [0; 10]);
    }

    #[test]
    fn equal_draws_share_the_middle_rank() {
        let counts = rank_counts(&[vec![5.0; 30], vec![5.0; 30]]);
        assert_eq!(counts[0].iter().position(|count| *count == 30), Some(BINS / 2));
    }

    #[test]
    fn the_band_is_the_hypergeometric_one() {
        // 1000 of 4000 draws, bins of 200: mean 50, variance 1000 · 0.05 · 0.95 · 3000 / 3999.
        let (low, high) = expected_counts(1000, 4000);
        assert!((high - low - 2.0 * 1.96 * 35.634_f64.sqrt()).abs() < 1e-3);
        assert_eq!(
            expected_counts(100, 100),
            (5.0, 5.0),
            "a single chain's ranks are uniform by construction"
        );
    }
}
