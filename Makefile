# L0: see README.md. Release programs go to bin/, everything else that is made to build/ and out/.
#   make MODE=release|debug|asan|tsan|fuzz  CC=gcc|clang  V=1 (shows the commands)
#   CROSS=aarch64-linux-gnu- prefixes the compiler's name: what needs libc only can be built so.

MODE  ?= release
CROSS ?=
CC    := $(if $(filter default,$(origin CC)),$(CROSS)gcc,$(CC))
B     := build/$(MODE)$(if $(findstring clang,$(CC)),-clang)$(if $(CROSS),-$(firstword $(subst -, ,$(CROSS))))
BIN   := $(if $(filter build/release,$(B)),bin,$(B)/bin)

ifeq ($(filter $(MODE),release debug asan tsan fuzz),)
$(error MODE=$(MODE) is not known (release debug asan tsan fuzz))
endif

# Overridden on the command line: make ci NREQ=20000 FILE=thesis.tex. Where FILE or NREQ is empty each
# flow chooses: for ci the 1.1 MB document, 100000 times.
FILE    ?=
OUT     ?= /tmp/latencies_ms.txt
TAIL    ?= /tmp/l0_service_tail.csv
THREADS ?= 4
NREQ    ?=
HEDGE   ?=
SOAK_S  ?= 3600
FUZZ_S  ?= 30
DESTDIR ?=
PREFIX  ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# ---- flags -------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wcast-qual -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wswitch-enum -Werror
COMMON := -std=gnu11 -D_GNU_SOURCE -I. -g -fno-omit-frame-pointer -fPIE -pthread $(WARN)
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=3

# Unsigned wrap-around is defined, and a bug in a length: the fuzz builds look for it as well, but
# in the functions that tests/fuzz/ignorelist.txt names with their reason.
FUZZ_SAN := -fsanitize=address,undefined,unsigned-integer-overflow -fno-sanitize-recover=all \
            -fsanitize-ignorelist=tests/fuzz/ignorelist.txt

CFLAGS_release := -O2 $(HARDEN)
CFLAGS_debug   := -O0 -DL0_DEBUG=1
CFLAGS_asan    := -O1 -DL0_DEBUG=1 -DL0_SANITIZED=1 -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS_tsan    := -O1 -DL0_SANITIZED=1 -fsanitize=thread
CFLAGS_fuzz    := -O1 -DL0_DEBUG=1 -DL0_SANITIZED=1 -fsanitize=fuzzer-no-link $(FUZZ_SAN)
ALL_CFLAGS := $(COMMON) $(CFLAGS_$(MODE)) $(CFLAGS)
LDFLAGS_release := -Wl,-z,relro,-z,now
ALL_LDFLAGS := -pie -pthread $(LDFLAGS_$(MODE)) $(LDFLAGS)

# ---- how much is said --------------------------------------------------------------------------
Q   := $(if $(V),,@)
say  = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),@:,@printf '  %-5s %s\n' $1 $(or $2,$@))

# A file whose content is $1 and whose time changes only with it: rebuilds what depends on a list.
define stamp
@mkdir -p $(@D)
@printf '%s\n' '$(strip $1)' | cmp -s - $@ || printf '%s\n' '$(strip $1)' >$@
endef

