//! The linear assignment problem, which matches the components of two mixtures.

/// For each row of a square cost matrix (n × n, row by row), the column assigned to it. The total cost is minimal.
///
/// The Hungarian algorithm in its shortest augmenting path form, O(n³) (Jonker & Volgenant 1987).
///
/// # Panics
/// If the costs are not n × n numbers, none of them NaN.
#[must_use]
pub fn minimum_cost_assignment(n: usize, costs: &[f64]) -> Vec<usize> {
    assert_eq!(costs.len(), n * n, "costs are n × n");
    assert!(costs.iter().all(|cost| !cost.is_nan()), "a cost is not a number");
    // Dual prices. Row and column n stand for "unassigned".
    let mut row_price = vec![0.0; n];
    let mut column_price = vec![0.0; n + 1];
    let mut row_of = vec![usize::MAX; n + 1];
    for row in 0..n {
        row_of[n] = row;
        let mut column = n;
        let mut slack = vec![f64::INFINITY; n];
        let mut previous = vec![n; n];
        let mut visited = vec![false; n + 1];
        while row_of[column] != usize::MAX {
            visited[column] = true;
            let current = row_of[column];
            let mut next = n;
            let mut least = f64::INFINITY;
            for j in (0..n).filter(|&j| !visited[j]) {
                let reduced = costs[current * n + j] - row_price[current] - column_price[j];
                if reduced < slack[j] {
                    (slack[j], previous[j]) = (reduced, column);
                }
                if slack[j] < least || next == n {
                    (least, next) = (slack[j], j);
                }
            }
            for j in 0..=n {
                if visited[j] {
                    row_price[row_of[j]] += least;
                    column_price[j] -= least;
                } else if j < n {
                    slack[j] -= least;
                }
            }
            column = next;
        }
        while column != n {
            let before = previous[column];
            row_of[column] = row_of[before];
            column = before;
        }
    }
    let mut column_of = vec![0; n];
    (0..n).for_each(|column| column_of[row_of[column]] = column);
    column_of
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![vec![]];
        }
        let shorter = permutations(n - 1);
        let insert = |p: &Vec<usize>, at: usize| {
            let mut longer = p.clone();
            longer.insert(at, n - 1);
            longer
        };
        shorter.iter().flat_map(|p| (0..n).map(move |at| insert(p, at))).collect()
    }

    proptest! {
        #[test]
        fn no_permutation_is_cheaper(n in 1usize..6, costs in proptest::collection::vec(-5.0..5.0f64, 25)) {
            let costs = &costs[..n * n];
            let total = |columns: &[usize]| (0..n).map(|row| costs[row * n + columns[row]]).sum::<f64>();
            let found = minimum_cost_assignment(n, costs);
            let least = permutations(n).iter().map(|p| total(p)).fold(f64::INFINITY, f64::min);
            prop_assert!((total(&found) - least).abs() < 1e-12);
        }
    }
}
