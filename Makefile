# The two commands of the README are `make demo` and `make test`; each sets up all it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUST := Cargo.toml Cargo.lock rustfmt.toml clippy.toml $(shell find src -name '*.rs')
# Peers that `make bench` compares with: each has its environment, and its group in pyproject.toml.
PEERS := numpy jax keras torch
# Engines that varscale has adapters for or makes checkpoints on, and frameworks that `make test-replay` compares with, likewise.
ENGINES := dask jax mpi ray torch
REPLAYS := tensorflow jax torch mlx
# Families of frameworks in which `make test-frameworks` builds networks, likewise, but with the newest Python that all of them have.
FRAMEWORKS := keras torch arrays triton
NEWEST ?= $(lastword $(PYTHON) $(foreach minor,12 13,$(shell python3.$(minor) -c 'print("python3.$(minor)")' 2>/dev/null)))
# The tools of .venv find the project in python/, where maturin puts the extension.
export VIRTUAL_ENV := $(CURDIR)/$(VENV)

.PHONY: help demo test test-rust test-python test-long test-parallel test-engines test-kernels test-pages test-frameworks test-gpu test-gpu-jax test-replay lint \
	docs test-docs pictures mutants bench bench-flax bench-keras bench-limit bench-orthogonal bench-gpu bench-replay bench-core golden fit wheel wheels wheels-twice test-wheels licences workflows rehearse deny miri sanitize fuzz randomness clean \
	$(ENGINES:%=test-engine-%) $(FRAMEWORKS:%=test-framework-%)

help:  ## what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

demo: $(VENV)/built  ## the main job on real input: digits through a deep network, ResNet-50 and GPT-2
	$(BIN)/python examples/digits.py
	$(BIN)/python examples/models.py

test: lint test-rust test-python  ## everything that must hold before a commit

lint: $(VENV)/built  ## formatting, lints and types
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	PYO3_PYTHON=$(CURDIR)/$(BIN)/python cargo clippy --locked --features python -- -D warnings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/stubtest varscale._core

test-rust:  ## the crate alone, without Python
	@if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --locked --release; \
	else cargo test --locked --release --lib; fi
	cargo test --locked --release --doc --quiet

test-python: $(VENV)/built  ## the package: known answers, oracle, properties, statistics
	$(BIN)/pytest -m "not long"

test-long: $(VENV)/built  ## statistics at 2^30 values, every float32 of nine bounds: five minutes, 16 GB of memory
	$(BIN)/pytest -m long

test-parallel: $(VENV)/built  ## every test in 8 threads at once, but for those that set something process-wide
	$(BIN)/pytest -m "not long" --parallel-threads=8

test-engines: $(ENGINES:%=test-engine-%) test-kernels  ## the adapters, each with its real engine on CPU: torch, JAX, Dask; checkpoints on Dask, Ray and MPI

$(ENGINES:%=test-engine-%): test-engine-%: $(VENV)/built .venv-engine-%/installed
	PYTHONPATH=$(CURDIR)/python .venv-engine-$*/bin/python -m pytest tests/engines/test_$*_*.py

test-pages: $(VENV)/built  ## pages in a real browser, on a desk and on a phone; needs chromium, Debian's package of that name
	@command -v chromium >/dev/null || { echo "test-pages needs chromium: apt install chromium"; exit 1; }
	$(BIN)/pytest tests/pages

test-frameworks: $(FRAMEWORKS:%=test-framework-%)  ## networks of each family of frameworks: built, trained, saved, loaded elsewhere

$(FRAMEWORKS:%=test-framework-%): test-framework-%: $(VENV)/built .venv-framework-%/installed
	PYTHONPATH=$(CURDIR)/python .venv-framework-$*/bin/python -m pytest tests/frameworks/$*

test-kernels: $(VENV)/built .venv-engine-torch/installed  ## GPU kernels without a GPU: interpreted on the CPU, and compiled for three
	TRITON_INTERPRET=1 VARSCALE_DEVICE=interpreted PYTHONPATH=$(CURDIR)/python .venv-engine-torch/bin/python -m pytest \
		tests/kernels/test_interpreted_*.py tests/engines/test_torch_tensors.py tests/engines/test_torch_shards.py \
		-k "not 4- and not 6-"  # of the sharded cases those with two processes
	PYTHONPATH=$(CURDIR)/python .venv-engine-torch/bin/python -m pytest tests/kernels/test_compiled.py

