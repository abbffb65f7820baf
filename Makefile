# Two commands do everything on a machine with Python >= 3.11 and make:
#   make demo   creates .venv, privatizes samples/cxr and shows the result
#   make test   creates .venv with the test extras and runs the tests
# make test-all runs those that take long, too.
# make docs builds the documentation as a site in site/.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test test-all test-rest check lint types layers docs samples translations clean

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "latentdp needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(PIP) -c constraints.txt torch
	$(PIP) -c constraints.txt -e .
	touch $@

.venv/ready-test: .venv/ready
	$(PIP) -c constraints.txt -e '.[test]'
	touch $@

.venv/ready-docs: .venv/ready
	$(PIP) -c constraints.txt -e '.[docs]'
	touch $@

# NVIDIA FLARE with what carries rounds over it: in an environment of its own.
.nvflare/ready: federation/pyproject.toml
	$(PYTHON) -m venv .nvflare
	.nvflare/bin/python -m pip install --quiet --disable-pip-version-check -e ./federation
	touch $@

demo: .venv/ready
	rm -rf demo
	$(BIN)/latentdp privatize samples/cxr demo/public/release --vault demo/private || test $$? -eq 1
	@echo "Look at demo/private/before-after.png: above the samples, below what may be released."

# Three processes on two cores: while one waits for a server or a child, another works.
PYTEST := $(BIN)/pytest -n 3 --dist loadgroup

# Every law on some cases, in less than 5 minutes on 2 idle cores.
test: .venv/ready-test
	$(PYTEST) -m "not slow"

# Every law on every case.
test-all: .venv/ready-test
	$(PYTEST) --hypothesis-profile thorough

# What test-all has beyond test: for CI, which runs both.
test-rest: .venv/ready-test
	$(PYTEST) -m "slow or hypothesis" --hypothesis-profile thorough

check: lint types layers

lint: .venv/ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready-test
	$(BIN)/mypy latentdp cli

layers: .venv/ready-test
	$(BIN)/lint-imports

# -m, so that the hooks find this folder; the variable silences an advertisement.
docs: .venv/ready-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "Open site/index.html in a browser."

# What pages say that catalogs lack comes into them, empty, to be translated by hand.
REPORTS := latentdp/reports
translations: .venv/ready
	$(BIN)/pybabel -q extract -F pyproject.toml -k say -k say_many:1,2 -k message --no-location \
		--sort-output -o $(REPORTS)/locale/latentdp.pot $(REPORTS)
	$(BIN)/pybabel -q update -D latentdp -d $(REPORTS)/locale -i $(REPORTS)/locale/latentdp.pot \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -w 99
	sed -i '/^"\(Report-Msgid-Bugs-To\|POT-Creation-Date\|PO-Revision-Date\|Last-Translator\|Language-Team\|Generated-By\):/d' \
		$(REPORTS)/locale/*/LC_MESSAGES/latentdp.po
	rm $(REPORTS)/locale/latentdp.pot

samples: .venv/ready
	$(BIN)/python samples/make.py

clean:
	rm -rf .venv .nvflare demo site build dist *.egg-info federation/*.egg-info
