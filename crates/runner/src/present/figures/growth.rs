//! Draws CPU time by N, K and D on logarithmic axes, with a lower bound from the machine's arithmetic.

use anyhow::Result;
use gmm_bench::case::Spacing;
use gmm_bench::growth::{Growth, Variable};
use gmm_bench::measurement::Area;

use super::axis::{Axis, AxisScale};
use super::figure::Figure;
use super::legend::{self, Key};
use super::scene::{Point, Scene};
use super::small_multiples::{LEFT, MARGIN, SmallMultiples, WIDTH};
use super::style::{self, AXIS, Colour, LINE, Marker, PRIMARY, Shape, with_alpha};

/// One row of panels per area, one column per variable.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowthPlot {
    pub growths: Vec<Growth>,
}

const HEIGHT: f64 = 150.0;

/// Space around the outermost points, in units of the figure.
const MARGIN_AROUND: f64 = 8.0;

/// Microseconds in a second: what the vertical axes count.
const MICRO: f64 = 1e6;

const FLOOR: Colour = AXIS;

impl GrowthPlot {
    /// # Errors
    /// See [`Figure`]: only when the PNG cannot be encoded.
    pub fn draw(&self) -> Result<Figure> {
        self.scene().render()
    }

    fn scene(&self) -> Scene {
        let areas: Vec<Area> = Area::ALL
            .into_iter()
            .filter(|&area| self.growths.iter().any(|growth| growth.area == area))
            .collect();
        let columns = Variable::ALL.len();
        let grid = SmallMultiples { n: areas.len() * columns, columns, height: HEIGHT };
        let keys = self.keys();
        let room = WIDTH - 2.0 * MARGIN - LEFT;
        let height = grid.bottom() + legend::height(&keys, room) + MARGIN;
        let mut scene =
            Scene::new("CPU time by number of observations, components and features", WIDTH, height);
        for (row, &area) in areas.iter().enumerate() {
            for (column, &variable) in Variable::ALL.iter().enumerate() {
                self.panel(&mut scene, &grid, row * columns + column, area, variable);
            }
        }
        legend::draw_rows(&mut scene, (MARGIN + LEFT, grid.bottom()), &keys, room);
        scene
    }

    fn panel(&self, scene: &mut Scene, grid: &SmallMultiples, index: usize, area: Area, variable: Variable) {
        let lines =
            || self.growths.iter().filter(|growth| (growth.area, growth.variable) == (area, variable));
        // Panels of a column share the horizontal axis and all panels the vertical one, so that they can be compared.
        let sizes = self.growths.iter().filter(|growth| growth.variable == variable).flat_map(sizes);
        let (first, last) = reach(sizes);
        let (least, most) = reach(self.growths.iter().flat_map(times));
        let base = if variable == Variable::Observations { 10.0 } else { 2.0 };
        let axes = |[left, right]: [f64; 2], [bottom, top]: [f64; 2]| {
            let x =
                Axis::new(first, last, left + MARGIN_AROUND, right - MARGIN_AROUND, AxisScale::Log { base });
            let y = Axis::new(
                least,
                most,
                bottom - MARGIN_AROUND,
                top + MARGIN_AROUND,
                AxisScale::Log { base: 10.0 },
            );
            (x.extended(MARGIN_AROUND), y.extended(MARGIN_AROUND))
        };
        let name_x = match variable {
            Variable::Observations => "observations N",
            Variable::Components => "components K",
            Variable::Features => "features D",
        };
        let panel = grid.panel(scene, index, axes, (name_x, "CPU time, µs"));
        panel.grid_lines_y(scene);
        let held = lines().next().map_or("", |growth| growth.fixed.as_str());
        let exponents: Vec<String> = lines().map(|growth| format!("{:.2}", growth.exponent())).collect();
        let title = format!("{} against {}", what(area), variable.symbol());
        let number = match exponents.len() {
            0 => String::new(),
            1 => format!("exponent {}", exponents[0]),
            _ => format!("exponents {}", exponents.join(", ")),
        };
        grid.head(scene, index, &title, Some(held), &number);
        // The lower bound counts every component, so all lines of a panel share it.
        if let Some(growth) = lines().next() {
            let floor: Vec<Point> =
                growth.points.iter().map(|point| (point.size as f64, MICRO * point.time_at_peak)).collect();
            panel.line(scene, &floor, FLOOR, LINE);
        }
        for growth in lines() {
            let points: Vec<Point> =
                growth.points.iter().map(|point| (point.size as f64, MICRO * point.time.median)).collect();
            let marker = marker(growth.spacing);
            panel.line(scene, &points, with_alpha(marker.colour, 0.55), LINE);
            points.iter().for_each(|&point| panel.marker(scene, point, marker));
        }
        panel.frame(scene);
    }

    fn keys(&self) -> Vec<(Key, String)> {
        let mut keys = Vec::new();
        for (spacing, text) in [
            (Spacing::Overlapping, "components overlap: every observation needs all of them"),
            (Spacing::Separated, "components are separated: most are skipped"),
        ] {
            if self.growths.iter().any(|growth| growth.spacing == spacing) {
                keys.push((Key::Marker(marker(spacing)), text.to_owned()));
            }
        }
        let text = "lower bound: one pass with all components at the machine's rate of multiply-adds";
        keys.push((Key::Line { colour: FLOOR, width: LINE }, text.to_owned()));
        keys
    }
}

fn what(area: Area) -> &'static str {
    match area {
        Area::Kernel => "One pass over the data",
        Area::Chain => "One gradient of a chain",
        Area::Em => "One iteration of EM",
        Area::Fit => "One fit",
    }
}

fn marker(spacing: Spacing) -> Marker {
    match spacing {
        Spacing::Overlapping => Marker { shape: Shape::Circle, colour: PRIMARY, radius: 3.2, hollow: false },
        Spacing::Separated => {
            Marker { shape: Shape::Diamond, colour: style::colour(2), radius: 3.6, hollow: false }
        }
    }
}

fn sizes(growth: &Growth) -> impl Iterator<Item = f64> {
    growth.points.iter().map(|point| point.size as f64)
}

/// Times and floors, in microseconds.
fn times(growth: &Growth) -> impl Iterator<Item = f64> {
    growth.points.iter().flat_map(|point| [MICRO * point.time.median, MICRO * point.time_at_peak])
}

fn reach(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gmm_bench::growth::GrowthPoint;
    use gmm_bench::timing::Timing;

    fn growth(area: Area, variable: Variable, spacing: Spacing, n: usize, unit: f64) -> Growth {
        let base: usize = if variable == Variable::Observations { 10 } else { 2 };
        let size = |i: usize| {
            let size = base.pow(i as u32 + 1);
            let time = unit * size as f64;
            GrowthPoint {
                size,
                time: Timing { median: 1.3 * time, minimum: time, rounds: 5 },
                time_at_peak: 0.4 * time,
            }
        };
        Growth {
            area,
            variable,
            spacing,
            fixed: "N = 2000, D = 2".to_owned(),
            points: (0..n).map(size).collect(),
        }
    }

    #[test]
    fn texts_never_overlap_whatever_the_sizes_and_times() {
        for n in [2, 4, 6] {
            for unit in [1e-9, 1e-6, 1.0] {
                let mut growths = Vec::new();
                for area in [Area::Kernel, Area::Chain, Area::Em] {
                    for variable in Variable::ALL {
                        growths.push(growth(area, variable, Spacing::Overlapping, n, unit));
                        growths.push(growth(area, variable, Spacing::Separated, n, 0.5 * unit));
                    }
                }
                GrowthPlot { growths }.scene().assert_legible();
            }
        }
    }
}
