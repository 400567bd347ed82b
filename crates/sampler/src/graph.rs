//! Connected components of an undirected graph. Metrics here, and permanents in `gmm-scoring`, are divided into blocks by them.

/// The connected components of a graph with nodes 0 … `n` − 1, each ascending, ordered by the node that names them. `joined(i,
/// j)` says whether an edge joins i > j; it is not called for pairs already known to be connected.
#[must_use]
pub fn connected_components(n: usize, joined: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut group: Vec<usize> = (0..n).collect();
    for i in 0..n {
        for j in 0..i {
            let (ours, theirs) = (group[i], group[j]);
            if ours != theirs && joined(i, j) {
                group.iter_mut().filter(|group| **group == ours).for_each(|group| *group = theirs);
            }
        }
    }
    let mut members = vec![Vec::new(); n];
    (0..n).for_each(|i| members[group[i]].push(i));
    members.retain(|members| !members.is_empty());
    members
}
