# `make book` and `make test` set up what they need; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
# One thread for linear algebra: figures are the same on every machine, and two workers do not fight for two cores.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# Nothing of a user's own settings gets into the environment or onto a page: not where pip installs, not what matplotlib
# and IPython are told elsewhere, not the encoding of the locale.
unexport PIP_USER PIP_TARGET PIP_PREFIX PYTHONPATH PYTHONHOME MPLBACKEND MATPLOTLIBRC
# Where this one is set, as in many containers, every program compiles anew all that it imports: seconds for each kernel.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONUTF8 := 1
export PYTHONNOUSERSITE := 1
export IPYTHONDIR := $(CURDIR)/.venv/settings/ipython
export MPLCONFIGDIR := $(CURDIR)/.venv/settings/matplotlib
WORKERS ?= 2
# Whole files, which share what they set up; those that take longest go first (tests/seconds.py).
SPREAD := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help book pdf test quick seconds notebooks pages seal bench binder-check release collect grade lab lint lock clean test-versions test-oldest test-newest mutants determinism statistics slides handout

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.x"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "python3 -m venv failed: on Debian and Ubuntu, install python3-venv"; exit 1; }
	@echo "setting up .venv from constraints.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -oE '^uv==[0-9.]+' constraints.txt)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r constraints.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -c "import matplotlib.font_manager" # lists the fonts now, so that no page says that it does
	@touch $@

book: $(READY) ## build the book, warnings being errors, and say where it is
	@$(BIN)/jupyter-book build . -W -n --keep-going --quiet
	@$(BIN)/python tools/pages/prune.py _build/html
	@$(BIN)/python tools/pages/downloads.py _build/html
	@echo "The book:  _build/html/index.html"
	@echo "Serve it:  $(BIN)/python -m http.server --directory _build/html 8000"

# Whatever the printed pages are made from; where nothing of it changed, the PDF is not made again.
PDF := _build/latex/linear-neural-networks.pdf
$(PDF): $(READY) $(wildcard chapters/*.ipynb book/api/*.rst lnn/*.py lnn/*/*.py) CHANGELOG.md _config.yml _toc.yml book/references.bib CITATION.cff pyproject.toml book/templates/curves.html $(addprefix book/extensions/,paper.py titlepage.py folding.py landing.py paper.sty)
	@$(BIN)/python tools/pages/pdf.py

pdf: $(PDF) ## make one PDF of the whole book, needs LaTeX, and link it from the site if that is built
	@if [ -e _build/html/index.html ]; then $(BIN)/python tools/pages/downloads.py _build/html; fi
	@echo "The PDF:   $(PDF)"

test: book ## check everything: package, theorems, notebooks, the built pages
	@if command -v latexmk >/dev/null && command -v xelatex >/dev/null; then $(MAKE) --no-print-directory pdf; else echo "no LaTeX: the tests of the PDF are skipped by name"; fi
	@command -v chromium >/dev/null || echo "no chromium: the tests in a browser are skipped by name"
	@$(BIN)/python -m pytest $(SPREAD)

quick: $(READY) ## the ring for every change: package, theorems, texts; not what takes over a second
	@$(BIN)/python -m pytest $(SPREAD) --quick tests/package tests/theorems tests/book

seconds: book ## measure how long each test takes, which orders `make test` and says what `make quick` leaves out
	@$(BIN)/python -m pytest $(SPREAD) --measure

test-versions: test-oldest test-newest ## run the tests on the oldest and the newest versions pyproject.toml admits

test-oldest: $(READY)
	@$(BIN)/python tools/quality/versions.py oldest

# The newest Python there is: make test-newest NEWEST=/path/to/python3.x
NEWEST ?= $(firstword $(foreach minor,14 13 12 11,$(shell command -v python3.$(minor))))
test-newest: $(READY)
	@$(BIN)/python tools/quality/versions.py newest --python $(NEWEST)

mutants: $(READY) ## change the package in thousands of small ways; keep in tests/mutants.json which no test notices (MINUTES=30 MODULES="theory network" AGAIN=1)
	@$(BIN)/python tools/quality/mutants.py --workers $(WORKERS) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(AGAIN),--again) $(MODULES)

notebooks: $(READY) ## execute the chapters that changed (all: make notebooks ALL=1)
	@$(BIN)/python tools/notebooks/notebooks.py $(if $(ALL),--all)

determinism: $(READY) ## execute every page twice and with two threads, compare bytes and text
	@$(BIN)/python tools/notebooks/notebooks.py --steady

pages: $(READY) ## write the generated pages anew: results, reproductions, statistics, speed, the preface's map
	@$(BIN)/python tools/pages/pages.py
	@$(BIN)/python tools/notebooks/notebooks.py results reproductions statistics speed preface

seal: $(READY) ## list the texts that changed since they were checked; NAMES="thm-x fig-y" shows them and seals them again
	@$(BIN)/python tools/pages/seals.py $(NAMES)

bench: .venv-bench/ready ## measure speed beside PyTorch, JAX and CVXPY (10 min; PARTS="steps …" for some); then: make pages
	@.venv-bench/bin/python -m benchmarks $(PARTS)

.venv-bench/ready: constraints.txt benchmarks/requirements.txt $(READY)
	@$(PYTHON) -m venv .venv-bench
	@echo "setting up .venv-bench from constraints.txt and benchmarks/requirements.txt"
	@$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --require-hashes -r constraints.txt
	@$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --no-deps --no-build-isolation -e .
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

statistics: $(READY) ## measure time and memory of every notebook (some: make statistics NAMES="preface …")
	@$(BIN)/python tools/notebooks/timing.py $(NAMES)

binder-check: $(READY) ## run all notebooks in an environment made from binder/ alone, and compare what they print
	@$(BIN)/python tools/notebooks/bindercheck.py

release: $(READY) ## build the students' problem sets, and a zip of them, in exercises/release
	@$(BIN)/python tools/course/course.py release

collect: $(READY) ## sort what Moodle or Canvas let you download, in exercises/downloaded, into exercises/submitted
	@$(BIN)/python tools/course/course.py collect $(SETS)

grade: $(READY) ## grade exercises/submitted: feedback and tables of scores (AGAIN=1: also what has not changed; STUDENT=… SET=…: one; HIDE=1: feedback without hidden tests)
	@$(BIN)/python tools/course/course.py grade $(if $(AGAIN),--again) $(if $(HIDE),--hide-tests) $(if $(STUDENT),--student "$(STUDENT)") $(if $(SET),--set $(SET))

handout: $(READY) ## solutions without test code, and sheets for marking, in exercises/handout, as PDF with Chromium (SETS=…: some)
	@$(BIN)/python tools/course/course.py handout $(SETS)

slides: $(READY) ## build seven decks of slides from the chapters, in _build/slides, and a zip of them for the site if that is built
	@$(BIN)/python -m sphinx -q -W -b revealjs book/slides _build/slides
	@if [ -e _build/html/index.html ]; then $(BIN)/python tools/pages/downloads.py _build/html; fi
	@echo "The slides: _build/slides/index.html"

lab: $(READY) ## open JupyterLab on the chapters
	@$(BIN)/jupyter lab --notebook-dir=. chapters/preface.ipynb

lint: $(READY) ## format and type checks
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/codespell

lock: $(READY) ## resolve constraints.txt anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --quiet --upgrade -o constraints.txt

clean: ## remove what was built, not the environment
	@rm -rf _build .pytest_cache .mypy_cache .ruff_cache