test-gpu: $(VENV)/built .venv-engine-torch/installed  ## on a machine with a GPU: 2^30 values a law and dtype beside the CPU's, and faults that must be seen
	PYTHONPATH=$(CURDIR)/python .venv-engine-torch/bin/python tests/kernels/gpu.py

test-gpu-jax: $(VENV)/built .venv-framework-gpu/installed  ## on a machine with a GPU of NVIDIA's: arrays of JAX, by jax-triton and by XLA
	PYTHONPATH=$(CURDIR)/python .venv-framework-gpu/bin/python tests/kernels/gpu_jax.py

bench-gpu: $(VENV)/built .venv-engine-torch/installed  ## on a machine with a GPU: beside torch, and the limit of its memory
	PYTHONPATH=$(CURDIR)/python .venv-engine-torch/bin/python benches/gpu.py

test-replay: $(VENV)/built $(REPLAYS:%=.venv-replay-%/installed)  ## replays against the frameworks themselves, bit by bit
	$(BIN)/pytest -rP tests/originals

mutants: $(VENV)/installed $(ENGINES:%=.venv-engine-%/installed) $(FRAMEWORKS:%=.venv-framework-%/installed)  ## faults of the source, each of which named tests must see; ONLY="names" for some
	PYTHONPATH=tests $(BIN)/python -m mutants.run $(ONLY)

docs: .venv-docs/installed  ## the site of docs/ in site/, to be opened from the disk: site/index.html
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build

test-docs: docs .venv-browser/installed  ## the site in a browser: every page, desktop and phone, light and dark; needs Debian's chromium
	.venv-browser/bin/python -m pytest --confcutdir tests/site tests/site

pictures: $(VENV)/built  ## writes docs/pictures/ anew
	$(BIN)/python tools/pictures.py

bench: $(VENV)/built $(PEERS:%=.venv-peer-%/installed)  ## whole calls against the peers; writes docs/development/speed.md's table and picture
	$(BIN)/python benches/compare.py --write

bench-limit: $(VENV)/built  ## ratios to what this machine can do at best: kernels by hand, stores, new memory, NumPy; half a minute
	$(BIN)/python benches/limit.py

bench-orthogonal: $(VENV)/built .venv-engine-torch/installed  ## orthogonal matrices beside torch's and NumPy's
	OPENBLAS_NUM_THREADS=1 PYTHONPATH=$(CURDIR)/python .venv-engine-torch/bin/python benches/orthogonal.py

bench-keras: $(VENV)/built .venv-framework-keras/installed  ## first weights of two networks of Keras above a floor of zeros, on JAX and TensorFlow
	for backend in jax tensorflow; do KERAS_BACKEND=$$backend PYTHONPATH=$(CURDIR)/python \
		.venv-framework-keras/bin/python benches/keras_models.py; done

bench-flax: $(VENV)/built .venv-framework-keras/installed  ## a Flax transformer of 124 M parameters, begun by JAX and by us
	PYTHONPATH=$(CURDIR)/python .venv-framework-keras/bin/python benches/flax_transformer.py

bench-replay: $(VENV)/built $(REPLAYS:%=.venv-replay-%/installed)  ## replays against the frameworks in time
	$(BIN)/python benches/replay.py

bench-core: $(VENV)/installed  ## values per second of the core, by law, dtype, SIMD level and size
	cargo bench --locked

golden: $(VENV)/built  ## writes tests/golden.txt anew, with an entry under Values; refuses once tests/frozen.py has it
	PYTHONPATH=tests $(BIN)/python -m oracle.golden

fit: $(VENV)/installed  ## fits the coefficients anew and writes src/math/coefficients.rs and python/varscale/_devices/coefficients.py
	$(BIN)/python tools/fit_coefficients.py

wheel: $(VENV)/installed  ## an abi3 wheel for Python 3.10 and later in dist/
	$(BIN)/maturin build --release --locked --out dist

