//! What was measured, as tables of text.

use std::fmt::Write;

use gmm_bench::growth::Growth;
use gmm_bench::measurement::{Area, Measurement, Quantity};
use gmm_bench::suite::BenchResults;

use super::broken;
use crate::present::table::{Table, short};
use crate::storage::provenance::Machine;

/// Every table with its heading.
#[must_use]
pub fn all(speed: &BenchResults, machine: &Machine) -> String {
    let mut text = format!("{}\n", this_machine(machine));
    for (heading, table) in headed(speed) {
        write!(text, "\n{heading}\n{table}").expect("writing to a string cannot fail");
    }
    write!(text, "\n{}\n", summary(speed)).expect("writing to a string cannot fail");
    text
}

/// The tables, each with what it is of.
#[must_use]
pub fn headed(speed: &BenchResults) -> [(&'static str, String); 5] {
    [
        ("Kernel: one pass over the data, log-likelihood and moments", kernel(speed)),
        ("Chain: one gradient", chain(speed)),
        ("EM: one iteration", em(speed)),
        ("Fits: k-means, EM, mode and curvature, 4 chains of the default length", fit(speed)),
        ("Growth: exponents of the upper half of each line", growth(speed)),
    ]
}

#[must_use]
pub fn this_machine(machine: &Machine) -> String {
    format!(
        "{}, {}, {} billion multiply-adds a second in registers; CPU time of one thread; medians, and the fastest round",
        machine.processor.as_deref().unwrap_or(&machine.architecture),
        machine.instruction_set,
        short(1e-9 * machine.multiply_adds_per_second)
    )
}

/// Whether the claims are kept.
#[must_use]
pub fn summary(speed: &BenchResults) -> String {
    match broken(speed) {
        0 => format!("all {} claims of growth are kept", speed.growths.len()),
        broken => format!("{broken} of {} claims of growth are NOT KEPT", speed.growths.len()),
    }
}

/// A duration with three digits and the unit that suits it.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        _ if seconds < 1e-6 => (1e9 * seconds, "ns"),
        _ if seconds < 1e-3 => (1e6 * seconds, "µs"),
        _ if seconds < 1.0 => (1e3 * seconds, "ms"),
        _ => (seconds, "s"),
    };
    format!("{} {unit}", short(value))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// One row a case: its name and sizes, then a cell for each of the quantities.
struct Cases<'a> {
    measurements: Vec<&'a Measurement>,
    names: usize,
}

impl<'a> Cases<'a> {
    fn new(speed: &'a BenchResults, area: Area) -> Self {
        let measurements: Vec<_> = speed.measurements.iter().filter(|it| it.area == area).collect();
        let names = measurements.iter().map(|it| it.shape.name.chars().count()).max().unwrap_or(0);
        Self { measurements, names }
    }

    /// The cells of a case come from a function that finds its quantities.
    fn table(
        &self,
        header: &[&str],
        cells: impl Fn(&dyn Fn(Quantity) -> &'a Measurement) -> Vec<String>,
    ) -> String {
        let names = self.names;
        let mut first = vec![format!("{:<names$}", "case"), "N".to_owned(), "D".to_owned(), "K".to_owned()];
        first.extend(header.iter().map(|&title| title.to_owned()));
        let mut rows = vec![first];
        for of_case in self.measurements.chunk_by(|a, b| a.quantity != b.quantity && a.shape == b.shape) {
            let shape = &of_case[0].shape;
            let mut row = vec![format!("{:<names$}", shape.name)];
            row.extend([shape.n, shape.d, shape.k].map(|size| size.to_string()));
            let find = |quantity: Quantity| -> &'a Measurement {
                let found = of_case.iter().find(|it| it.quantity == quantity);
                found.expect("every case of an area has all of its quantities")
            };
            row.extend(cells(&find));
            rows.push(row);
        }
        Table { rows }.render()
    }
}

fn kernel(speed: &BenchResults) -> String {
    let header = ["time", "fastest", "ns per N K", "fastest", "floor / time"];
    Cases::new(speed, Area::Kernel).table(&header, |of| {
        let (pass, each) = (of(Quantity::Pass).timing, of(Quantity::PassPerObservationAndComponent).timing);
        vec![
            duration(pass.median),
            duration(pass.minimum),
            format!("{:.2}", 1e9 * each.median),
            format!("{:.2}", 1e9 * each.minimum),
            percent(of(Quantity::ShareOfPeak).timing.median),
        ]
    })
}

fn chain(speed: &BenchResults) -> String {
    let header = ["time", "fastest", "per second", "density", "pass", "outside density", "outside pass"];
    Cases::new(speed, Area::Chain).table(&header, |of| {
        let gradient = of(Quantity::Gradient).timing;
        vec![
            duration(gradient.median),
            duration(gradient.minimum),
            format!("{:.0}", 1.0 / gradient.median),
            duration(of(Quantity::Density).timing.median),
            duration(of(Quantity::Pass).timing.median),
            percent(of(Quantity::OutsideDensity).timing.median),
            percent(of(Quantity::OutsidePass).timing.median),
        ]
    })
}

