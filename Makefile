# make experiment   run experiments/old-faithful.toml, or SPEC=..., and print where the report is
# make experiments  run all experiments; suites are left out
# make suites       run all suites; each simulates many data sets, so it takes minutes to hours
# make test         run every test, with the quick accuracy suite
# make test-slow    run the long accuracy suite, the injected faults and make counts: half an hour
# make accuracy     test the sampler on problems with known answers, and write a report
# make bench        measure the speed of kernel, chains, EM and whole fits: three minutes
# make counts       count the instructions of fixed work with valgrind and compare them with the stored
#                   counts; UPDATE_COUNTS=1 stores new ones
# make oracle       compare the sampler with nuts-rs; the build takes minutes
# make memcheck     run the tests of all unsafe code in valgrind
# make fuzz         fuzz every reader of files for ten minutes; needs cargo-fuzz and a nightly compiler
# make lint         check formatting, clippy, dependencies and commit subjects; installs cargo-deny if it is missing

SPEC ?= experiments/old-faithful.toml
CARGO ?= cargo
GMM = target/release/gmm

# Status 3 means that results exist but some are unreliable. That is an outcome of a study, not an error.
RUN = $(GMM) run $(1) || [ $$? -eq 3 ]

.PHONY: build experiment experiments suites test test-slow accuracy bench counts oracle memcheck fuzz lint deny subjects

build:
	$(CARGO) build --release --locked -p gmm-runner

experiment: build
	@$(call RUN,$(SPEC))

experiments: build
	@for spec in $$(grep -L '^\[suite\]' experiments/*.toml); do $(call RUN,$$spec) || exit $$?; done

suites: build
	@for spec in $$(grep -l '^\[suite\]' experiments/*.toml); do $(call RUN,$$spec) || exit $$?; done

# The seed fixes the cases of randomised tests, so the result depends on the source alone. test-slow
# tries new cases.
test:
	PROPTEST_RNG_SEED=1 $(CARGO) test --locked

oracle:
	$(CARGO) test --locked --profile oracle -p gmm-oracle --no-fail-fast -- --nocapture --test-threads 1

test-slow:
	PROPTEST_CASES=5000 $(CARGO) test --locked --release
	$(CARGO) test --locked --release -- --ignored

accuracy: build
	$(GMM) accuracy

bench: build
	$(GMM) bench

# Only this package, to build no more than it needs.
counts:
	$(CARGO) test --locked --release -p gmm-bench --test instructions -- --ignored --nocapture

# The portable instructions and AVX2: valgrind does not support AVX-512.
memcheck:
	valgrind --error-exitcode=9 --quiet $$($(CARGO) test --locked --release -p gmm-sampler --lib --no-run --message-format json \
		| sed -n 's/.*"executable":"\([^"]*\)".*/\1/p') simd likelihood

# Inputs found on the way stay in target/fuzz; those worth keeping go to crates/fuzz/corpus, which make test reads.
SECONDS_EACH ?= 600
fuzz:
	for target in spec csv parquet stored; do \
		mkdir -p target/fuzz/$$target; \
		$(CARGO) +nightly fuzz run --fuzz-dir crates/fuzz --sanitizer none -O $$target $(CURDIR)/target/fuzz/$$target $(CURDIR)/crates/fuzz/corpus/$$target -- \
			-max_total_time=$(SECONDS_EACH) -max_len=20000 || exit $$?; \
	done

# The advisories need a network, so they are not checked here: `cargo deny check advisories`.
deny:
	command -v cargo-deny >/dev/null || $(CARGO) install --quiet --locked cargo-deny@0.20.2
	$(CARGO) deny --locked --log-level error check licenses bans sources

# Subjects of commits after this one have at most 72 characters. A shallow clone checks its latest commit alone.
SUBJECTS_AFTER = 892f0e7bad1e3451a5866fecff268a8c05006567
subjects:
	@range=-1; ! git merge-base --is-ancestor $(SUBJECTS_AFTER) HEAD 2>/dev/null || range=$(SUBJECTS_AFTER)..HEAD; \
	long=$$(git log --format=%s $$range 2>/dev/null | grep -E '^.{73}' || true); \
	test -z "$$long" || { printf 'subjects of more than 72 characters:\n%s\n' "$$long"; exit 1; }

lint: deny subjects
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets -- --deny warnings
