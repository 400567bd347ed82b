//! Three features or more: every pair below the diagonal, every feature on it, correlations above it.

use super::plot::MixturePlot;
use super::{marginal, scatter};
use crate::present::figures::axis::{Axis, AxisScale};
use crate::present::figures::panel::Panel;
use crate::present::figures::scene::{Align, Point, Scene, TextStyle};
use crate::present::figures::style::{self, GRID_LINE, MUTED, THIN, TICK};

const CELL: f64 = 150.0;
const SPACE: f64 = 10.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 34.0;
const BELOW: f64 = 66.0;
const LEGEND: f64 = 160.0;

impl MixturePlot {
    pub(super) fn grid_of_pairs(&self) -> Scene {
        let shown = self.shown();
        let side = shown as f64 * CELL;
        let (width, height) = (LEFT + side + LEGEND, TOP + side + BELOW);
        let mut scene = Scene::new(self.title(), width, height);
        for row in 0..shown {
            for column in 0..shown {
                self.cell(&mut scene, row, column);
            }
        }
        let keys =
            [self.component_keys(scatter::component_key), self.region_keys(), self.density_key()].concat();
        self.legend(&mut scene, (LEFT + side + 12.0, TOP), LEGEND - 20.0, &keys);
        self.notes(&mut scene, height);
        scene
    }

    fn notes(&self, scene: &mut Scene, height: f64) {
        let shown = self.shown();
        let hidden = self.columns.len() - shown;
        if hidden > 0 {
            let note =
                format!("The first {shown} of {} features; {hidden} are left out.", self.columns.len());
            scene.text((LEFT, height - 24.0), note, TextStyle::new(TICK, MUTED, Align::Start));
        }
        self.note_thinning(scene, (LEFT, height - 8.0), shown * (shown - 1) / 2);
    }

    fn cell(&self, scene: &mut Scene, row: usize, column: usize) {
        let left = LEFT + column as f64 * CELL;
        let top = TOP + row as f64 * CELL;
        let (across, down) = ((left, left + CELL - SPACE), (top, top + CELL - SPACE));
        let last = row + 1 == self.shown();
        let panel = if row == column {
            let panel = marginal::panel(self, row, across, down);
            marginal::draw(self, scene, &panel, row);
            panel
        } else if row > column {
            let panel = scatter::panel(self, row, column, across, down);
            scatter::draw(self, scene, &panel, row, column, false);
            panel
        } else {
            return self.correlations(scene, across, down, row, column);
        };
        panel.frame_all(scene);
        if last {
            panel.ticks_x(scene, SPACE / 2.0 - 1.0);
            panel.label_x(scene, &self.columns[column]);
        }
        if column == 0 {
            // The first cell's vertical axis is a density; its row is still the feature's.
            if row > 0 {
                panel.ticks_y(scene, false);
            }
            panel.label_y(scene, &self.columns[row], 52.0);
        }
    }

    /// One line per component: its correlation of two features on an axis from −1 to 1.
    fn correlations(&self, scene: &mut Scene, across: Point, down: Point, i: usize, j: usize) {
        let x = Axis::new(-1.0, 1.0, across.0 + 14.0, across.1 - 14.0, AxisScale::Linear);
        let y = Axis::new(0.0, 1.0, down.1 - 18.0, down.0 + 12.0, AxisScale::Linear);
        let panel = Panel { x, y };
        for value in [-1.0, 0.0, 1.0] {
            let at = panel.at(value, 0.0);
            scene.segment(at, panel.at(value, 1.0), GRID_LINE, THIN);
            let text = if value < 0.0 { "−1".to_owned() } else { value.to_string() };
            scene.text((at.0, down.1 - 5.0), text, TextStyle::new(TICK, MUTED, Align::Middle));
        }
        let count = self.components.len() as f64;
        for (k, component) in self.components.iter().enumerate() {
            let correlation =
                component.covariance(i, j) / (component.variance(i) * component.variance(j)).sqrt();
            let height = 1.0 - (k as f64 + 0.5) / count;
            panel.line(scene, &[(0.0, height), (correlation, height)], style::colour(k), style::LINE);
            let radius = (0.35 * (panel.bottom() - panel.top()) / count).min(3.2);
            panel.marker(scene, (correlation, height), style::cluster_marker(k, radius));
        }
        if (i, j) == (0, 1) {
            scene.text(
                (across.0, down.0 - 6.0),
                "correlation within component",
                TextStyle::new(TICK, MUTED, Align::Start),
            );
        }
    }
}
