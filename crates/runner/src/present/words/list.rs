//! Lists, plurals and sentences.

use std::fmt::Display;

use crate::study::job::{Covariance, ModelKey};

/// "a", "a and b", "a, b and c" with the conjunction between the last two.
#[must_use]
pub fn list<T: Display>(items: impl IntoIterator<Item = T>, conjunction: &str) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, before)) => format!("{} {conjunction} {last}", before.join(", ")),
    }
}

/// "1 fit", "3 fits": a count with a noun that takes an s in the plural.
#[must_use]
pub fn counted(n: usize, noun: &str) -> String {
    format!("{n} {}", plural(n, noun))
}

/// "fit" of one, "fits" of any other number.
#[must_use]
pub fn plural(n: usize, noun: &str) -> String {
    format!("{noun}{}", if n == 1 { "" } else { "s" })
}

/// Items that share a key together, keys in the order in which they first come.
#[must_use]
pub fn grouped<K: PartialEq, T>(pairs: impl IntoIterator<Item = (K, T)>) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for (key, item) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, items)) => items.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    groups
}

/// Clauses as sentences: each with a capital letter and a full stop, on one line.
#[must_use]
pub fn sentences(clauses: impl IntoIterator<Item = String>) -> String {
    clauses.into_iter().map(|clause| sentence(&clause)).collect::<Vec<_>>().join(" ")
}

/// A clause as a sentence, with a capital letter and a full stop.
#[must_use]
pub fn sentence(clause: &str) -> String {
    let mut rest = clause.trim_end_matches('.').chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    first.map_or(String::new(), |first| format!("{first}{}.", rest.as_str()))
}

/// Models in ascending order, runs of three and more as ranges: "K = 2", "K = 2 and 3", "K = 1 and 4 to 8".
#[must_use]
pub fn models(models: &[ModelKey], conjunction: &str) -> String {
    let ks: Vec<usize> = models
        .iter()
        .map(|model| match model.covariance {
            Covariance::Full => model.components,
        })
        .collect();
    let mut parts = Vec::new();
    for run in ks.chunk_by(|a, b| a + 1 == *b) {
        match run {
            [first, _, .., last] => parts.push(format!("{first} to {last}")),
            short => parts.extend(short.iter().map(usize::to_string)),
        }
    }
    format!("K = {}", list(parts, conjunction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shares_a_key_is_together_in_the_order_of_its_first() {
        let groups = grouped([("b", 1), ("a", 2), ("b", 3)]);
        assert_eq!(groups, [("b", vec![1, 3]), ("a", vec![2])]);
    }

    #[test]
    fn lists_have_one_conjunction() {
        assert_eq!(list(["a"], "and"), "a");
        assert_eq!(list(["a", "b"], "or"), "a or b");
        assert_eq!(list(["a", "b", "c"], "and"), "a, b and c");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!((counted(1, "fit"), counted(0, "fit")), ("1 fit".to_owned(), "0 fits".to_owned()));
    }

    #[test]
    fn sentences_begin_with_a_capital_and_end_with_one_full_stop() {
        let clauses = ["one thing. Another", "σ is small."].map(str::to_owned);
        assert_eq!(sentences(clauses), "One thing. Another. σ is small.");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn neighbouring_ks_are_a_range() {
        let full = |ks: &[usize]| ks.iter().copied().map(ModelKey::full).collect::<Vec<_>>();
        assert_eq!(models(&full(&[2]), "and"), "K = 2");
        assert_eq!(models(&full(&[2, 3]), "or"), "K = 2 or 3");
        assert_eq!(models(&full(&[1, 4, 5, 6, 8]), "and"), "K = 1, 4 to 6 and 8");
    }
}
