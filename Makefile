# JouleRx. `make help` lists what can be made; config.mk holds what can be changed.
include config.mk
ifeq ($(origin CC),default)
CC := gcc
endif
SHELL := /bin/bash
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

# V=1 shows every command
say = $(if $V,,@printf '  %-5s %s\n' '$1' '$2'; )

# ---- what a machine needs, all from Debian -------------------------------------------------------
PACKAGES := gcc make git libc6-dev libpapi-dev libopenblas-dev liblapacke-dev libhwloc-dev libjansson-dev \
            libinih-dev libcsv-dev libkissfft-dev libcmocka-dev gnuplot-nox fonts-dejavu-core
CHECK_PACKAGES := clang clang-format libomp-dev libclang-rt-14-dev valgrind libfuse3-dev fuse3 g++ libitpp-dev python3-numpy

# ---- flags ---------------------------------------------------------------------------------------
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef $(WERROR)
CFLAGS  := -std=gnu11 -O2 -g -fopenmp -fno-math-errno $(WARN) $(SAN)
CPPFLAGS := -I. -I$O/gen -D_GNU_SOURCE
LDLIBS  := -lpapi -lsde -lhwloc -llapacke -lopenblas -ljansson -linih -lcsv -lkissfft-float -lm
# Contraction changes the instruction count of an energy comparison, so it is set, never left to the compiler.
flags_default := -ffp-contract=off
flags_avx2    := -mavx2 -mfma -ffp-contract=fast
flags_avx512  := -mavx512f -mavx512vl -mavx512dq -mavx512bw -mavx2 -mfma -ffp-contract=fast
flags_avx512bf16 := $(flags_avx512) -mavx512bf16
# One seed gives one slot on every CPU, so the link rounds alike whatever the instruction set.
exact_of = $(if $(filter models/link/%,$1),-ffp-contract=off)
isa_of = $(or $(filter avx2 avx512 avx512bf16,$(lastword $(subst _, ,$(basename $(notdir $1))))),default)

