# Builds braze.so for every Lua found here; whatever is longer than a few lines is a script in tools/.
# "make help" lists the targets and the variables.

PREFIX ?= /usr/local
PKG_CONFIG ?= pkg-config
# For size: on a call's way nearly all of the time is libcurl's and the kernel's.
CFLAGS ?= -Os -g
# With these flags of our own, braze.so is made smaller by what compiler and loader know beside them: all files are optimised together
# (the objects can be linked without that, too), and a packed table of the addresses that the loader writes. Asked once, where something
# is built.
SMALLER = $(eval SMALLER := $(if $(filter file,$(origin CFLAGS)),$(shell tools/takes '$(CC)' '-flto=auto -ffat-lto-objects' -Wl,-z,pack-relative-relocs)))$(SMALLER)
TOGETHER = $(filter -f%,$(SMALLER))
APART = $(if $(TOGETHER),-fno-lto)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

# --- Which Lua ---------------------------------------------------------------------------------------

# "5.4=lua5.4 5.3=lua-5.3 5.1=luajit": each version with pkg-config's name for it, which is another on each system;
# a plain "lua" may be any version, so it is asked. LuaJIT loads what is built for 5.1, and stands in for its headers.
FOUND := $(shell for version in 5.5 5.4 5.3 5.1; do \
    for name in lua$$version lua-$$version lua$$(echo $$version | tr -d .) lua luajit; do \
      case "$$version $$name $$($(PKG_CONFIG) --modversion $$name 2>/dev/null)" in \
        ("$$version lua"*" $$version."* | "5.1 luajit 2."*) echo "$$version=$$name"; break ;; \
      esac; \
    done; \
  done)

ifneq ($(filter-out 5.5 5.4 5.3 5.1,$(LUA_VERSION)),)
$(error LUA_VERSION is 5.5, 5.4, 5.3 or 5.1 (for LuaJIT too), not "$(LUA_VERSION)")
endif
ifneq ($(LUA_INCDIR),)
ifeq ($(LUA_VERSION),)
$(error LUA_INCDIR needs LUA_VERSION beside it: 5.5, 5.4, 5.3 or 5.1)
endif
endif

VERSIONS := $(or $(LUA_VERSION),$(foreach pair,$(FOUND),$(firstword $(subst =, ,$(pair)))))
# The version that is installed: one at a time, since each has directories of its own. Lua 5.4, or the newest where there is none.
INSTALLED := $(or $(LUA_VERSION),$(filter 5.4,$(VERSIONS)),$(firstword $(VERSIONS)),5.4)

lua_name = $(patsubst $1=%,%,$(filter $1=%,$(FOUND)))
lua_libs = $(if $(lua_name),$(shell $(PKG_CONFIG) --libs $(lua_name)))
lua_flags = $(if $(LUA_INCDIR),-I$(LUA_INCDIR),$(if $(lua_name),$(shell $(PKG_CONFIG) --cflags $(lua_name))))

# --- How to compile and link -------------------------------------------------------------------------

CURL_FLAGS := $(shell $(PKG_CONFIG) --cflags libcurl 2>/dev/null)
CURL_LIBS := $(or $(shell $(PKG_CONFIG) --libs libcurl 2>/dev/null),-lcurl)

# The stores of the ledger, each a shared object of its own: those whose library has its headers here.
PACKAGE_OF_sqlite := sqlite3
PACKAGE_OF_postgresql := libpq
PACKAGE_OF_redis := hiredis
# TLS with Redis: hiredis has it from 1.0, in a library of its own.
REDIS_TLS := $(shell $(PKG_CONFIG) --exists hiredis_ssl openssl 2>/dev/null && echo -DBRAZE_REDIS_TLS)
ALL_STORES := sqlite postgresql redis
STORES := $(foreach store,$(ALL_STORES),$(if $(shell $(PKG_CONFIG) --exists $(PACKAGE_OF_$(store)) 2>/dev/null && echo yes),$(store)))
$(foreach store,$(STORES),$(eval LIBS_OF_$(store) := $(shell $(PKG_CONFIG) --libs $(PACKAGE_OF_$(store)) $(and $(REDIS_TLS),$(filter redis,$(store)),hiredis_ssl openssl))))
LEFT_OUT := $(filter-out $(STORES),$(ALL_STORES))
STORE_FLAGS := $(foreach store,$(STORES),$(shell $(PKG_CONFIG) --cflags $(PACKAGE_OF_$(store)))) $(REDIS_TLS)

