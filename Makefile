# make run    set up .venv and run the main job
# make serve  set up .venv with what the service needs, and run it: it prints a link
# make test   set up .venv with the development extra and run the quick tests (a minute and a half on two cores)
# make test-all  all tests (ten minutes)
# make cover  all tests, and which lines they reach: at least 90 % of them
# make lint   style and types
# make docs   the documentation as pages, in site/
# make bench  what things cost here
# make fuzz   give it ten thousand bad inputs, and bytes changed at random for a minute each (EACH=60)
# make kills  kill a real search at twenty random moments and resume it (20 minutes)
# make faults cause every fault of docs/reliability.md, and write its table (a quarter of an hour)
# make vendor  build the page's ECharts anew, of another version too (ECHARTS=6.1.0; needs npm)
# make day    a search of forty generations while something of it is killed every few seconds (a quarter of an hour)

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Compiled by all cores, not by pip's one; what a package has for a newer Python cannot be, and is passed over.
COMPILE = $(BIN)/python -m compileall -q -j 0 $(VENV)/lib > $(VENV)/compiled.log || true
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --no-compile -q -c constraints.txt

TESTS := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
EACH  ?= 60
ECHARTS ?= 6.1.0
ESBUILD ?= 0.28.2
VENDOR  := gaopt/serve/page/vendor

.NOTPARALLEL:
.PHONY: run serve test test-all cover lint docs bench fuzz kills faults day vendor clean

run: $(VENV)/installed
	$(BIN)/gaopt run --generations 5 --pop 10

serve: $(VENV)/installed-serve
	$(BIN)/gaopt serve

test: $(VENV)/installed-dev
	$(TESTS) -m "smoke or (unit and not slow)"

test-all: $(VENV)/installed-dev
	$(TESTS)

cover: $(VENV)/installed-dev
	$(TESTS) --cov --cov-report=term-missing:skip-covered --cov-fail-under=90

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.costs

fuzz: $(VENV)/installed-dev
	$(PIP) -e '.[fuzz]'
	GAOPT_FUZZ=1200 $(BIN)/python -m pytest -n auto tests/unit/test_properties.py tests/integration/test_contract.py
	for target in journal events tensors config; do $(BIN)/python -m benchmarks.fuzz $$target $(EACH) || exit; done

kills: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.kills

faults: $(VENV)/installed-dev
	$(BIN)/python -m tests.faults

day: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.day

# Only what the page uses, from the packages that npm has checked by their integrity; no script of theirs is run.
vendor:
	rm -rf $(VENV)/vendor && mkdir -p $(VENV)/vendor && cp $(VENDOR)/entry.mjs $(VENV)/vendor
	cd $(VENV)/vendor && npm install --ignore-scripts --no-audit --no-fund echarts@$(ECHARTS) esbuild@$(ESBUILD)
	cd $(VENV)/vendor && npx esbuild entry.mjs --bundle --minify --format=iife --global-name=echarts --target=es2020 \
		--legal-comments=none --outfile=echarts.min.js
	cp $(VENV)/vendor/echarts.min.js $(VENDOR)
	for file in LICENSE NOTICE; do cp $(VENV)/vendor/node_modules/echarts/$$file $(VENDOR)/ECHARTS-$$file; done
	cp $(VENV)/vendor/node_modules/echarts/licenses/LICENSE-d3 $(VENDOR)/ECHARTS-LICENSE-d3
	cp $(VENV)/vendor/node_modules/zrender/LICENSE $(VENDOR)/ZRENDER-LICENSE
	cd $(VENDOR) && rm -f SHA256SUMS && sha256sum * > SHA256SUMS

# With $(1): an extra, or nothing.
define install
	@echo "installing into $(VENV): torch (on Linux with CUDA), fastai, Ray and what they need, about 7 GB unpacked;"
	@echo "one to three minutes on a fast network, longer on a slow one"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e '.$(1)'
	$(COMPILE)
endef

# The stamps make a second call install nothing, unless what is to be installed changed.
$(VENV)/installed: pyproject.toml constraints.txt
	$(call install)
	touch $@

$(VENV)/installed-serve: pyproject.toml constraints.txt
	$(call install,[serve])
	touch $(VENV)/installed $@

$(VENV)/installed-dev: pyproject.toml constraints.txt
	$(call install,[dev])
	touch $(VENV)/installed $(VENV)/installed-serve $@

clean:
	rm -rf $(VENV) site .mypy_cache .pytest_cache .ruff_cache .coverage
