//! The table of the answer's components: on the terminal, as CSV, JSON and for the page.

use serde_json::{Value, json};

use super::csv;
use super::text_table::TextTable;
use crate::scores::components::{Component, Components, Interval};

/// More columns than this are not shown on a terminal.
const MOST_COLUMNS: usize = 6;

/// In place of a table.
pub const ALIKE: &str = "The data cannot tell these components apart, so they have no table.";

/// The table for a terminal, or a sentence in its place; none without an answer's components, or where there are more columns than
/// fit.
#[must_use]
pub fn text(components: Option<&Components>, columns: &[String], width: usize) -> Option<String> {
    let of_each = match components? {
        Components::Alike => return Some(format!("{ALIKE}\n")),
        Components::ToldApart(_) if columns.len() > MOST_COLUMNS => return None,
        Components::ToldApart(of_each) => of_each,
    };
    let weights = digits(of_each.iter().map(|component| component.weight));
    let of_columns: Vec<Digits> = (0..columns.len())
        .map(|d| digits(of_each.iter().flat_map(|component| [component.means[d], component.scales[d]])))
        .collect();
    let (mut header, labels) = labels(of_each, "");
    header.push("weight".to_owned());
    header.extend(columns.iter().cloned());
    let row = |(mut row, component): (Vec<String>, &Component)| {
        row.push(with_interval(component.weight, weights));
        let moments = component.means.iter().zip(&component.scales).zip(&of_columns);
        row.extend(moments.map(|((mean, sd), digits)| {
            format!("{} ({})", digits.write(mean.median), digits.write(sd.median))
        }));
        row
    };
    let rows = std::iter::once(header).chain(labels.into_iter().zip(of_each).map(row)).collect();
    let table = TextTable::with_names(rows).render(width, 1);
    Some(format!("{table}{LEGEND}\n"))
}

const LEGEND: &str = "Each component: weight (90 % interval), then mean (sd) of each column.";

/// How a table begins: the head of its first columns, and what each component has there. It is its number and, if some cluster has
/// several components, so that the number of one does not say that of the other, its cluster.
fn labels(of_each: &[Component], component: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let clusters: Vec<usize> = of_each.iter().filter_map(|component| component.cluster).collect();
    let are_merged = clusters.iter().enumerate().any(|(place, cluster)| clusters[..place].contains(cluster));
    let mut head = vec![component.to_owned()];
    let mut labels: Vec<Vec<String>> = (1..=of_each.len()).map(|number| vec![number.to_string()]).collect();
    if are_merged {
        head.push("cluster".to_owned());
        labels.iter_mut().zip(clusters).for_each(|(label, cluster)| label.push((cluster + 1).to_string()));
    }
    (head, labels)
}

/// Every number of every component with its interval, a row a component; the names of the columns first.
#[must_use]
pub fn cells(components: &Components, columns: &[String]) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let Components::ToldApart(of_each) = components else { return None };
    let (mut head, labels) = labels(of_each, "component");
    head.push("weight".to_owned());
    head.extend(columns.iter().flat_map(|name| [format!("{name}, mean"), format!("{name}, sd")]));
    let own = |of: Interval| with_interval(of, digits(std::iter::once(of)));
    let row = |(mut row, component): (Vec<String>, &Component)| {
        row.push(own(component.weight));
        let moments = component.means.iter().zip(&component.scales);
        row.extend(moments.flat_map(|(mean, sd)| [own(*mean), own(*sd)]));
        row
    };
    Some((head, labels.into_iter().zip(of_each).map(row).collect()))
}

/// `components.csv`: a row for each number. Only the header where components are not told apart.
#[must_use]
pub fn csv(components: &Components, columns: &[String]) -> String {
    let header = ["component", "quantity", "column", "median", "low", "high"];
    let of_each = match components {
        Components::ToldApart(of_each) => &of_each[..],
        Components::Alike => &[],
    };
    let row = |index: usize, quantity: &str, column: &str, Interval { median, low, high }: Interval| {
        let [median, low, high] = [median, low, high].map(|value| format!("{value:?}"));
        [(index + 1).to_string(), quantity.to_owned(), column.to_owned(), median, low, high]
    };
    let rows = of_each.iter().enumerate().flat_map(|(index, component)| {
        let weight = std::iter::once(row(index, "weight", "", component.weight));
        let means = columns.iter().zip(&component.means).map(move |(name, of)| row(index, "mean", name, *of));
        let scales = columns.iter().zip(&component.scales).map(move |(name, of)| row(index, "sd", name, *of));
        weight.chain(means).chain(scales)
    });
    csv::csv(header, rows)
}