# glibc warns where this comes without optimisation, and a distribution's own level wins over ours.
optimised = $(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS))))
fortified = $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS))
FORTIFY = $(if $(optimised),$(if $(fortified),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))

COMPILE = $(CC) -std=c11 -fPIC $(BIND) -fvisibility=hidden -pthread -fstack-protector-strong -Wall -Wextra \
  $(FORTIFY) -MMD -MP -Isrc $(CURL_FLAGS) $1 $(TOGETHER) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# Never -llua: a second copy of the interpreter in one process ends in a crash. The host has these symbols.
ifeq ($(shell uname -s),Darwin)
SHARED := -bundle -undefined dynamic_lookup
SYSTEM_LIBS := -pthread
else
SHARED := -shared
SYSTEM_LIBS := -pthread -ldl -lm
endif
ifeq ($(shell uname -s),Linux)
# noseparate-code: data that is only read lies beside the code, not on pages of its own (8 KiB of a file of 98).
SHARED += -Wl,-z,relro,-z,now,-z,noexecstack,-z,noseparate-code
# A store lacks nothing: what braze.so gives it, it gives as arguments.
WHOLE = $(if $(findstring -fsanitize,$(CFLAGS) $(LDFLAGS)),,-Wl,-z,defs)
# In a static host the program has functions of the same names.
OWN := -Wl,-Bsymbolic
# All is bound when it is loaded: a table for binding later would be dead weight.
BIND := -fno-plt
endif
LINK = $(CC) $(SHARED) $1 $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(CURL_LIBS) $(SYSTEM_LIBS)