wheels: .venv-release/installed licences  ## the sdist and a wheel for every platform in dist/, from the last commit; checks them
	.venv-release/bin/python release/build.py
	.venv-release/bin/python release/check.py

wheels-twice: .venv-release/installed licences  ## the same, built twice: the same SHA-256
	.venv-release/bin/python release/build.py --twice
	.venv-release/bin/python release/check.py

test-wheels: .venv-release/installed  ## runs the wheels: CPythons here, SIMD levels, aarch64, musl, Windows; writes docs/development/platforms.md
	.venv-release/bin/python release/prove.py

licences:  ## THIRD-PARTY-LICENSES names what the wheels hold
	$(PYTHON) release/licences.py

workflows: .venv-release/installed  ## schema and security of .github/
	.venv-release/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.venv-release/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	.venv-release/bin/zizmor --quiet --offline --pedantic .github

rehearse: .venv-release/installed  ## a job of a workflow, step by step in a clean clone: JOB="test lint"; names all jobs without
	.venv-release/bin/python release/rehearse.py $(JOB)

deny:  ## advisories, licences and sources of all crates; needs `cargo install cargo-deny`
	cargo deny --locked check

# Compilers of every night have Miri, sanitizers and fuzzers.
NIGHTLY := +nightly
MIRI := cargo $(NIGHTLY) miri test --locked --lib

miri: nightly  ## what writes through pointers, takes another thread's memory or calls for more instructions, under Miri
	$(MIRI) -- strided
	RUSTFLAGS="-Ctarget-feature=+avx2,+fma" $(MIRI) -- fuzz::tests::strided
	MIRIFLAGS="-Zmiri-tree-borrows -Zmiri-permissive-provenance -Zmiri-ignore-leaks -Zmiri-disable-isolation" \
		$(MIRI) -- crew::tests::who_comes crew::tests::a_panic workers::tests::a_worker_is run::tests::refused

# Optimised, since functions are tried at all their arguments; those are compiled without a sanitizer elsewhere.
SANITIZED := CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
SANITIZE = $(SANITIZED) RUSTFLAGS="-Zsanitizer=$(1)" cargo $(NIGHTLY) test --locked --release --lib \
	-Zbuild-std --target x86_64-unknown-linux-gnu --target-dir target/$(1) -- --skip exact

sanitize: nightly  ## the crate's tests in builds that see wrong addresses, and threads that race: on Linux x86-64
	$(call SANITIZE,address)
	$(call SANITIZE,thread) --skip fork --skip child

.PHONY: nightly
nightly:
	@rustup toolchain list | grep -q ^nightly || rustup toolchain install --profile minimal nightly
	@rustup component add --toolchain nightly miri rust-src

TIME ?= 3600
fuzz: $(VENV)/installed nightly  ## TIME seconds of each fuzzer (an hour), or of ONLY="names": regions picks strided replays border
	@cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz
	$(BIN)/python fuzz/run.py --seconds $(TIME) $(ONLY)

WORDS ?= identity
randomness: $(VENV)/built  ## a battery of statistical tests on 2^38 bytes of WORDS=identity, seeds, names or columns: hours
	PYTHONPATH=tests $(BIN)/python tools/randomness.py $(WORDS)

clean:  ## removes what the other targets made
	rm -rf target dist site .venv .venv-* python/varscale/*.so

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "varscale needs Python 3.10 or later")'
	@command -v cargo >/dev/null || { echo "varscale needs Rust: https://rustup.rs"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --group dev
	@touch $@

$(VENV)/built: $(VENV)/installed $(RUST)
	PIP_QUIET=1 $(BIN)/maturin develop --release --locked --quiet
	@touch $@

# The environment .venv-x holds the dependency group x.
.venv-framework-%/installed: BASE = $(NEWEST)
.venv-%/installed: BASE = $(PYTHON)
.venv-%/installed: pyproject.toml
	$(BASE) -m venv $(@D)
	$(@D)/bin/pip install --quiet --upgrade pip
	$(@D)/bin/pip install --quiet --group $*
	@touch $@
