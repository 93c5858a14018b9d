# Makefile of ruvector_dag (PGXS).  "make help" lists the targets.
#
# Two things here are rules of the architecture rather than of the build:
#  - objects of the pure layers are compiled without the server's include
#    path, so that #include "postgres.h" is a fatal error there;
#  - warnings are errors (make WERROR= to switch that off).

PG_CONFIG ?= pg_config

# ---- what is built ---------------------------------------------------------
PURE_LAYERS = core attention learning analysis
SERVER_LAYERS = store plan steering hooks worker sql
LAYERS = $(PURE_LAYERS) $(SERVER_LAYERS)

PURE_SRCS = $(sort $(foreach l,$(PURE_LAYERS),$(wildcard src/$(l)/*.c)))
SERVER_SRCS = $(sort $(foreach l,$(SERVER_LAYERS),$(wildcard src/$(l)/*.c)))
SRCS = src/ruvector_dag.c src/settings.c $(PURE_SRCS) $(SERVER_SRCS)
ALL_HEADERS = $(wildcard include/ruvector_dag/*.h src/*/*.h)

MODULE_big = ruvector_dag
OBJS = $(SRCS:.c=.o)
PGFILEDESC = "ruvector_dag - plans that learn"

EXTENSION = ruvector_dag
DATA = $(sort $(wildcard sql/ruvector_dag--*.sql))

# ---- how -------------------------------------------------------------------
WERROR = -Werror
WARNINGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare $(WERROR)

PG_CPPFLAGS = -I$(CURDIR)/include
PG_CFLAGS = $(WARNINGS)
SHLIB_LINK = -lm

# make COVERAGE=1: counts executed lines; see the target coverage.
ifdef COVERAGE
PG_CFLAGS += --coverage -fprofile-update=prefer-atomic
SHLIB_LINK += --coverage
endif

# ---- OpenBLAS, for the learner alone -----------------------------------------
# A library of its own, so that no other process maps it.  Without OpenBLAS
# (libopenblas-dev) the learner uses loops of its own: OPENBLAS=no.
ifndef OPENBLAS
OPENBLAS := $(shell echo 'int main(void) { return 0; }' | \
	$(CC) -include cblas.h -x c - -lopenblas -o /dev/null 2>/dev/null \
	&& echo yes || echo no)
endif
BLAS_LIBRARY = ruvector_dag_blas$(DLSUFFIX)

# ---- tests against a running server (make installcheck) --------------------
REGRESS = $(sort $(basename $(notdir $(wildcard test/sql/*.sql))))
ISOLATION = $(sort $(basename $(notdir $(wildcard test/isolation/iso_*.spec))))
REGRESS_OUT = build/regress
ISOLATION_OUT = build/isolation
REGRESS_OPTS = --inputdir=test --outputdir=$(REGRESS_OUT) $(EXPECTED_OPT)
ISOLATION_OPTS = --inputdir=$(ISOLATION_OUT) --outputdir=$(ISOLATION_OUT) \
	$(if $(EXPECTED_OPT),--expecteddir=$(ISOLATION_OUT))
REGRESS_PREP = test-dirs
TAP_TESTS = $(if $(wildcard test/t/*.pl),1)
PROVE_TESTS = $(sort $(wildcard test/t/*.pl))

EXTRA_CLEAN = build tmp_check src/*.gc?? src/*/*.gc?? \
	ruvector_dag_blas.* src/learner_blas/*.o src/learner_blas/*.bc

.DEFAULT_GOAL := all
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# From 16 on expected output is looked up apart from the input directory.
EXPECTED_OPT = $(shell $(top_builddir)/src/test/regress/pg_regress --help \
	2>/dev/null | grep -q expecteddir && echo --expecteddir=test)

# Every object depends on every header: rebuilding all takes seconds, a
# stale object costs an afternoon.
$(OBJS) $(OBJS:.o=.bc): $(ALL_HEADERS)

PURE_OBJS = $(PURE_SRCS:.c=.o)
$(PURE_OBJS) $(PURE_OBJS:.o=.bc): override CPPFLAGS := -I$(CURDIR)/include
# The same numbers everywhere: no fused multiply-adds where we did not ask.
# And the server's -fwrapv keeps gcc from vectorising the loops of vec.c: a
# dot product takes 14 times as long with it.
$(PURE_OBJS) $(PURE_OBJS:.o=.bc): override CFLAGS := \
	$(filter-out -fwrapv,$(CFLAGS)) -ffp-contract=off

ifeq ($(OPENBLAS),yes)
all: $(BLAS_LIBRARY)
src/learner_blas/blas.o: $(ALL_HEADERS)
$(BLAS_LIBRARY): src/learner_blas/blas.o
	$(CC) $(CFLAGS) -shared -o $@ $< $(LDFLAGS) $(LDFLAGS_SL) -lopenblas

.PHONY: install-blas uninstall-blas
install: install-blas
install-blas: $(BLAS_LIBRARY) installdirs
	$(INSTALL_SHLIB) $(BLAS_LIBRARY) '$(DESTDIR)$(pkglibdir)/'
uninstall: uninstall-blas
uninstall-blas:
	rm -f '$(DESTDIR)$(pkglibdir)/$(BLAS_LIBRARY)'
endif

# isolationtester wants specs/ and expected/ below one directory
.PHONY: test-dirs
test-dirs:
	@mkdir -p $(REGRESS_OUT) $(ISOLATION_OUT)
	@ln -sfn $(CURDIR)/test/isolation $(ISOLATION_OUT)/specs
	@ln -sfn $(CURDIR)/test/expected $(ISOLATION_OUT)/expected

.PHONY: check-sql check-isolation check-tap
check-sql: test-dirs
	$(pg_regress_installcheck) $(REGRESS_OPTS) $(REGRESS)
check-isolation: test-dirs
	$(pg_isolation_regress_installcheck) $(ISOLATION_OPTS) $(ISOLATION)
check-tap:
	$(prove_installcheck)

# ---- tests of the pure layers, without a server -----------------------------
# Variants: unit (ASan + UBSan), tsan (the ring under ThreadSanitizer), cov,
# fast: optimised, which is where the wide instruction sets come in (vec.c).
UNIT_TESTS = $(sort $(basename $(notdir $(wildcard test/unit/test_*.c))))
UNIT_CFLAGS = -g -O1 -ffp-contract=off -fno-omit-frame-pointer -pthread $(WARNINGS) \
	-I$(CURDIR)/include -I$(CURDIR)/test/unit
# cmocka 2 deprecates assert_in_range, whose successors cmocka 1 lacks.
UNIT_TEST_CFLAGS = -Wno-deprecated-declarations
UNIT_unit = -fsanitize=address,undefined -fno-sanitize-recover=undefined
UNIT_tsan = -fsanitize=thread
UNIT_cov = -O0 --coverage
UNIT_fast = -O2

define unit_variant
build/$(1)/src/%.o: src/%.c $(ALL_HEADERS)
	@mkdir -p $$(@D)
	$$(CC) -std=c11 $$(UNIT_CFLAGS) $$(UNIT_$(1)) -c -o $$@ $$<
build/$(1)/test_%.o: test/unit/test_%.c $(ALL_HEADERS) $(wildcard test/unit/*.h)
	@mkdir -p $$(@D)
	$$(CC) -std=gnu11 $$(UNIT_CFLAGS) $$(UNIT_TEST_CFLAGS) $$(UNIT_$(1)) -c -o $$@ $$<
build/$(1)/test_%: build/$(1)/test_%.o $(PURE_SRCS:%.c=build/$(1)/%.o)
	$$(CC) $$(UNIT_CFLAGS) $$(UNIT_$(1)) -o $$@ $$^ -lcmocka -lm
endef
$(foreach v,unit tsan cov fast,$(eval $(call unit_variant,$(v))))
.SECONDARY:

FAST_TESTS = $(filter test_vec test_hdc% test_btsp test_bank test_kmeans \
	test_latency_model,$(UNIT_TESTS))

.PHONY: unit unit-tsan unit-fast coverage
.PHONY: unit-programs tsan-programs fast-programs cov-programs
unit-programs: $(UNIT_TESTS:%=build/unit/%)
tsan-programs: $(patsubst %,build/tsan/%,$(filter test_ring,$(UNIT_TESTS)))
fast-programs: $(FAST_TESTS:%=build/fast/%)
cov-programs: $(UNIT_TESTS:%=build/cov/%)

unit: unit-programs
	@scripts/run-unit $(UNIT_TESTS:%=build/unit/%)
unit-tsan: tsan-programs
	@scripts/run-unit $(patsubst %,build/tsan/%,$(filter test_ring,$(UNIT_TESTS)))
unit-fast: fast-programs
	@scripts/run-unit $(FAST_TESTS:%=build/fast/%)
coverage: cov-programs
	@scripts/run-unit $(UNIT_TESTS:%=build/cov/%) >build/cov/log || \
	  echo 'some unit tests failed: make unit'
	@scripts/coverage

# ---- the rest ----------------------------------------------------------------
.PHONY: check-layers check-clang tidy help
check-layers: all
	@scripts/check-layers

# A second opinion on every file; nothing is written.
check-clang:
	@for f in $(PURE_SRCS); do \
	  $(CLANG) -std=c11 -fsyntax-only $(WARNINGS) -I$(CURDIR)/include $$f || exit 1; done
	@for f in $(filter-out $(PURE_SRCS),$(SRCS)); do \
	  $(CLANG) -fsyntax-only $(WARNINGS) -Wno-ignored-attributes $(CPPFLAGS) $$f || exit 1; done

tidy:
	clang-tidy --quiet --checks='-*,clang-analyzer-*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier' \
	  $(SRCS) -- -I$(CURDIR)/include -I$(shell $(PG_CONFIG) --includedir-server)

help:
	@echo 'make                 build the extension (PG_CONFIG=/path/to/pg_config, WERROR=)'
	@echo 'make install         into the server PG_CONFIG belongs to'
	@echo 'make check-layers    include order, purity of the pure layers, exported symbols'
	@echo 'make check-clang     no warnings from clang either'
	@echo 'make unit            pure layers, with cmocka under ASan and UBSan; no server'
	@echo 'make unit-tsan       the ring under ThreadSanitizer'
	@echo 'make unit-fast       what has wide instruction sets, optimised'
	@echo 'make installcheck    pg_regress, isolation and TAP tests against the server that'
	@echo '                     PGHOST and PGPORT name (installed, preloaded, not as root);'
	@echo '                     one kind: check-sql, check-isolation, check-tap'
	@echo 'make coverage        executed lines per layer, by the unit tests (and by server'
	@echo '                     tests that ran before on a build with COVERAGE=1)'
	@echo 'make tidy            clang-tidy'
	@echo 'make clean'
	@echo 'scripts/test         everything, from a bare machine, on a throwaway cluster'
	@echo 'scripts/matrix       the same on PostgreSQL 15, 17 and 18, in Debian roots of its own'
	@echo 'scripts/demo         a workload before and after learning'
	@echo 'bench/...            benchmarks, see docs/benchmarks.md'
