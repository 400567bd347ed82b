//! The quick suite, in every run of the tests; `--nocapture` prints its table.

mod support;

use gmm_accuracy::suite::Length;

#[test]
fn the_sampler_passes_the_quick_suite() {
    let failures = support::failures(Length::Quick);
    assert!(failures.is_empty(), "{failures:#?}");
}
