//! Things that hang together.

/// The numbers below `n` in groups, each ascending: those that are joined, directly or by way of others, are in one. `joined` is
/// asked of every pair i > j that is not in one group already.
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
