# make app: from nothing to the app with demo data.  make test: from nothing to all tests passed.
PYTHON ?= python3.11
PORT ?= 8501
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(VENV)/bin/pip --disable-pip-version-check
export THINGSVIZ_DATA ?= $(CURDIR)/data
export THINGSVIZ_JOBS ?= $(CURDIR)/checkpoints
DEMO := $(THINGSVIZ_DATA)/demo

.PHONY: app demo docs pictures test test-fast check audit licences format bench browser services clean
app: demo
	$(VENV)/bin/streamlit run app.py --server.port $(PORT)

demo: $(VENV)/.app
	@$(VENV)/bin/thingsviz simulate "$(DEMO)" --preset demo --seed 1 --if-missing
	@$(VENV)/bin/thingsviz prepare "$(DEMO)" --subject sub-01

$(PY):
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: requirements.txt pyproject.toml | $(PY)
	$(PIP) install -q -r requirements.txt
	@# the command `thingsviz`; seconds, and no copy: it runs the code that stands here
	$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(VENV)/.app tests/requirements.txt
	$(PIP) install -q -r tests/requirements.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.test benchmarks/requirements.txt
	$(PIP) install -q --no-deps -r benchmarks/requirements.txt
	@touch $@

$(VENV)/.docs: $(VENV)/.app docs/requirements.txt
	$(PIP) install -q -r docs/requirements.txt
	@touch $@

# The documents as a site in site/, with every link checked; `pictures` makes its screenshots again.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict
	$(PY) docs/check_site.py site

pictures: $(VENV)/.test browser
	$(PY) docs/make_screenshots.py

browser:
	@tests/install_browser.sh

# Servers that some tests start themselves; without one of them those tests are skipped and say so.
services:
	@-tests/install_slurm.sh
	@-tests/install_postgresql.sh
	@-tests/install_nginx.sh

check: $(VENV)/.test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/vulture
	$(PY) .ci/licences.py --check
	@$(MAKE) --no-print-directory docs
	@# What it finds is shown and does not stop: a hole that is published at night is no fault of today's change.
	@-$(MAKE) --no-print-directory audit

# Known holes in what is installed: asks a database on the network, and says so where there is none.
audit: $(VENV)/.test
	@timeout 120 $(PIP) install -q --retries 0 pip-audit==2.10.1 || { echo "no audit: pip-audit cannot be had"; exit 1; }
	@timeout 120 $(PY) -m pip_audit -r requirements.txt --no-deps --disable-pip --progress-spinner off

licences: $(VENV)/.app
	@$(PY) .ci/licences.py

format: $(VENV)/.test
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

test: check browser services
	$(PY) -m pytest -n 2 --dist loadgroup --cov

# For the daily loop: no browser, no services, nothing that trains or plants for long.
test-fast: $(VENV)/.test
	$(PY) -m pytest -n 2 --dist loadgroup -m "not browser and not service and not slow"

bench: $(VENV)/.bench
	$(PY) -m benchmarks

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