SOURCES := $(filter-out src/stores/% src/fake/%,$(wildcard src/*.c src/*/*.c))
FAKE := $(wildcard src/fake/*.c)
MODULES := $(wildcard src/braze/*.lua)
COMMAND_MODULES := $(wildcard src/braze/command/*.lua)
HAVE_TEST_BUILD := $(and $(wildcard spec/support/clock.c),$(wildcard spec/support/core.c))

# Four builds of each version: the one that is installed; "test", for specs: spec/support/clock.c in place of
# src/base/clock.c (time and random numbers are the spec's) and the core's pure functions as one more Lua module; "strange", for
# a spec: more operations; "oldest", for specs: every gate on libcurl's version takes the code of the oldest one supported,
# deprecated names and all.
define build_for
objects_$1 := $(SOURCES:src/%.c=build/$1/%.o)

build/$1/braze.so: $$(objects_$1)
	$$(call LINK,$$(SMALLER))

# For users' specs: without the network, the clock and the environment.
build/$1/braze_fake.so: $$(filter-out $$(patsubst %,build/$1/%.o,client base/clock lua/environment),$$(objects_$1)) $(FAKE:src/%.c=build/$1/%.o)
	$$(call LINK,$$(SMALLER) $$(OWN))

build/$1/braze_ledger_%.so: build/$1/base/buffer.o build/$1/base/text.o build/$1/base/wipe.o
	$$(CC) $$(SHARED) $$(WHOLE) $$(APART) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(LIBS_OF_$$*) $$(SYSTEM_LIBS)

build/$1/braze_ledger_sqlite.so: $$(patsubst %,build/$1/stores/%.o,sqlite sqlite_open machine)
build/$1/braze_ledger_postgresql.so: $$(patsubst %,build/$1/stores/%.o,postgresql postgresql_wire)
build/$1/braze_ledger_redis.so: $$(patsubst %,build/$1/stores/%.o,redis redis_wire redis_tls)

build/$1/test/braze.so: $$(filter-out build/$1/base/clock.o,$$(objects_$1)) build/$1/test/clock.o build/$1/test/core.o build/$1/test/process.o
	$$(call LINK,$$(APART))

# The module with a dozen operations more, as odd as a row may be.
build/$1/strange/braze.so: $$(filter-out build/$1/service/operation.o,$$(objects_$1)) build/$1/test/strange_operations.o
	@mkdir -p $$(@D)
	$$(call LINK,$$(APART))

# Programs with Lua inside: those of specs load braze.so as any host does, the example has braze linked into it.
build/$1/host build/$1/threads: build/$1/%: build/$1/test/%.o
	$(CC) $(CFLAGS) $(LDFLAGS) -rdynamic -o $$@ $$< $$(call lua_libs,$1) $(SYSTEM_LIBS)

# The core alone, as a binding for another language would have it.
build/$1/door: build/$1/test/door.o $$(filter-out build/$1/lua/%,$$(objects_$1))
	$(CC) $$(APART) $(CFLAGS) $(LDFLAGS) -o $$@ $$^ $(CURL_LIBS) $(SYSTEM_LIBS)

build/$1/test/preload.so: build/$1/test/preload.o
	$(CC) $(SHARED) $(CFLAGS) $(LDFLAGS) -o $$@ $$< $(SYSTEM_LIBS)

build/$1/embed: build/$1/test/embed.o $$(objects_$1)
	$(CC) $$(APART) $(CFLAGS) $(LDFLAGS) -rdynamic -o $$@ $$^ $(CURL_LIBS) $$(call lua_libs,$1) $(SYSTEM_LIBS)

build/$1/test/embed.o: examples/embed.c | build/found
	@mkdir -p $$(@D)
	$$(call COMPILE,$$(call lua_flags,$1))

# Preloaded into children of specs: disks and name servers that hang.
build/$1/test/hang.so: spec/support/hang.c | build/found
	@mkdir -p $$(@D)
	$(CC) -std=c11 -fPIC -shared -Wall -Wextra $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $$@ $$< $(SYSTEM_LIBS)

build/$1/oldest/braze.so: $$(objects_$1:build/$1/%=build/$1/oldest/%)
	$$(call LINK,$$(APART))

# These look at every byte of an answer or of a request.
$1_bytewise := base/redact base/layers base/sieve base/text lua/value
$$($1_bytewise:%=build/$1/%.o): CFLAGS := $$(CFLAGS) $$(if $$(filter -Os,$$(CFLAGS)),-O1)

build/$1/stores/%.o: src/stores/%.c | build/found
	@mkdir -p $$(@D)
	$$(call COMPILE,$$(STORE_FLAGS))

build/$1/fake/%.o: src/fake/%.c | build/found
	@mkdir -p $$(@D)
	$$(call COMPILE,-DBRAZE_FAKE $$(call lua_flags,$1))

build/$1/%.o: src/%.c | build/found
	@mkdir -p $$(@D)
	$$(call COMPILE,$$(call lua_flags,$1))

build/$1/test/%.o: spec/support/%.c | build/found
	@mkdir -p $$(@D)
	$$(call COMPILE,$$(call lua_flags,$1))

build/$1/oldest/%.o: src/%.c | build/found
	@mkdir -p $$(@D)
	$$(call COMPILE,-DBRAZE_LIBCURL_OLDEST -DCURL_DISABLE_DEPRECATION $$(call lua_flags,$1))

-include $$(wildcard build/$1/*.d build/$1/*/*.d build/$1/oldest/*.d build/$1/oldest/*/*.d)
endef
$(foreach version,$(VERSIONS),$(eval $(call build_for,$(version))))

.PHONY: all variants
all: build/found $(VERSIONS:%=build/%/braze.so) $(VERSIONS:%=build/%/braze_fake.so) $(foreach store,$(STORES),$(VERSIONS:%=build/%/braze_ledger_$(store).so)) ## build for every Lua here (or for LUA_VERSION alone)
	$(if $(LEFT_OUT),@echo 'braze: without the headers of $(foreach store,$(LEFT_OUT),$(PACKAGE_OF_$(store))) these stores of the ledger are left out: $(LEFT_OUT)')

variants: all $(VERSIONS:%=build/%/oldest/braze.so) $(if $(HAVE_TEST_BUILD),$(foreach version,$(VERSIONS),$(addprefix build/$(version)/,test/braze.so strange/braze.so test/preload.so test/hang.so host threads door))) ## build what the specs need beside it