# ---- layers: every directory is one library; *main.c files are programs -----------------------
LAYERS := lexer proto gate bench engine
MAINS  := $(foreach d,$(LAYERS),$(wildcard $d/*main.c))
objs    = $(patsubst %.c,$(B)/%.o,$(filter-out $(MAINS),$(wildcard $1/*.c)))
LIBS   := $(foreach d,$(LAYERS),$(B)/lib$d.a)

LEXER_LIBS  := $(B)/liblexer.a
PROTO_LIBS  := $(B)/libproto.a
GATE_LIBS   := $(B)/libgate.a
BENCH_LIBS  := $(B)/libbench.a $(B)/libgate.a $(B)/libproto.a $(B)/liblexer.a
ENGINE_LIBS := $(B)/libengine.a $(B)/libproto.a $(B)/liblexer.a
TEST_LIBS   := $(B)/libengine.a $(BENCH_LIBS)
EXTERNAL    := -luring -lmimalloc -lmicrohttpd -lsystemd -lhwloc -ljansson -lcurl -lm

PROGRAMS := $(addprefix $(BIN)/,l0-lexd l0-lex l0-bench l0-gate l0-corpus \
            l0-bench-blocking l0-bench-sink)

.PHONY: all
all: $(PROGRAMS) ## build the programs (MODE= and CC= choose how)
	@:

$(BIN)/l0-lexd: $(B)/engine/main.o $(ENGINE_LIBS)
$(BIN)/l0-lex: $(B)/lexer/lex_main.o $(LEXER_LIBS)
$(BIN)/l0-gate: $(B)/gate/main.o $(GATE_LIBS)
$(BIN)/l0-bench: $(B)/bench/main.o $(BENCH_LIBS)
$(BIN)/l0-corpus: $(B)/bench/corpus_main.o $(BENCH_LIBS)
$(BIN)/l0-bench-blocking: $(B)/bench/blocking_main.o $(BENCH_LIBS)
$(BIN)/l0-bench-sink: $(B)/bench/sink_main.o $(BENCH_LIBS)

$(BIN)/l0-lexd: LDLIBS := -luring -lmimalloc -lmicrohttpd -lsystemd -lhwloc
$(BIN)/l0-lex $(BIN)/l0-gate: LDLIBS := -ljansson -lm
$(BIN)/l0-bench: LDLIBS := -ljansson -lcurl -lm

$(PROGRAMS):
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(foreach d,$(LAYERS),$(eval $(B)/lib$d.a: $(call objs,$d) $(B)/lib$d.names))
$(LIBS):
	$(call say,AR)
	@rm -f $@
	$(Q)$(CROSS)ar rcs $@ $(filter %.o,$^)

# Which objects a library holds: a source that was removed must leave its library.
$(LIBS:.a=.names): $(B)/lib%.names: FORCE
	$(call stamp,$(call objs,$*))

# With what they were compiled: other flags or another compiler must not mix with old objects.
$(B)/flags: FORCE
	$(call stamp,$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS))

# One file an instruction set: only that one is compiled for it, and runs after a check.
$(B)/lexer/lexer_avx2.o: ISA := $(if $(filter x86_64%,$(shell $(CC) -dumpmachine)),-mavx2 -mbmi -mbmi2 -mpopcnt)

$(B)/%.o: %.c $(B)/flags | build/deps-build.ok
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ISA) -MMD -MP -c -o $@ $<

.PHONY: FORCE
FORCE:

# ---- tests: one Criterion program per test_*.c; the other files beside it are its helpers ------
# tests/tsan/ holds programs with a main of their own, because Criterion does not run under TSan.
tests_in   = $(patsubst %.c,$(B)/%,$(wildcard tests/$1/test_*.c))
helpers_in = $(patsubst %.c,$(B)/%.o,$(filter-out tests/$1/test_%,$(wildcard tests/$1/*.c)))
UNIT_TESTS   := $(call tests_in,unit)
SYSTEM_TESTS := $(call tests_in,system)
FUZZERS      := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
TSAN_TESTS   := $(patsubst %.c,$(B)/%,$(wildcard tests/tsan/*.c))
CONTROLS     := $(addprefix $(B)/tests/control/,leak race)
CANARY       := $(B)/tests/control/fuzz_canary
# What kernels are compared on is shared with a program that needs libc only.
DIFFER       := $(B)/tests/kernels/differ
KERNEL_CASES := $(patsubst %,$(B)/tests/kernels/%.o,cases verbatim_cases caret_cases codes_cases nesting_cases words)

$(UNIT_TESTS): $(B)/%: $(B)/%.o $(call helpers_in,unit) $(TEST_LIBS)
$(B)/tests/unit/test_lexer_kernels: $(KERNEL_CASES)
$(SYSTEM_TESTS): $(B)/%: $(B)/%.o $(call helpers_in,system) $(TEST_LIBS)
$(TSAN_TESTS): $(B)/%: $(B)/%.o $(TEST_LIBS)
$(CONTROLS): $(B)/%: $(B)/%.o
$(UNIT_TESTS) $(SYSTEM_TESTS) $(TSAN_TESTS) $(CONTROLS):
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(if $(filter $(TSAN_TESTS),$@),,-lcriterion) $(EXTERNAL)

# Its faults stand between engine/ring.c and the kernel.
$(B)/tests/unit/test_ring_enter: private ALL_LDFLAGS += -Wl,--wrap=syscall

# Static, so that it runs under an emulator without a C library of that processor.
$(DIFFER): $(DIFFER).o $(KERNEL_CASES) $(LEXER_LIBS)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(if $(CROSS),-static-pie) -o $@ $^

$(CANARY): $(B)/%: $(B)/%.o
$(FUZZERS): $(B)/%: $(B)/%.o $(TEST_LIBS)
$(FUZZERS) $(CANARY):
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(EXTERNAL)

.PHONY: unit-tests system-tests tsan-tests controls fuzzers cross-aarch64
unit-tests: $(UNIT_TESTS)
system-tests: $(SYSTEM_TESTS)
tsan-tests: $(TSAN_TESTS)
controls: $(CONTROLS)
fuzzers: $(FUZZERS) $(CANARY)
cross-aarch64: ## build the lexer, and what compares its kernels, for 64-bit Arm
	+@$(MAKE) --no-print-directory CROSS=aarch64-linux-gnu- lexer-library
.PHONY: lexer-library
lexer-library: $(B)/liblexer.a $(DIFFER)

# ---- packages ----------------------------------------------------------------------------------
.PHONY: deps
deps: build/deps-build.ok ## install the Debian packages that the build needs
build/deps-%.ok: scripts/deps.sh
	@scripts/deps.sh $* $@

# ---- what one does with it: each flow is a script ----------------------------------------------
export FILE OUT TAIL THREADS NREQ HEDGE SOAK_S FUZZ_S DESTDIR PREFIX SYSCONFDIR
export BIN

.PHONY: corpus
corpus: build/corpus/.made
build/corpus/.made: $(BIN)/l0-corpus
	$(call say,GEN,build/corpus)
	@mkdir -p $(@D)
	$(Q)$(BIN)/l0-corpus --all $(@D)
	@touch $@

.PHONY: ci verify soak bench fault-proof gate service-run service-stop
ci: all corpus ## service, NREQ keep-alive requests, gate: the exit code is the gate's
	@scripts/ci.sh
verify: all corpus ## a shorter run: self-tests, micro, keep-alive, one-shot, tail
	@scripts/verify.sh
soak: all corpus ## SOAK_S seconds of load; percentiles every 10000, memory and descriptors watched
	@scripts/soak.sh
# NREQ has another meaning and default there, so only what the user says is handed on.
bench: export NREQ := $(if $(filter file,$(origin NREQ)),,$(NREQ))
bench: all corpus ## beside a blocking server and beside copying alone
	@scripts/bench.sh
fault-proof: all corpus ## stalled shards with and without hedging, side by side (HEDGE= FAULT=hog FAULT_MS= FAULT_PPM= RATE=)
	@scripts/fault_proof.sh
gate: $(BIN)/l0-gate ## judge the last run again (OUT=raw latencies TAIL=tail file)
	@scripts/acceptance_gate.sh $(OUT) $(TAIL)
service-run: all ## start the service in the background
	@scripts/service.sh start
service-stop: ## stop it by its pid file
	@scripts/service.sh stop

.PHONY: test test-aarch64 check model oracle fuzz asan tsan
test: build/deps-build.ok build/deps-tools.ok ## all tests and checks; ONLY=pattern chooses steps
	@scripts/test.sh $(ONLY)
test-aarch64: build/deps-build.ok build/deps-tools.ok ## the neon kernel against the portable one, under an emulator
	@scripts/kernels.sh aarch64 --every 64
check: build/deps-build.ok build/deps-tools.ok ## the static checks alone
	@scripts/test.sh check
model: build/deps-tools.ok ## the hedging protocol's model, checked by spin
	@scripts/model.sh
oracle: all ## the lexer beside TeX over all corpora and N=20000 random files; LIMIT_S= stops early
	@scripts/oracle_all.sh
fuzz: build/deps-build.ok build/deps-tools.ok ## every fuzz target for FUZZ_S seconds
	@scripts/fuzz.sh
asan: ## build everything with address and undefined-behaviour sanitizers
	+@$(MAKE) --no-print-directory MODE=asan all unit-tests system-tests controls
tsan: ## build the programs and their stress tests with the thread sanitizer
	+@$(MAKE) --no-print-directory MODE=tsan all tsan-tests

.PHONY: install clean help
install: all ## into DESTDIR/PREFIX
	@scripts/install.sh
clean: ## remove everything that was made
	rm -rf bin build out
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' Makefile
	@echo '  variables: FILE OUT TAIL THREADS NREQ HEDGE SOAK_S FUZZ_S DESTDIR PREFIX MODE CC V'

-include $(shell find $(B) -name '*.d' 2>/dev/null)
