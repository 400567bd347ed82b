//! The benchmark results as text tables, at most 80 columns wide.

use std::fmt::Write;

use gmm_bench::growth::Growth;
use gmm_bench::measurement::{Area, Measurement, Quantity};
use gmm_bench::suite::BenchResults;

use crate::present::table::short;
use crate::present::text_table::{TextTable, terminal_width};
use crate::storage::provenance::Machine;

/// All tables with their headings.
#[must_use]
pub fn all(results: &BenchResults, machine: &Machine) -> String {
    let mut text = format!("{}.\n", self::machine(machine));
    for (heading, table) in headed(results) {
        write!(text, "\n{heading}\n{table}").expect("writing to a string cannot fail");
    }
    write!(text, "\n{}.\n", summary(results)).expect("writing to a string cannot fail");
    text
}

/// The tables, each with its heading.
#[must_use]
pub fn headed(results: &BenchResults) -> [(&'static str, String); 5] {
    [
        ("Kernel: one pass over the data, log-likelihood and moments", kernel(results)),
        ("Chain: one gradient of a chain after warm-up", chain(results)),
        ("EM: one iteration", em(results)),
        ("Fits: k-means, EM, mode and 4 chains of the default length", fit(results)),
        ("Growth: exponents over the upper half of the sizes", growth(results)),
    ]
}

/// The processor and its peak arithmetic rate.
#[must_use]
pub fn machine(machine: &Machine) -> String {
    format!(
        "{} with {}: {} billion multiply-adds per second on one thread",
        machine.processor.as_deref().unwrap_or(&machine.architecture),
        machine.instruction_set,
        short(1e-9 * machine.multiply_adds_per_second)
    )
}

/// The number of exponents above their limit.
#[must_use]
pub fn n_above_limit(results: &BenchResults) -> usize {
    results.growths.iter().filter(|growth| !growth.is_within_limit()).count()
}

/// One sentence on the exponents of growth.
#[must_use]
pub fn summary(results: &BenchResults) -> String {
    match (n_above_limit(results), results.growths.len()) {
        (0, all) => format!("All {all} exponents of growth are within their limits"),
        (above, all) => format!("{above} of {all} exponents of growth are above their limits"),
    }
}

/// A duration with three digits and a suitable unit.
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

/// The measurements of one area, for a table with one row per case.
struct Cases<'a> {
    measurements: Vec<&'a Measurement>,
    names: usize,
}

impl<'a> Cases<'a> {
    fn new(results: &'a BenchResults, area: Area) -> Self {
        let measurements: Vec<_> = results.measurements.iter().filter(|it| it.area == area).collect();
        let names = measurements.iter().map(|it| it.shape.name.chars().count()).max().unwrap_or(0);
        Self { measurements, names }
    }

    /// One row per case: name, sizes, and cells computed by a function that is given a lookup of the case's quantities.
    fn table(
        &self,
        header: &[&str],
        cells: impl Fn(&dyn Fn(Quantity) -> &'a Measurement) -> Vec<String>,
    ) -> String {
        let names = self.names;
        let mut first = vec![format!("{:<names$}", "case"), "N".to_owned(), "D".to_owned(), "K".to_owned()];
        first.extend(header.iter().map(|&title| title.to_owned()));
        let mut rows = vec![first];
        for measurements in self.measurements.chunk_by(|a, b| a.quantity != b.quantity && a.shape == b.shape)
        {
            let shape = &measurements[0].shape;
            let mut row = vec![format!("{:<names$}", shape.name)];
            row.extend([shape.n, shape.d, shape.k].map(|size| size.to_string()));
            let find = |quantity: Quantity| -> &'a Measurement {
                let found = measurements.iter().find(|it| it.quantity == quantity);
                found.expect("every case has all quantities of its area")
            };
            row.extend(cells(&find));
            rows.push(row);
        }
        TextTable::new(rows).render(terminal_width(), 1)
    }
}

fn kernel(results: &BenchResults) -> String {
    let header = ["time", "fastest", "ns / (N K)", "of peak"];
    Cases::new(results, Area::Kernel).table(&header, |find| {
        let (pass, each) =
            (find(Quantity::Pass).timing, find(Quantity::PassPerObservationAndComponent).timing);
        vec![
            duration(pass.median),
            duration(pass.minimum),
            format!("{:.2}", 1e9 * each.median),
            percent(find(Quantity::ShareOfPeak).timing.median),
        ]
    })
}

fn chain(results: &BenchResults) -> String {
    let header = ["time", "density", "pass", "overhead"];
    Cases::new(results, Area::Chain).table(&header, |find| {
        vec![
            duration(find(Quantity::Gradient).timing.median),
            duration(find(Quantity::Density).timing.median),
            duration(find(Quantity::Pass).timing.median),
            percent(find(Quantity::OutsideDensity).timing.median),
        ]
    })
}

fn em(results: &BenchResults) -> String {
    Cases::new(results, Area::Em).table(&["time", "fastest", "ns / (N K)"], |find| {
        let iteration = find(Quantity::Iteration);
        let n_k = (iteration.shape.n * iteration.shape.k) as f64;
        vec![
            duration(iteration.timing.median),
            duration(iteration.timing.minimum),
            format!("{:.2}", 1e9 * iteration.timing.median / n_k),
        ]
    })
}

fn fit(results: &BenchResults) -> String {
    Cases::new(results, Area::Fit).table(&["CPU time", "min ESS", "ESS/s", "lowest", "seeds"], |find| {
        let per_second = find(Quantity::EffectiveDrawsPerSecond).timing;
        vec![
            duration(find(Quantity::Fit).timing.median),
            format!("{:.0}", find(Quantity::EffectiveDraws).timing.median),
            format!("{:.0}", per_second.median),
            format!("{:.0}", per_second.minimum),
            per_second.rounds.to_string(),
        ]
    })
}

fn growth(results: &BenchResults) -> String {
    let words = ["area", "in", "components", "fixed"];
    let cells = |growth: &Growth| {
        [growth.area.name(), growth.variable.symbol(), growth.spacing.name(), &growth.fixed]
            .map(str::to_owned)
    };
    let all: Vec<[String; 4]> =
        std::iter::once(words.map(str::to_owned)).chain(results.growths.iter().map(cells)).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let mut numbers = vec![["exponent".to_owned(), "limit".to_owned(), String::new()]];
    numbers.extend(results.growths.iter().map(|growth| {
        let verdict = if growth.is_within_limit() { "ok" } else { "ABOVE" };
        [format!("{:.2}", growth.exponent()), growth.variable.limit().to_string(), verdict.to_owned()]
    }));
    let rows = all.iter().zip(numbers).map(|(words, numbers)| {
        let words = words.iter().enumerate();
        let mut row: Vec<String> = words.map(|(column, word)| format!("{word:<0$}", width(column))).collect();
        row.extend(numbers);
        row
    });
    TextTable::new(rows.collect()).render(terminal_width(), 1)
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

    fn results() -> BenchResults {
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
    fn tables_show_all_measurements_and_exponents_above_their_limits() {
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
        let text = all(&results(), &machine);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn durations_have_a_suitable_unit() {
        let texts = [0.87e-9, 3.4e-6, 12.3e-3, 1.0, 45.67].map(duration);
        assert_eq!(texts, ["0.87 ns", "3.40 µs", "12.3 ms", "1.00 s", "45.7 s"]);
    }
}
