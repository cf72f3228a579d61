# Two commands: `make app` opens the app, `make test` runs the tests. Both install what they need.
PYTHON ?= python3
PORT   ?= 8501
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check

.PHONY: app test faults lint clean help

help:
	@echo "make app [PORT=8501]   install what is needed and open the app"
	@echo "make test              install what is needed and run the tests"
	@echo "make faults            break it on purpose, before a release; a quarter of an hour"
	@echo "make lint              check style, form, layers and types of the code"
	@echo "make clean             remove the environment and caches (runs are kept)"

app: $(VENV)/app.stamp
	@$(PY) -m wtflow.machine.port "$(PORT)"
	@# Pages do small sums: one thread each leaves the cores to a training run, and is quicker while one goes on.
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m streamlit run app.py --server.port $(PORT)

test: $(VENV)/test.stamp
	@# Two files at a time, the long ones first: much of the time is spent waiting for processes and pages. One thread each, or they would wait for each other;
	@# trainings sleep at once while they wait, since both cores are busy all the time.
	GOMP_SPINCOUNT=0 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Not in CI. Exit code 1 where anything was lost or left behind. As root it can fill disks; else where user namespaces may.
faults: $(VENV)/test.stamp
	@PYTHONPATH=.:tests OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m faults $(ARGS)

lint: $(VENV)/test.stamp
	$(PY) -m ruff check .
	$(PY) -m ruff format --check --quiet .
	$(VENV)/bin/lint-imports --no-logo
	$(VENV)/bin/pyrefly check --summary=none

# A stamp is newer than its requirements file once everything in it is installed; an interrupted install leaves none.
$(VENV)/app.stamp: requirements.txt | $(PY)
	$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/test.stamp: requirements.txt tests/requirements.txt | $(PY)
	$(PIP) install -r tests/requirements.txt
	@touch $@ $(VENV)/app.stamp

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "WT-Flow Studio needs Python 3.11 or newer; $(PYTHON) is older or missing. Try: make app PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 2; }

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