fn em(speed: &BenchResults) -> String {
    Cases::new(speed, Area::Em).table(&["time", "fastest", "ns per N K"], |of| {
        let iteration = of(Quantity::Iteration);
        let n_k = (iteration.shape.n * iteration.shape.k) as f64;
        vec![
            duration(iteration.timing.median),
            duration(iteration.timing.minimum),
            format!("{:.2}", 1e9 * iteration.timing.median / n_k),
        ]
    })
}

fn fit(speed: &BenchResults) -> String {
    Cases::new(speed, Area::Fit).table(
        &["CPU time", "least ESS", "ESS per second", "lowest", "seeds"],
        |of| {
            let per_second = of(Quantity::EffectiveDrawsPerSecond).timing;
            vec![
                duration(of(Quantity::Fit).timing.median),
                format!("{:.0}", of(Quantity::EffectiveDraws).timing.median),
                format!("{:.0}", per_second.median),
                format!("{:.0}", per_second.minimum),
                per_second.rounds.to_string(),
            ]
        },
    )
}

fn growth(speed: &BenchResults) -> String {
    let words = ["area", "over", "components", "where"];
    let cells = |growth: &Growth| {
        [growth.area.name(), growth.variable.symbol(), growth.spacing.name(), &growth.fixed]
            .map(str::to_owned)
    };
    let all: Vec<[String; 4]> =
        std::iter::once(words.map(str::to_owned)).chain(speed.growths.iter().map(cells)).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let mut numbers = vec![["exponent".to_owned(), "claimed".to_owned(), String::new()]];
    numbers.extend(speed.growths.iter().map(|growth| {
        let verdict = if growth.is_within_limit() { "kept" } else { "NOT KEPT" };
        [format!("{:.2}", growth.exponent()), format!("≤ {}", growth.variable.limit()), verdict.to_owned()]
    }));
    let rows = all.iter().zip(numbers).map(|(words, numbers)| {
        let words = words.iter().enumerate();
        let mut row: Vec<String> = words.map(|(column, word)| format!("{word:<0$}", width(column))).collect();
        row.extend(numbers);
        row
    });
    Table { rows: rows.collect() }.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gmm_bench::case::{Shape, Spacing};
    use gmm_bench::growth::{GrowthPoint, Variable};
    use gmm_bench::timing::Timing;

    fn timing(median: f64) -> Timing {
        Timing { median, minimum: 0.8 * median, rounds: 5 }
    }

    fn speed() -> BenchResults {
        let shape = |name: &str, n| Shape { name: name.to_owned(), n, d: 2, k: 8 };
        let mut measurements = Vec::new();
        let mut add = |area, shape: &Shape, numbers: &[(Quantity, f64)]| {
            for &(quantity, median) in numbers {
                let (shape, timing) = (shape.clone(), timing(median));
                measurements.push(Measurement { area, shape, quantity, timing });
            }
        };
        for (shape, unit) in [(shape("blobs", 500), 1.0), (shape("overlapping", 1_000_000), 2000.0)] {
            let each = (Quantity::PassPerObservationAndComponent, 0.85e-9);
            let share = (Quantity::ShareOfPeak, 0.874);
            add(Area::Kernel, &shape, &[(Quantity::Pass, 3.4e-6 * unit), each, share]);
        }
        let outside = [(Quantity::OutsideDensity, 0.21), (Quantity::OutsidePass, 0.33)];
        let times = [(Quantity::Gradient, 5e-6), (Quantity::Density, 4e-6), (Quantity::Pass, 3.4e-6)];
        add(Area::Chain, &shape("blobs", 500), &[&times[..], &outside].concat());
        add(Area::Em, &shape("simulated", 100_000), &[(Quantity::Iteration, 7.6e-3)]);
        let fit = [
            (Quantity::Fit, 0.42),
            (Quantity::EffectiveDraws, 2100.0),
            (Quantity::EffectiveDrawsPerSecond, 5000.0),
        ];
        add(Area::Fit, &shape("blobs", 500), &fit);
        let growth = |variable, power: i32| Growth {
            area: Area::Kernel,
            variable,
            spacing: Spacing::Overlapping,
            fixed: "N = 2000, K = 3".to_owned(),
            points: [1, 10]
                .map(|size| GrowthPoint {
                    size,
                    time: timing(f64::from(size as i32).powi(power)),
                    time_at_peak: 0.1,
                })
                .to_vec(),
        };
        let growths = vec![growth(Variable::Components, 1), growth(Variable::Features, 3)];
        BenchResults { multiply_add: timing(5e-11), measurements, growths }
    }

    #[test]
    fn tables_say_what_was_measured_and_which_claims_are_not_kept() {
        let machine = Machine {
            version: String::new(),
            operating_system: String::new(),
            architecture: "x86_64".to_owned(),
            processor: Some("a processor".to_owned()),
            instruction_set: "AVX2".to_owned(),
            multiply_adds_per_second: 2e10,
            finished: 0,
            wall_seconds: 0.0,
        };
        insta::assert_snapshot!(all(&speed(), &machine));
    }

    #[test]
    fn durations_have_the_unit_that_suits_them() {
        let texts = [0.87e-9, 3.4e-6, 12.3e-3, 1.0, 45.67].map(duration);
        assert_eq!(texts, ["0.87 ns", "3.40 µs", "12.3 ms", "1.00 s", "45.7 s"]);
    }
}