# ---- sources; the registries are the list of matching files --------------------------------------
KERNELS     := $(sort $(wildcard kernels/*/*.c))
METERS      := $(sort $(wildcard harness/meters/meter_*.c))
COUNTERS    := $(sort $(wildcard harness/counters/counter_*.c))
EXPERIMENTS := $(sort $(wildcard experiments/exp_*.c))
COMMANDS    := $(sort $(wildcard experiments/cmd_*.c))
TRACED      := $(filter-out %_blas.c,$(KERNELS))
SRC         := $(sort $(wildcard harness/*.c harness/*/*.c kernels/*.c kernels/*/*.c models/*/*.c experiments/*.c))
LIB_OBJ     := $(patsubst %.c,$O/%.o,$(filter-out experiments/main.c,$(SRC))) $(patsubst %.c,$O/%.traced.o,$(TRACED))
HEADERS     := $(sort $(shell find harness kernels models experiments tests -name '*.h'))
TEST_SRC    := $(sort $(wildcard tests/test_*.c))
SUPPORT_OBJ := $(patsubst %.c,$O/%.o,$(wildcard tests/support/*.c))
TESTS       := $(patsubst tests/%.c,$O/tests/%,$(TEST_SRC))

registry = $(foreach f,$1,X($(basename $(notdir $f))))
GEN := $(addprefix $O/gen/,kernels.inc traced.inc meters.inc counters.inc experiments.inc commands.inc build.inc trace.inc)
$O/gen/kernels.inc:     CONTENT = $(call registry,$(KERNELS))
$O/gen/traced.inc:      CONTENT = $(call registry,$(TRACED))
$O/gen/meters.inc:      CONTENT = $(call registry,$(METERS))
$O/gen/counters.inc:    CONTENT = $(call registry,$(COUNTERS))
$O/gen/experiments.inc: CONTENT = $(call registry,$(EXPERIMENTS))
$O/gen/commands.inc:    CONTENT = $(call registry,$(COMMANDS))
# ---- what people type ----------------------------------------------------------------------------
.PHONY: all bench-meters figures help setup reproduce check unit tests fuzz fuzz-smoke clean format format-check layers headers check-asan check-clang check-valgrind FORCE
all: $O/joulerx ## build the program, build/joulerx

help: ## this list
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

$O/joulerx: $O/experiments/main.o $O/libjoulerx.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$O/libjoulerx.a: $(LIB_OBJ)
	@rm -f $@; ar rcs $@ $^

$O/%.o: %.c | $(GEN)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) $(flags_$(call isa_of,$<)) $(call exact_of,$<) -MMD -MP -c -o $@ $<

# The second object of a kernel: the same source, each access reported to a sink (kernels/trace.h).
$O/%.traced.o: %.c | $(GEN)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) $(flags_$(call isa_of,$<)) -DKN_TRACE -D$(basename $(notdir $<))=$(basename $(notdir $<))_traced -MMD -MP -c -o $@ $<

# What the binary was built from and with, for provenance. The first of all: it says what to do where a package is missing.
$O/gen/build.inc: FORCE
	@said=$$(grep -h '^#include <' $(SRC) $(HEADERS) | sort -u | LC_ALL=C $(CC) -E -o /dev/null -x c - 2>&1) || { \
	  echo "$(CC) or a library it needs is not installed ($$(echo "$$said" | sed -n 's/.*: \(.*: .*\)/\1/p' | head -n 1)): \`make setup\` installs what is missing"; exit 1; }
	@mkdir -p $(@D); { printf '#define BUILD_COMPILER "%s"\n' "$$($(CC) --version | head -n 1)"; \
	  printf '#define BUILD_FLAGS "%s"\n' '$(strip $(CFLAGS) $(flags_default))'; \
	  printf '#define BUILD_COMMIT "%s"\n' "$$(git rev-parse HEAD 2>/dev/null || echo unknown)"; \
	  printf '#define BUILD_DIRTY %d\n' "$$(git status --porcelain 2>/dev/null | head -c 1 | wc -c)"; } > $@.tmp; \
	 cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@

# What a simulated access depends on: kept simulations of other sources are not used.
TRACE_SRC := $(sort $(wildcard kernels/*.[ch] kernels/*/*.[ch] harness/cachesim*.[ch] experiments/call*.[ch]))
$O/gen/trace.inc: FORCE
	@mkdir -p $(@D); printf '#define BUILD_TRACE "%s"\n' "$$(cat $(TRACE_SRC) | cksum)" > $@.tmp; \
	 cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@

# Rewritten only when the list changed, so that an unchanged list recompiles nothing.
$O/gen/%.inc: FORCE
	@mkdir -p $(@D); printf '%s\n' $(foreach c,$(CONTENT),'$c') > $@.tmp; cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@

$O/tests/%: $O/tests/%.o $(SUPPORT_OBJ) $O/libjoulerx.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

# ---- from a bare machine -------------------------------------------------------------------------
apt_get := apt-get -o DPkg::Lock::Timeout=300
define install
@command -v dpkg-query >/dev/null || { echo "This is set up for Debian 12; elsewhere provide: $1"; exit 1; }; \
missing=$$(for p in $1; do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || printf '%s ' $$p; done); \
[ -z "$$missing" ] || if [ "$$(id -u)" = 0 ]; then echo "installing $$missing"; export DEBIAN_FRONTEND=noninteractive; \
    $(apt_get) update -qq && $(apt_get) install -y -qq --no-install-recommends $$missing >$O-apt.log 2>&1 || \
    { cat $O-apt.log; exit 1; }; rm -f $O-apt.log; \
else echo "missing packages: $$missing"; \
    echo "install them with: sudo apt-get update && sudo apt-get install -y --no-install-recommends $$missing"; exit 1; fi
endef

setup: ## install the packages that are missing (as root; otherwise print the command)
	$(call install,$(PACKAGES))

