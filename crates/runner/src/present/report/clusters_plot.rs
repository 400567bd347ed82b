//! Turns the clusters of the rows into what their figure shows.

use gmm_sampler::data::Data;
use gmm_sampler::diagnostics::quantile;

use crate::present::figures::clusters::{ClustersPlot, PlottedCluster};
use crate::scores::clusters::{CLEAR, Clusters};

/// Probabilities of a cluster's rows that are drawn: all of them, or as many quantiles.
const MOST_DRAWN: usize = 240;

const QUARTILES: [f64; 3] = [0.25, 0.5, 0.75];

/// Features in standard deviations from their means over all rows.
#[must_use]
pub fn clusters_plot(data: &Data, columns: &[String], clusters: &Clusters) -> ClustersPlot {
    let n_clusters = clusters.clustering.n_clusters;
    let mut rows = vec![Vec::new(); n_clusters];
    let mut probabilities = vec![Vec::new(); n_clusters];
    for (row, assignment) in clusters.prediction.assignments().enumerate() {
        rows[assignment.cluster].push(row);
        probabilities[assignment.cluster].push(assignment.probability);
    }
    let mut profiles = vec![Vec::new(); n_clusters];
    for feature in 0..data.n_features() {
        let values = data.feature(feature);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        for (profile, rows) in profiles.iter_mut().zip(&rows).filter(|(_, rows)| !rows.is_empty()) {
            let of_cluster: Vec<f64> = rows.iter().map(|&row| (values[row] - mean) / sd).collect();
            profile.push(QUARTILES.map(|share| quantile(&of_cluster, share)));
        }
    }
    let clusters = profiles.into_iter().zip(probabilities).map(|(profile, mut of_rows)| {
        of_rows.sort_by(|a, b| b.total_cmp(a));
        let n_rows = of_rows.len();
        PlottedCluster { n_rows, profile, probabilities: thinned(of_rows) }
    });
    ClustersPlot { columns: columns.to_vec(), clusters: clusters.collect(), clear: CLEAR }
}

/// Evenly spaced ones, the first and the last among them.
fn thinned(values: Vec<f64>) -> Vec<f64> {
    if values.len() <= MOST_DRAWN {
        return values;
    }
    (0..MOST_DRAWN).map(|place| values[place * (values.len() - 1) / (MOST_DRAWN - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_are_thinned_to_evenly_spaced_ones() {
        let few: Vec<f64> = (0..5).map(f64::from).collect();
        assert_eq!(thinned(few.clone()), few);
        let many: Vec<f64> = (0..100_000).map(f64::from).collect();
        let thinned = thinned(many);
        assert_eq!((thinned.len(), thinned[0], thinned[MOST_DRAWN - 1]), (MOST_DRAWN, 0.0, 99_999.0));
        assert!(thinned.windows(2).all(|pair| (pair[1] - pair[0] - 418.4).abs() < 1.5), "{thinned:?}");
    }
}