# Is there a compiler, libcurl's headers and a Lua's? If not: the name of the package. Asked until the answer is yes, for the same
# versions with the same flags.
FOUND_KEY := $(strip $(VERSIONS) $(foreach version,$(VERSIONS),$(call lua_flags,$(version))) $(CC) $(CURL_FLAGS))
ifneq ($(FOUND_KEY),$(shell cat build/found 2>/dev/null))
.PHONY: build/found
endif

build/found:
	@CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' FLAGS='$(CURL_FLAGS) $(CPPFLAGS) $(CFLAGS)' \
	  tools/missing '$(VERSIONS)' $(foreach version,$(VERSIONS),'$(call lua_flags,$(version))')
	@mkdir -p build && printf '%s\n' '$(FOUND_KEY)' >$@

build/bench/%: bench/%.c bench/request.h | build/found
	@mkdir -p $(@D)
	$(CC) -std=c11 -pthread $(CURL_FLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(CURL_LIBS)

BENCH_PROGRAMS := $(patsubst bench/%.c,build/bench/%,$(wildcard bench/*.c)) \
  $(foreach version,5.4 5.1,$(patsubst bench/preload/%.c,build/bench/$(version)/%.so,$(wildcard bench/preload/*.c)))

# Preloaded into a Lua 5.4 or 5.1, and then a module of it. Where the C library is not glibc it can't be built, and what it
# would measure is left out.
define build_preload
build/bench/$1/%.so: bench/preload/%.c | build/found
	@mkdir -p $$(@D)
	-$(CC) -std=c11 -fPIC -fvisibility=hidden -shared $(call lua_flags,$1) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $$@ $$< -ldl
endef
$(foreach version,5.4 5.1,$(eval $(call build_preload,$(version))))

# --- Install -----------------------------------------------------------------------------------------

LIBRARY_DIR = $(DESTDIR)$(PREFIX)/lib/lua/$(INSTALLED)
MODULE_DIR = $(DESTDIR)$(PREFIX)/share/lua/$(INSTALLED)/braze
INCLUDE_DIR = $(DESTDIR)$(PREFIX)/include
BIN_DIR = $(DESTDIR)$(PREFIX)/bin
SHARE_DIR = $(DESTDIR)$(PREFIX)/share
# What the command is called; another name, where another program has this one.
BIN ?= braze
# The interpreter of the command: a path, or a name that is looked up where it runs.
LUA ?= $(shell tools/interpreter $(INSTALLED))

BASH_COMPLETION = $(SHARE_DIR)/bash-completion/completions/braze
ZSH_COMPLETION = $(SHARE_DIR)/zsh/site-functions/_braze
FISH_COMPLETION = $(SHARE_DIR)/fish/vendor_completions.d/braze.fish
MAN_PAGE = $(SHARE_DIR)/man/man1/$(BIN).1
REFERENCE_PAGE = $(SHARE_DIR)/man/man3/braze.3

# The header, the command and what is for it serve every version: they go with the last one, and the command runs on the one that was
# installed last.
installed_beside = $(filter-out $(LIBRARY_DIR)/braze.so,$(wildcard $(DESTDIR)$(PREFIX)/lib/lua/*/braze.so))
once_for_all = '$(INCLUDE_DIR)/braze.h' '$(BIN_DIR)/$(BIN)' '$(BASH_COMPLETION)' '$(ZSH_COMPLETION)' '$(FISH_COMPLETION)' '$(MAN_PAGE)' '$(REFERENCE_PAGE)'

.PHONY: install uninstall clean
install: build/found build/$(INSTALLED)/braze.so build/$(INSTALLED)/braze_fake.so $(STORES:%=build/$(INSTALLED)/braze_ledger_%.so) ## LUA_VERSION=5.4 PREFIX=/usr/local DESTDIR=
	install -d '$(LIBRARY_DIR)' '$(MODULE_DIR)/command' '$(INCLUDE_DIR)'
	install -m 644 src/braze.h '$(INCLUDE_DIR)/braze.h'
	install -m 755 build/$(INSTALLED)/braze.so build/$(INSTALLED)/braze_fake.so $(STORES:%=build/$(INSTALLED)/braze_ledger_%.so) '$(LIBRARY_DIR)'
	$(if $(LEFT_OUT),@echo 'braze: without the headers of $(foreach store,$(LEFT_OUT),$(PACKAGE_OF_$(store))) these stores of the ledger are left out: $(LEFT_OUT)')
	$(if $(MODULES),install -m 644 $(MODULES) '$(MODULE_DIR)')
	install -m 644 $(COMMAND_MODULES) '$(MODULE_DIR)/command'
	$(MAKE) --no-print-directory install-command LUA_VERSION=$(INSTALLED)

# One file after the other, since each has a name of its own where it goes.
.PHONY: install-command
install-command:
	install -d '$(BIN_DIR)' $(foreach file,$(BASH_COMPLETION) $(ZSH_COMPLETION) $(FISH_COMPLETION) $(MAN_PAGE) $(REFERENCE_PAGE),'$(dir $(file))')
	sed '1s|.*|#!$(if $(findstring /,$(LUA)),$(LUA),/usr/bin/env $(LUA))|' bin/braze >'$(BIN_DIR)/$(BIN)'
	chmod 755 '$(BIN_DIR)/$(BIN)'
	install -m 644 share/completions/braze.bash '$(BASH_COMPLETION)'
	install -m 644 share/completions/_braze '$(ZSH_COMPLETION)'
	install -m 644 share/completions/braze.fish '$(FISH_COMPLETION)'
	install -m 644 share/man/braze.1 '$(MAN_PAGE)'
	install -m 644 share/man/braze.3 '$(REFERENCE_PAGE)'

uninstall: ## remove what install put there; same variables
	rm -f '$(LIBRARY_DIR)/braze.so' '$(LIBRARY_DIR)/braze_fake.so' $(ALL_STORES:%='$(LIBRARY_DIR)/braze_ledger_%.so') $(if $(installed_beside),,$(once_for_all)) \
	  $(patsubst src/braze/%,'$(MODULE_DIR)/%',$(MODULES) $(COMMAND_MODULES))
	for folder in '$(MODULE_DIR)/command' '$(MODULE_DIR)'; do if test -d "$$folder"; then rmdir "$$folder"; fi; done

clean: ## remove everything that was built
	rm -rf build

# --- Try, test ---------------------------------------------------------------------------------------

# The scripts run make themselves, after they installed what it looks for; the "+" lets -j reach it.
.PHONY: demo sandbox test lint rockspec valgrind proof proof-long bench dist deb help
demo: ## make a send ID: at the stand-in, or at Braze if BRAZE_API_KEY, BRAZE_REST_ENDPOINT, BRAZE_CAMPAIGN_ID are set
	+@tools/demo

sandbox: ## keep the stand-in running, print the lines to use it from another terminal
	+@tools/sandbox

test: ## install what is missing, build, run all specs on every Lua, lint; SPEC=retry: that spec alone
	+@SPEC='$(SPEC)' tools/test

lint: variants ## the laws of the code, warnings as errors, luacheck, symbols, rockspec, install, README and docs
	+@tools/lint

rockspec: ## the rockspec alone
	+@tools/lint rockspec

valgrind: ## the specs under valgrind
	+@tools/valgrind

proof: ## every bar of reliability but the long ones, and spec/PROOF.md
	+@tools/packages proof && $(MAKE) --no-print-directory variants && spec/proof/run short

proof-long: ## the same in full
	+@tools/packages proof && $(MAKE) --no-print-directory variants && spec/proof/run long

bench: ## measure beside peers, write bench/results and the README's line about it; RESTY=FOLDER of lua-resty-http, LIBCURL=FOLDER of another libcurl
	+@bench/libcurl >/dev/null && tools/packages bench && $(MAKE) all $(BENCH_PROGRAMS) && bench/run

dist: ## a tarball and a rockspec in build/dist, tried out; URL=https://... where the tarball will be
	+@URL='$(URL)' tools/release

deb: ## Debian packages of the module and the command in build/deb, tried out
	+@tools/deb

help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-10s %s\n", $$1, $$2 }'
	@echo 'Variables: CC CFLAGS CPPFLAGS LDFLAGS PKG_CONFIG, PREFIX DESTDIR BIN LUA, LUA_VERSION (5.5, 5.4, 5.3, 5.1), LUA_INCDIR, SPEC, URL'