reproduce: setup ## the paper's figures and a verdict on each claim, under 15 minutes; RESUME=1 goes on with an interrupted run
	@$(MAKE) -s -j2 all
	@$O/joulerx reproduce --preset=$(or $(PRESET),quick) $(if $(RESUME),--resume)

figures: $O/joulerx ## draw the figures of the committed runs again, from their CSV files alone
	@for run in $(dir $(wildcard results/reference/*/session.json)); do $O/joulerx report $$run | tail -n 1; done
	@for run in $(wildcard results/reference/kernels*); do $(MAKE) -s figure-kernels BENCH_KERNELS_OUT=$$run || exit 1; done

check: ## install what is missing, build, run every test and check
	$(call install,$(PACKAGES) $(CHECK_PACKAGES))
	@$(MAKE) -s -j2 all tests
	@$(MAKE) -s layers headers format-check
	@$(MAKE) -s check-clang
	@$(MAKE) -s -j2 fuzz-smoke
	@$(MAKE) -s check-valgrind
	@$(MAKE) -s check-asan
	@$(MAKE) -s unit

# Stand-ins that are programs or libraries of their own; without libfuse3-dev powercap_fs is left out, its tests skip.
FAKES := $O/tests/fake/likwid_stub.so $(if $(wildcard /usr/include/fuse3/fuse.h),$O/tests/fake/powercap_fs)
$O/tests/fake/likwid_stub.so: tests/fake/likwid_stub.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(filter-out -fsanitize=%,$(CFLAGS)) -shared -fPIC -o $@ $<

$O/tests/fake/powercap_fs: $O/tests/fake/powercap_fs.o $O/tests/fake/zones.o $O/libjoulerx.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) -o $@ $^ -lfuse3 -lm

$O/tests/bench/%: $O/tests/bench/%.o $(SUPPORT_OBJ) $O/libjoulerx.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

bench-meters: $O/tests/bench/bench_meters $(FAKES) ## how well windows measure, against known truth: figures and CSV
	@$< $O/bench-meters.csv $(SCALE)

# ---- checks --------------------------------------------------------------------------------------
SELECTED := $(foreach t,$(TESTS),$(if $(findstring $(or $T,/),$t),$t))
unit: $O/joulerx $(FAKES) $(SELECTED) ## build and run every unit test; T=name runs those whose name contains it
	@sh tests/run.sh $(SELECTED)

# An independent library that a test asks, where it is installed
$O/tests/oracle_itpp: tests/oracle_itpp.cc
	@mkdir -p $(@D)
	$(call say,CXX,$@)$(CXX) -O1 -o $@ $< -litpp
$O/tests/test_link_oracle: | $(if $(wildcard /usr/include/itpp/itcomm.h),$O/tests/oracle_itpp)

# The AVX2 kernels without fused multiply-adds, which valgrind emulates a thousand times slower. They come before the
# archive, so the linker does not take the archive's.
NOFMA := $(patsubst %.c,$O/%.nofma.o,$(filter %_avx2.c,$(KERNELS)))
$O/%.nofma.o: %.c | $(GEN)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) -mavx2 -mno-fma -ffp-contract=off -MMD -MP -c -o $@ $<

$O/tests/oracle_callgrind: $O/tests/oracle_callgrind.o $(NOFMA) $O/libjoulerx.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)
$O/tests/test_callgrind: | $(if $(SAN),,$O/tests/oracle_callgrind)

.PHONY: bench-fit
bench-fit: $O/tests/bench/bench_fit ## a fit with its bootstrap, beside SciPy (python3-scipy) on the same rows: CSV
	@$O/tests/bench/bench_fit $(ROUNDS)

.PHONY: bench-cachesim
bench-cachesim: $O/tests/bench/bench_cachesim ## accesses a second of the cache simulator, by kind of kernel, beside a plain one: CSV
	@$< $(ROUNDS)

.PHONY: bench-link
bench-link: $O/tests/bench_link ## slots a second of the link simulator, beside NumPy
	@$O/tests/bench_link

layers: ## who may include whom
	@sh tests/check_layers.sh

headers: | $(GEN) ## every header compiles alone
	@for h in $(HEADERS); do \
	    case $$h in *bf16.h) isa="$(flags_avx512bf16)";; *) isa=;; esac; \
	    $(CC) $(CPPFLAGS) $(CFLAGS) $$isa -x c -fsyntax-only $$h || exit 1; done; echo "headers: ok"

format: ## clang-format all sources
	@clang-format -i $(HEADERS) $(SRC) $(TEST_SRC) $(wildcard tests/support/*.c tests/fake/*.c tests/bench/*.c tests/oracle_*.c)

format-check:
	@clang-format --dry-run -Werror $(HEADERS) $(SRC) $(TEST_SRC) $(wildcard tests/support/*.c tests/fake/*.c tests/bench/*.c tests/oracle_*.c) && echo "format: ok"

# -O1 -g1: at -O2 the unrolled kernels, instrumented, take a compiler ten times as long. Its warnings are guesses at -O1;
# the ordinary builds are where warnings are errors.
ASAN := -O1 -g1 -w -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# JOULERX_TEST_FAST=1 asks long statistical tests for a short form where a tool slows them down
check-asan: ## the unit tests under AddressSanitizer and UBSan
	@echo "-- AddressSanitizer, UBSan"
	@JOBS=2 JOULERX_TEST_FAST=1 $(MAKE) -s -j2 unit O=$O-asan WERROR= SAN="$(ASAN)"

check-clang: ## build program and tests with clang
	@echo "-- clang"
	@$(MAKE) -j2 all tests CC=clang O=$O-clang && echo "clang: ok"

# AVX-512 is an illegal instruction to valgrind and FMA is emulated a thousand times slower: baseline kernels only.
# Tests that only start the program are left out: valgrind does not follow it, the sanitizers' build does.
OF_PROGRAM := $(addprefix $O/tests/test_,run tune_command study calibrate doctor stat shard resume list callgrind trainer)
check-valgrind: $(TESTS) ## the unit tests under valgrind's memory checker
	@echo "-- valgrind"
	@JOBS=2 JOULERX_TEST_FAST=1 JOULERX_ISA=baseline OPENBLAS_CORETYPE=NEHALEM OMP_NUM_THREADS=1 \
	    RUNNER="valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --suppressions=tests/valgrind.supp" sh tests/run.sh $(filter-out $(OF_PROGRAM),$(TESTS))

tests: $(TESTS) $(FAKES)

# Fuzzing: each tests/fuzz/fuzz_<name>.c with the harness alone, built by clang. New inputs stay in the build folder.
FUZZERS := $(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c)))
PARSERS := $(wildcard harness/*.c harness/*/*.c) models/nn/safetensors.c
FUZZ_SECONDS ?= 600

FUZZ_FLAGS := -std=gnu11 -O1 -g -fopenmp -fsanitize=address,undefined -fno-sanitize-recover=all

$O-fuzz/%.o: %.c | $(GEN)
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)clang $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$O-fuzz/fuzz_%: $O-fuzz/tests/fuzz/fuzz_%.o $(PARSERS:%.c=$O-fuzz/%.o)
	$(call say,LINK,$@)clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