/// A list with one entry for each component; null where they are not told apart.
#[must_use]
pub fn json(components: &Components, columns: &[String]) -> Value {
    let Components::ToldApart(of_each) = components else { return Value::Null };
    let interval =
        |Interval { median, low, high }: Interval| json!({"median": median, "low": low, "high": high});
    let of_columns = |of: &[Interval]| -> Value {
        columns
            .iter()
            .zip(of)
            .map(|(name, of)| (name.clone(), interval(*of)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let entry = |component: &Component| {
        json!({
            "cluster": component.cluster.map(|cluster| cluster + 1),
            "weight": interval(component.weight),
            "means": of_columns(&component.means),
            "sds": of_columns(&component.scales),
        })
    };
    of_each.iter().map(entry).collect()
}

/// "0.36 (0.31–0.41)".
fn with_interval(of: Interval, digits: Digits) -> String {
    let [median, low, high] = [of.median, of.low, of.high].map(|value| digits.write(value));
    format!("{median} ({low}–{high})")
}

/// How numbers are written: with so many decimals, negative ones being zeros before the point.
#[derive(Debug, Clone, Copy)]
enum Digits {
    Decimals(i32),
    /// Of numbers that decimals would make long.
    Scientific,
}

/// Two digits of the half width of the widest interval.
fn digits(of: impl Iterator<Item = Interval>) -> Digits {
    let half = of.map(|of| 0.5 * (of.high - of.low)).fold(0.0, f64::max);
    let decimals = 1.0 - libm::log10(half).floor();
    // Includes intervals without a width.
    if (-12.0..=6.0).contains(&decimals) { Digits::Decimals(decimals as i32) } else { Digits::Scientific }
}

impl Digits {
    fn write(self, value: f64) -> String {
        match self {
            Self::Scientific => format!("{value:.3e}"),
            Self::Decimals(decimals) if decimals >= 0 => format!("{value:.0$}", decimals as usize),
            Self::Decimals(decimals) => {
                let unit = libm::pow(10.0, -f64::from(decimals));
                format!("{:.0}", (value / unit).round() * unit)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(median: f64, half: f64) -> Interval {
        Interval { median, low: median - half, high: median + half }
    }

    fn example() -> Components {
        let component = |weight: f64, mean: f64| Component {
            cluster: None,
            weight: of(weight, 0.043),
            means: vec![of(mean, 0.31), of(1234.5, 120.0)],
            scales: vec![of(1.5, 0.2), of(52.0, 14.0)],
        };
        Components::ToldApart(vec![component(0.6, 2.0), component(0.4, -7.25)])
    }

    #[test]
    fn numbers_have_the_digits_that_their_intervals_leave() {
        let found = text(Some(&example()), &["a".to_owned(), "b".to_owned()], 100).unwrap();
        let expected = concat!(
            "                 weight              a           b\n",
            "1   0.600 (0.557–0.643)    2.00 (1.50)   1230 (50)\n",
            "2   0.400 (0.357–0.443)   -7.25 (1.50)   1230 (50)\n",
            "Each component: weight (90 % interval), then mean (sd) of each column.\n",
        );
        assert_eq!(found, expected);
    }

    /// Where each component is a cluster, its number says it all.
    #[test]
    fn components_of_one_cluster_are_shown_together() {
        let Components::ToldApart(mut of_each) = example() else { panic!("it is told apart") };
        let columns = ["a".to_owned(), "b".to_owned()];
        let header = |of_each: &[Component]| {
            let table = text(Some(&Components::ToldApart(of_each.to_vec())), &columns, 100).unwrap();
            table.lines().next().unwrap().contains("cluster")
        };
        for (clusters, is_shown) in [([0, 1], false), ([0, 0], true)] {
            of_each
                .iter_mut()
                .zip(clusters)
                .for_each(|(component, cluster)| component.cluster = Some(cluster));
            assert_eq!(header(&of_each), is_shown);
        }
    }

    #[test]
    fn files_have_every_number() {
        let columns = ["a".to_owned(), "b".to_owned()];
        let csv = csv(&example(), &columns);
        assert_eq!(csv.lines().count(), 1 + 2 * 5);
        assert_eq!(csv.lines().nth(2), Some("1,mean,a,2.0,1.69,2.31"));
        let json = json(&example(), &columns);
        assert_eq!(json[1]["means"]["a"]["median"], -7.25);
        assert_eq!(super::json(&Components::Alike, &columns), Value::Null);
        assert_eq!(text(Some(&Components::Alike), &columns, 80).unwrap().trim_end(), ALIKE);
    }

    #[test]
    fn many_columns_are_left_to_the_page() {
        let columns = vec!["a".to_owned(); MOST_COLUMNS + 1];
        assert_eq!(text(Some(&example()), &columns, 80), None);
    }
}
