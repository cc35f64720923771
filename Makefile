PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check

export HF_HUB_DISABLE_TELEMETRY := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

# Where the photographs and benchmarks of the comparison lie: `make table DATA=folder`.
DATA ?= ../shared/data

# Two processes, each on a core of its own; files of tests in the order in which they are found.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --no-loadscope-reorder
UNITS := tests/architecture/test_layers.py tests/coding tests/quantizers tests/imaging \
	tests/datasets tests/ptq tests/evaluation

.PHONY: help demo docs test quick check bench bench-app bench-cluster load soak leaving cards \
	adapt table comparison transformers ablation cluster shots fuzz kills
help:
	@echo "make demo    install what the app needs and start it (PORT=8600 for another port)"
	@echo "make test    install what the tests need and run them all"
	@echo "make quick   lint, types and unit tests, for daily work (a minute)"
	@echo "make check   look at formatting, lint and types"
	@echo "make docs    draw the arrows of docs/architecture.md anew"
	@echo "make bench   measure speed and sizes on this machine"
	@echo "make bench-app  measure how long a visitor waits (a few minutes)"
	@echo "make load    measure what many visitors at once wait for (VISITORS=8 for eight; minutes)"
	@echo "make soak    measure how a server stands visitors for a while (MINUTES=5 for five)"
	@echo "make leaving measure how long work goes on after its visitor has left (minutes)"
	@echo "make cluster    sweeps and training over several processes, in their long forms (minutes)"
	@echo "make bench-cluster  hold two workers against one on the same sweep (a few minutes)"
	@echo "make cards   measure every bundled network again and hold it against its card (minutes)"
	@echo "make adapt   quantize a network on demand and measure it (minutes)"
	@echo "make table   train and measure every table of the results page from nothing (many hours)"
	@echo "make fuzz    damage files by the thousand, and run the property tests on new examples (hours)"
	@echo "make kills   kill whatever writes files at random moments, and look at what is left (minutes)"
	@echo "make shots   save a picture of every page to screenshots/"

demo: .venv/.runtime
	$(BIN)/streamlit run app.py $(if $(PORT),--server.port=$(PORT))

test: .venv/.dev
	CHROMIUM="$$(sh tests/chromium.sh)" && export CHROMIUM && $(PYTEST)

quick: .venv/.dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright & types=$$!; \
	$(PYTEST) -m "not shared" $(UNITS); tests=$$?; wait $$types && exit $$tests

fuzz: .venv/.dev
	$(BIN)/python -m tests.fuzz --pictures 20000 --weights 2000 --graphs 2000 --payloads 5000 \
		--tables 300
	$(BIN)/python -m pytest --hypothesis-profile=fuzz -m "not browser and not shared" \
		tests/coding tests/quantizers tests/qat tests/evaluation tests/imaging

# At how many moments each kind of work is killed: `make kills MOMENTS=5`.
MOMENTS ?= 50

kills: .venv/.dev
	$(BIN)/python -m tests.kills --moments $(MOMENTS)

check: .venv/.dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright

docs: .venv/.dev
	$(BIN)/python -m tests.architecture.arrows

bench: .venv/.runtime
	$(BIN)/python -m quantlib bench $(if $(wildcard $(DATA)/set5),\
		--hr $(DATA)/set5/HR --lr $(DATA)/set5/LR_bicubic/X2)

bench-app: .venv/.dev
	CHROMIUM="$$(sh tests/chromium.sh)" && export CHROMIUM && \
		$(BIN)/python -m tests.browser.bench_app

cluster: .venv/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/sweeps tests/sweeps/long_cluster.py \
		tests/training/test_together.py tests/training/long_together.py tests/deploy/test_together.py

bench-cluster: .venv/.dev
	$(BIN)/python -m tests.sweeps.bench

# Visitors at once: `make load VISITORS=8`.
VISITORS ?= 32

load: .venv/.dev
	$(BIN)/python -m tests.load --visitors $(VISITORS)

# Visitors for a while, and settings changed at random: `make soak MINUTES=5`.
MINUTES ?= 20

soak: .venv/.dev
	$(BIN)/python -m tests.load.soak --minutes $(MINUTES)

leaving: .venv/.dev
	$(BIN)/python -m tests.load.leaving

cards: .venv/.dev
	$(BIN)/python -m tests.models.cards $(DATA)

adapt: .venv/.dev
	$(BIN)/python -m tests.qat.adapting.pan_on_set5 $(DATA)

table: comparison transformers ablation

comparison: comparison-x2

transformers: transformer-x2

%-x2: .venv/.runtime
	$(BIN)/python -m quantlib comparison assets/plans/$@.toml --results runs/$@.json --out runs/$@ \
		--data $(DATA)/t91 --data $(DATA)/bsds500_train --data $(DATA)/bsds500_test \
		--validate set5 $(DATA)/set5/HR $(DATA)/set5/LR_bicubic/X2 \
		--validate set14 $(DATA)/set14/SRF_2 $(DATA)/set14/SRF_2

# Processes side by side: `make ablation JOBS=8`; on a cluster with BITLENS_SCHEDULER=tcp://...
JOBS ?=

ablation: .venv/.runtime
	OMP_NUM_THREADS=1 $(BIN)/python -m quantlib ablation assets/plans/ablation.toml $(if $(JOBS),--jobs $(JOBS)) \
		--data $(DATA) --results runs/ablation.json --summary runs/ablation-summary.json

shots: .venv/.dev
	CHROMIUM="$$(sh tests/chromium.sh)" && export CHROMIUM && $(BIN)/python -m tests.browser.shots

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo "Bitlens needs Python 3.11 or newer: install it, or name it with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.runtime: requirements.txt | .venv/bin/pip
	@echo "Installing what the app needs: a few minutes and about 6 GB the first time."
	$(PIP) -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	$(PIP) -r requirements-dev.txt
	@touch $@