fuzz: FUZZ_LIMIT = -max_total_time=$(FUZZ_SECONDS)
fuzz-smoke: FUZZ_LIMIT = -runs=30000 -max_total_time=8 -seed=1
fuzz: $(addprefix $O-fuzz/,$(FUZZERS)) ## fuzz every parser, FUZZ_SECONDS=600 each (clang)
fuzz-smoke: $(addprefix $O-fuzz/,$(FUZZERS)) ## the same, a few seconds each
fuzz fuzz-smoke:
	@for f in $(FUZZERS); do c=$O-fuzz/corpus/$${f#fuzz_}; mkdir -p $$c; \
	   $O-fuzz/$$f $(FUZZ_LIMIT) -max_len=4096 -timeout=10 -artifact_prefix=$O-fuzz/$$f- -close_fd_mask=1 $$c tests/fuzz/corpus/$${f#fuzz_} \
	     >$O-fuzz/$$f.log 2>&1 || { tail -n 40 $O-fuzz/$$f.log; exit 1; }; \
	   printf '%-24s %s\n' $$f "$$(grep -a '^Done' $O-fuzz/$$f.log)"; done

# oneDNN is a peer to compare with, never a part of the program: where it is absent, OpenBLAS is the only one.
DNNL := $(wildcard /usr/include/oneapi/dnnl/dnnl.h)
BENCH_OBJ := $(addprefix $O/tests/bench/,bench_kernels.o bench_report.o bench_rounds.o bench_kept.o peer_ours.o peer_limits.o $(if $(DNNL),peer_dnnl.o,peer_none.o))
$O/bench_kernels: $(BENCH_OBJ) $O/libjoulerx.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) -o $@ $^ $(if $(DNNL),-ldnnl) $(LDLIBS)

.PHONY: bench-kernels figure-kernels
figure-kernels:
	@for kind in svg png; do gnuplot -e "csv='$(BENCH_KERNELS_OUT)/cases.csv'; out='$(BENCH_KERNELS_OUT)/bench_kernels'; kind='$$kind'" plots/common.gp plots/bench_kernels.gp || exit 1; done
BENCH_KERNELS_OUT := $(or $(OUT),$O/bench-kernels)
bench-kernels: $O/bench_kernels ## our kernels beside oneDNN and OpenBLAS; B="pointwise fwd" runs part of it, OUT=folder
	@mkdir -p $(BENCH_KERNELS_OUT) && $O/bench_kernels "$B" $(BENCH_KERNELS_OUT) $(ROUNDS); status=$$?; \
	 $(MAKE) -s figure-kernels BENCH_KERNELS_OUT=$(BENCH_KERNELS_OUT) || exit 1; \
	 echo "$(BENCH_KERNELS_OUT): cases.csv groups.csv meta.json bench_kernels.svg bench_kernels.png"; exit $$status

BENCH_TRAIN_OBJ := $(addprefix $O/tests/bench/,bench_train.o train_layers.o train_ours.o train_peer.o peer_limits.o)
$O/bench_train: $(BENCH_TRAIN_OBJ) $(SUPPORT_OBJ) $O/libjoulerx.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

.PHONY: roofline
ROOF_LAYERS := pw:c64:k128,dw:c64:m2:d3x2,conv:c10:k64,sep:c64:m2:k128:d3x2,norm:c64,relu:c64,add:c64
roofline: $O/joulerx $O/tests/bench/bench_bandwidth ## kernels below this machine's peak and bandwidths: CSV and SVG
	@rm -rf $O/roofline && $O/joulerx measure --quiet --meter=model --reps=3 --window=0.02 --kernel='*_fwd_*,*_bwd_*' --layer=$(ROOF_LAYERS) --out=$O/roofline && \
	 $O/tests/bench/bench_bandwidth >$O/roofline/bandwidth.csv && \
	 gnuplot -e "dir='$O/roofline'; out='$O/roofline/roofline'; kind='svg'" plots/common.gp plots/roofline.gp && \
	 echo "$O/roofline/measure/summary.csv $O/roofline/bandwidth.csv $O/roofline/roofline.svg"

.PHONY: bench-train
bench-train: $O/bench_train ## our training and inference beside PyTorch (python3-torch); B=t training, b in bf16, i inference, s student, l by layer, r recipe; 1 or 2: only on so many threads
	@$O/bench_train "$B" $O/bench_train.csv $(ROUNDS)

# Built with the tests, so that a change to what they share does not break them unseen.
tests: $(addprefix $O/,bench_kernels bench_train tests/bench_link tests/bench/bench_meters tests/bench/bench_bandwidth tests/bench/bench_fit tests/bench/bench_cachesim)

clean: ## remove what was built
	rm -rf $O $O-asan $O-clang $O-fuzz

-include $(shell find $O $O-fuzz -name '*.d' 2>/dev/null)
