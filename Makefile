# `make run` and `make test` are all that a reader needs. Every target sets up .venv by itself.
#
# make run                            the notebook series, executed into runs/cpu/ (open runs/cpu/index.html)
# make run ARGS="-p smoke --seed 1"   the same with other options of `lfdtcmen run`
# make test                           unit tests, and every notebook in the smoke profile
# make rehearsal                      the package and the whole series on a stand-in for a GPU, on the CPU
# make lab                            JupyterLab on the series
# make lint                           ruff (lint and format, code and notebooks) and mypy (types)
# make lowest                         unit tests with the lowest versions that pyproject.toml allows, in .venv-lowest
# make site                           the notebooks, the package and the ledger as web pages, in build/site
# make site-test                      the site in a real browser: width, dark mode, keyboard, search, WCAG
# make notebooks                      execute the committed notebooks in place (cpu profile)
# make student                        copies of the notebooks without their solutions, in student/
# make slides                         the figures of the notebooks as files for slides, in build/slides
# make clean                          remove .venv, .venv-lowest and caches; runs/ stays
#
# Another Python: make run PYTHON=python3.12
# Torch's threads spin only shortly (lfdtcmen/cli/__init__.py says why); another limit: make lab GOMP_SPINCOUNT=100000

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
SERIES := $(sort $(wildcard notebooks/[0-9]*.ipynb))

export GOMP_SPINCOUNT ?= 3000

.PHONY: help run test rehearsal lab lint lowest site site-test notebooks student slides clean

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, $(PYTHON) is older: make run PYTHON=python3.12"; exit 2; }
	@echo "setting up .venv (once, a few minutes)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: $(READY)
	$(BIN)/lfdtcmen run $(ARGS)

# A process a core, 4 at most, with one thread each; conftest.py says which tests stay in one process. What joblib would
# share out among all cores is done in that process: only tests that ask for workers start some.
test: export OMP_NUM_THREADS ?= 1
test: export LOKY_MAX_CPU_COUNT ?= 1
test: $(READY)
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile $(ARGS)

rehearsal: export OMP_NUM_THREADS ?= 1
rehearsal: $(READY)
	WHOLE_SERIES=1 $(BIN)/python -m pytest tests/device $(ARGS)

lab: $(READY)
	$(BIN)/python -m jupyter lab --LabApp.default_url=/lab/tree/notebooks $(ARGS)

lint: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

# The bounds as exact versions. Tools of `site` and `dev` are the newest.
lowest:
	@mkdir -p build
	sed -n '/^dependencies/,/^site = /s/^ *"\([a-z0-9-]*\)>=\([0-9.]*\)".*/\1==\2/p' pyproject.toml > build/lowest.txt
	test -x .venv-lowest/bin/python || $(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check -c build/lowest.txt -e '.[dev]'
	.venv-lowest/bin/python -m pytest tests --ignore tests/browser --ignore tests/notebooks $(ARGS)

# Everything anew, so that no warning is missed; a warning or a broken link fails it. Notebooks are not executed.
site: $(READY)
	rm -rf build/site
	$(BIN)/python -m sphinx -E -W --keep-going -q -b html -c docs -d build/doctrees . build/site
	@echo "open build/site/index.html; for its demo: $(BIN)/python -m http.server -d build/site, then http://localhost:8000"

site-test: $(READY)
	ALL_PAGES=1 $(BIN)/python -m pytest tests/browser/test_site.py $(ARGS)

# With one thread, as `lfdtcmen run` executes them: another number of threads gives other numbers.
notebooks: $(READY)
	LFDTCMEN_PROFILE=cpu TQDM_DISABLE=1 OMP_NUM_THREADS=1 $(BIN)/python -m jupyter nbconvert --to notebook --execute --inplace \
		--ExecutePreprocessor.timeout=-1 --ExecutePreprocessor.record_timing=False \
		--ExecutePreprocessor.store_widget_state=False $(SERIES)

student: $(READY)
	$(BIN)/python -m lfdtcmen.exercises.student $(ARGS)

slides: $(READY)
	rm -rf build/slides
	$(BIN)/python -m lfdtcmen.slides $(ARGS)

clean:
	rm -rf .venv .venv-lowest build docs/api data/cache .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
