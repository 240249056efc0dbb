# Berth: build, test, install.  GNU make; `make help` lists the targets.
#
# Three variants of the same sources: build/ (what is installed), build/san/
# (with sanitizers, what the tests run) and build/fuzz/ (clang, libFuzzer).
# Below each, next/ holds a later build for the tests of upgrades: the same
# sources with the migrations and statements of t/next/ beside those of sql/.

VERSION = 1.0.0-rc.1

PREFIX     ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
BINDIR     ?= $(PREFIX)/bin
SBINDIR    ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec
DATADIR    ?= $(PREFIX)/share
MANDIR     ?= $(PREFIX)/share/man
INSTALL    ?= install

CC         ?= cc
CLANG      ?= clang
PKG_CONFIG ?= pkg-config
CFLAGS     ?= -O2 -g
SAN        ?= address,undefined
SECONDS    ?= 60
HOURS      ?= 1
PROVEFLAGS ?= -j4

PROGRAMS = berth-fcgi berth-worker berth-inspect berth
NEXT     = berth-fcgi berth-worker berth
FOLDERS  = base config crate crate/archive crate/inspect crate/manifest crate/toml access net \
	store store/backup store/blob store/db store/migrate store/package store/token store/web cache tasks http pool \
	call auth api api/cargo api/gitlab api/web transfer check admin admin/provision admin/upkeep
PACKAGES = libpq json-c libarchive zlib libdeflate libcrypto libseccomp libcurl expat libcmark-gfm

# ---- flags: each set has one purpose ---------------------------------------
WARN = -std=c17 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Walloca \
	-Wformat=2 -Wundef -Wconversion -Wsign-conversion -Wimplicit-fallthrough \
	-Wnull-dereference -Wswitch-enum -Wdouble-promotion -fno-common
# a statement may be longer than the 4095 bytes that each compiler of C must take
WARN += -Wno-overlength-strings
WARN_GCC = -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
WARN_CC = $(WARN) $(if $(IS_CLANG),,$(WARN_GCC))

HARDEN    = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
HARDEN_LD = -pie -Wl,-z,relro,-z,now
SANITIZE  = -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -DARENA_DEBUG -DBERTH_SANITIZED
# a program starts faster with the runtimes in it, and its compiler has less to do without names of variables
SANITIZE_CC = $(SANITIZE) -g1
SANITIZE_LD = $(if $(IS_CLANG),,-static-libasan -static-libubsan)
FUZZ      = -fsanitize=fuzzer-no-link,$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -DARENA_DEBUG -DBERTH_SANITIZED

CPPFLAGS += -D_GNU_SOURCE -Ifcgi -Ibuild/gen -include fcgi/base/banned.h \
	-DSYSCONFDIR='"$(SYSCONFDIR)"' -DLIBEXECDIR='"$(LIBEXECDIR)"' -DBERTH_VERSION='"$(VERSION)"'
# Of cmark the archive, where there is one: each release of the shared library has a name of its own, so a package
# that names it would be for one release of Debian.  The shared ones behind it are then not needed.
CMARK := $(foreach l,libcmark-gfm-extensions libcmark-gfm,$(if \
	$(filter /%,$(shell $(CC) -print-file-name=$l.a)),-l:$l.a,-l$(l:lib%=%)))
LIBS = $(CMARK) $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lfcgi
# What needs no library must say nothing of those that are missing.
ifneq ($(filter-out help run uninstall dist clean,$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell $(PKG_CONFIG) --exists $(PACKAGES) && echo yes),yes)
$(error libraries are missing; on Debian, as root: apt-get install $(shell scripts/packages --missing build))
endif
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) | sed 's/-I/-isystem /g')
endif
LDFLAGS += -Wl,--as-needed

# ---- sources ---------------------------------------------------------------
LIB_SRCS  := $(sort $(wildcard $(FOLDERS:%=fcgi/%/*.c)))
UNITS     := $(sort $(patsubst t/unit/%.c,%,$(wildcard t/unit/*.c)))
FUZZERS   := $(sort $(patsubst t/fuzz/%.c,%,$(wildcard t/fuzz/fuzz_*.c)))
# what the lists of migrations and statements are compiled into
LISTS     := $(shell grep -l 'STMT__MAX\|migrations\.inc' $(LIB_SRCS) /dev/null)
# what has the places of the installation in it, or the version
PLACED    := $(shell grep -lr 'SYSCONFDIR\|LIBEXECDIR\|SETTINGS_DEFAULT_PATH\|BERTH_VERSION' --include='*.c' fcgi)
QUERIES   := $(sort $(wildcard sql/queries/*.sql))
MIGRATIONS := $(sort $(wildcard sql/migrations/*.sql))
TEMPLATES := $(sort $(wildcard fcgi/api/web/html/*.html fcgi/api/web/html/*.xml))
ASSETS    := $(sort $(wildcard fcgi/api/web/html/*.css fcgi/api/web/html/*.svg))
CI_FILES  := $(sort $(wildcard conf/ci/*))
MANUALS   := $(sort $(wildcard fcgi/man/*.[1-8]))
BENCH     := $(sort $(patsubst t/bench/%.c,build/bench/%,$(wildcard t/bench/*.c)))
GENERATED  = build/gen/store/stmt.h build/gen/store/stmt.inc build/gen/store/migrations.inc build/gen/store/grants.inc \
	build/gen/store/migrate_sql.h build/gen/transfer/kellnr_sql.h \
	build/gen/api/openapi.inc build/gen/api/web/templates.h build/gen/api/web/templates.inc build/gen/api/web/assets.h \
	build/gen/api/web/assets.inc build/gen/api/web/ci/assets.inc

.PHONY: all bench check check-fleet check-pages check-s3 check-tools lint fuzz run install soak uninstall dist clean \
	help always
all: $(PROGRAMS:%=build/%)

help:
	@echo 'make            the programs, in build/'
	@echo 'make run        the whole registry in the foreground on 127.0.0.1 (see scripts/dev)'
	@echo 'make check      every test, with sanitizers'
	@echo 'make check-pages  the pages for browsers by axe-core, light and dark; needs npm and chromium'
	@echo 'make check-tools  tools of cargo at the versions of berth-tools(7) against a real Berth; TOOLS="cargo-edit renovate"'
	@echo 'make check-s3   the store in real object stores, which are installed first; STORES="versitygw seaweedfs moto"'
	@echo 'make bench      how fast it is beside nginx alone; PARTS="index download", BENCHFLAGS="-r 5 -b DIR"'
	@echo 'make soak       a registry of two nodes under load and trouble for HOURS=1: what grows, what is answered wrong'
	@echo 'make lint       static analysis, manual pages, shell scripts; -k -j2 lists all that is wrong'
	@echo 'make fuzz       each fuzz target for SECONDS=60 seconds'
	@echo 'make install    DESTDIR= PREFIX=/usr/local'
	@echo 'make deb        Debian packages, in build/'
	@echo 'make check-fleet  the database fails over under Patroni and etcd, three hosts and two nodes, as root'
	@echo 'make check-install  the packages on Debian 12 and 13 with systemd, as root; SUITES="bookworm"'
	@echo 'make dist       build/berth-$(VERSION).tar.gz, of what is committed'
	@echo 'make clean'

# ---- lists: what is made of several files is made again when one goes or has another name, and what knows where it is
# installed when that is another place
build/gen/queries.list: LIST = $(QUERIES)
build/gen/migrations.list: LIST = $(MIGRATIONS)
build/gen/sources.list: LIST = $(LIB_SRCS)
build/gen/html.list: LIST = $(TEMPLATES) $(ASSETS) $(CI_FILES)
build/gen/places.list: LIST = $(SYSCONFDIR) $(LIBEXECDIR) $(VERSION)
build/gen/%.list: always
	@mkdir -p $(@D)
	@echo '$(LIST)' | cmp -s - $@ || echo '$(LIST)' >$@

# ---- generated: SQL and the description of the routes become tables of C ------------------------------------
build/gen/store/stmt.h build/gen/store/stmt.inc &: $(QUERIES) build/gen/queries.list scripts/sql2c
	@mkdir -p $(@D)
	scripts/sql2c queries build/gen/store $(QUERIES)
build/gen/store/migrations.inc: $(MIGRATIONS) build/gen/migrations.list scripts/sql2c
	@mkdir -p $(@D)
	scripts/sql2c migrations build/gen/store $(MIGRATIONS)
build/gen/store/migrate_sql.h: sql/migrate.sql scripts/sql2c
	@mkdir -p $(@D)
	scripts/sql2c macros build/gen/store $<
build/gen/transfer/kellnr_sql.h: sql/kellnr.sql scripts/sql2c
	@mkdir -p $(@D)
	scripts/sql2c macros build/gen/transfer $<
build/gen/store/grants.inc: sql/grants.sql scripts/sql2c
	@mkdir -p $(@D)
	scripts/sql2c grants build/gen/store $<

NEXT_QUERIES := $(QUERIES) $(sort $(wildcard t/next/queries/*.sql))
NEXT_MIGRATIONS := $(MIGRATIONS) $(sort $(wildcard t/next/migrations/*.sql))
NEXT_GENERATED = build/next/gen/store/stmt.h build/next/gen/store/migrations.inc
build/next/gen/store/stmt.h: $(NEXT_QUERIES) build/gen/queries.list scripts/sql2c
	@mkdir -p $(@D)
	scripts/sql2c queries build/next/gen/store $(NEXT_QUERIES)
build/next/gen/store/migrations.inc: $(NEXT_MIGRATIONS) build/gen/migrations.list scripts/sql2c
	@mkdir -p $(@D)
	scripts/sql2c migrations build/next/gen/store $(NEXT_MIGRATIONS)

build/gen/api/openapi.inc: conf/openapi.json
	@mkdir -p $(@D)
	od -An -v -tu1 $< | sed 's/ *\([0-9][0-9]*\)/\1,/g' >$@

# ---- generated: what the pages of api/web consist of ----
build/gen/api/web/templates.h build/gen/api/web/templates.inc &: $(TEMPLATES) build/gen/html.list scripts/html2c
	@mkdir -p $(@D)
	scripts/html2c templates build/gen/api/web $(TEMPLATES)
build/gen/api/web/assets.h build/gen/api/web/assets.inc &: $(ASSETS) build/gen/html.list scripts/html2c
	@mkdir -p $(@D)
	scripts/html2c assets build/gen/api/web $(ASSETS)
build/gen/api/web/ci/assets.inc: $(CI_FILES) build/gen/html.list scripts/html2c
	@mkdir -p $(@D)
	scripts/html2c assets build/gen/api/web/ci $(CI_FILES)

# ---- one variant: $(1) its folder, $(2) compiler, $(3) flags, $(4) link flags ----
define VARIANT
$(1)/obj/%.o: fcgi/%.c | $(GENERATED)
	@mkdir -p $$(@D)
	$(2) $$(CPPFLAGS) $$(PKG_CFLAGS) $$(CFLAGS) $(3) -MMD -MP -c -o $$@ $$<
$(1)/obj/t/%.o: t/%.c | $(GENERATED)
	@mkdir -p $$(@D)
	$(2) $$(CPPFLAGS) -It $$(PKG_CFLAGS) $$(CFLAGS) $(3) -MMD -MP -c -o $$@ $$<
$(PLACED:fcgi/%.c=$(1)/obj/%.o): build/gen/places.list
$(1)/libberth.a: $(LIB_SRCS:fcgi/%.c=$(1)/obj/%.o) build/gen/sources.list
	@rm -f $$@
	$$(AR) rcs $$@ $$(filter %.o,$$^)
$(1)/berth-%: $(1)/obj/berth_%.o $(1)/libberth.a
	$(2) $$(CFLAGS) $(3) $(4) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
$(1)/berth: $(1)/obj/berth.o $(1)/libberth.a
	$(2) $$(CFLAGS) $(3) $(4) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
$(1)/t/%.t: $(1)/obj/t/unit/%.o $(1)/libberth.a
	@mkdir -p $$(@D)
	$(2) $$(CFLAGS) $(3) $(4) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
$(1)/t/fuzz_%.t: $(1)/obj/t/fuzz/fuzz_%.o $(1)/obj/t/fuzz/replay.o $(1)/libberth.a
	@mkdir -p $$(@D)
	$(2) $$(CFLAGS) $(3) $(4) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
$(1)/fuzz_%: $(1)/obj/t/fuzz/fuzz_%.o $(1)/libberth.a
	$(2) $$(CFLAGS) $(3) $(4) -fsanitize=fuzzer $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
$(1)/bench/%: $(1)/obj/t/bench/%.o
	@mkdir -p $$(@D)
	$(2) $$(CFLAGS) $(3) $(4) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
$(1)/next/obj/%.o: fcgi/%.c $(NEXT_GENERATED) | $(GENERATED)
	@mkdir -p $$(@D)
	$(2) -Ibuild/next/gen $$(CPPFLAGS) $$(PKG_CFLAGS) $$(CFLAGS) $(3) -MMD -MP -c -o $$@ $$<
$(1)/next/berth: $(1)/obj/berth.o $(LISTS:fcgi/%.c=$(1)/next/obj/%.o) $(1)/libberth.a
	$(2) $$(CFLAGS) $(3) $(4) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
$(1)/next/berth-%: $(1)/obj/berth_%.o $(LISTS:fcgi/%.c=$(1)/next/obj/%.o) $(1)/libberth.a
	$(2) $$(CFLAGS) $(3) $(4) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
-include $$(wildcard $(1)/obj/*.d $(1)/obj/*/*.d $(1)/obj/*/*/*.d $(1)/next/obj/*/*.d $(1)/next/obj/*/*/*.d)
endef
$(eval $(call VARIANT,build,$$(CC),$$(WARN_CC) $$(HARDEN) $$(WERROR),$$(HARDEN_LD)))
$(eval $(call VARIANT,build/san,$$(CC),$$(WARN_CC) $$(SANITIZE_CC) $$(WERROR),$$(SANITIZE_LD)))
$(eval $(call VARIANT,build/fuzz,$$(CLANG),$$(WARN) $$(FUZZ),))
.SECONDARY:

# ---- tests -----------------------------------------------------------------
# Those of 22 seconds and more, the longest first: one that starts last has a core for itself while the others stand
# idle.  The short ones last: they fill the cores while the last long one runs.
LONG = 214 755 461 890 710 884 870 860 711 712 980 650 851 460 360 410 210 740 213 150 700 810 660 800 830 970
FIRST := $(foreach number,$(LONG),$(wildcard t/$(number)-*.t))
TESTS ?= $(FIRST) build/san/t/pool.t $(filter-out $(FIRST),$(sort $(wildcard t/*.t))) \
	$(filter-out build/san/t/pool.t,$(UNITS:%=build/san/t/%.t)) $(FUZZERS:%=build/san/t/%.t)
check: WERROR = -Werror
# the plain programs too: what is measured of them would be the sanitizers'
check: $(PROGRAMS:%=build/%) build/confined.so $(BENCH) $(PROGRAMS:%=build/san/%) $(NEXT:%=build/san/next/%) $(UNITS:%=build/san/t/%.t) $(FUZZERS:%=build/san/t/%.t)
	BERTH_BUILD=build/san t/run prove $(PROVEFLAGS) -It/lib $(TESTS)

# an OpenSSL provider for tests: it offers only the algorithms that FIPS allows
build/confined.so: t/confined_provider.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN_CC) $(WERROR) -fPIC -shared -o $@ $< -lcrypto

# Checks all kinds of pages with axe-core in a browser, and leaves pictures of them in build/screens/.
AXE := build/tools/axe-core-4.10.3
$(AXE)/node_modules/axe-core/axe.min.js:
	mkdir -p $(AXE)
	echo '{"private": true}' >$(AXE)/package.json
	npm_config_cache=$(CURDIR)/build/tools/npm npm install --prefix $(AXE) --ignore-scripts --no-audit --no-fund \
	    axe-core@$(AXE:build/tools/axe-core-%=%)
check-pages: all $(AXE)/node_modules/axe-core/axe.min.js
	BERTH_BUILD=build AXE=$(CURDIR)/$(AXE)/node_modules/axe-core/axe.min.js t/run prove -v -It/lib t/pages/axe.t

# The tools of cargo's world, at the versions that berth-tools(7) names; they are installed into build/tools first.
check-tools: all
	scripts/tools $(TOOLS)
	BERTH_BUILD=build t/run prove -v -It/lib t/tools/*.t

# Tests with real object stores, which it first installs into build/object-stores; make check has a small one
# (t/lib/Berth/S3.pm).
STORES ?= versitygw seaweedfs moto
check-s3: $(PROGRAMS:%=build/san/%)
	scripts/object-stores $(STORES)
	for store in $(STORES); do \
	    BERTH_S3=$$store BERTH_S3_DIR=$(CURDIR)/build/object-stores t/run prove -It/lib t/755-object-store.t || exit; done

# the plain programs, side by side with nginx alone; t/bench/goals reads what it writes
bench: all $(BENCH)
	BERTH_BUILD=build t/bench/bench $(BENCHFLAGS) $(PARTS)

# a copy of the plain programs, so that a build at the same time does not disturb it
soak: all
	t/bench/soak -h $(HOURS) $(SOAKFLAGS)

fuzz: $(FUZZERS:%=build/fuzz/%)
	@for f in $(FUZZERS); do mkdir -p build/fuzz/corpus/$$f && \
	    echo "== $$f" && build/fuzz/$$f -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=1024 \
	    -print_final_stats=1 build/fuzz/corpus/$$f t/fuzz/corpus/$$f || exit 1; done

# ---- static analysis -------------------------------------------------------
# A file that was found clean is read again when it or a header of it has changed.
MAIN_SRCS := $(sort $(wildcard fcgi/*.c))
CLEAN     := $(patsubst fcgi/%.c,build/lint/%.clean,$(LIB_SRCS) $(MAIN_SRCS))
SHELLS    := $(shell awk '/^.!.bin.(ba)?sh$$/ { print FILENAME } { nextfile }' \
	$(wildcard scripts/* conf/ci/* conf/debian/*.p* t/install/* findings/*))
CPPCHECK   = cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
	--suppress=missingIncludeSystem -D_GNU_SOURCE -Ifcgi -Ibuild/gen
.PHONY: lint-manuals lint-shell
lint: lint-manuals lint-shell $(CLEAN)
lint-manuals:
	mandoc -Tlint -Werror $(MANUALS)
# SC2015: `A && B || die` is meant as it stands: die where either fails.
lint-shell:
	shellcheck -e SC2015 $(SHELLS)
# cppcheck takes hours over the bytes of openapi.json, and the file has little else.
build/lint/%.clean: fcgi/%.c .clang-tidy | $(GENERATED)
	@mkdir -p $(@D)
	@echo "lint $<"
	@$(CLANG) $(CPPFLAGS) $(PKG_CFLAGS) $(WARN) $(HARDEN) -O2 -Werror -fsyntax-only $<
	@$(if $(filter %/openapi.c,$<),,$(CPPCHECK) $<)
	@gcc $(CPPFLAGS) $(PKG_CFLAGS) -std=c17 -O2 -Wall -Wextra -fanalyzer -Werror -MMD -MP -MF $(@:.clean=.d) -MT $@ \
	    -c -o /dev/null $<
	@clang-tidy --quiet --warnings-as-errors='*' $< -- $(CPPFLAGS) $(PKG_CFLAGS) -std=c17 2>$(@:.clean=.log) || \
	    { cat $(@:.clean=.log) >&2; exit 1; }
	@touch $@
-include $(wildcard build/lint/*.d build/lint/*/*.d build/lint/*/*/*.d)

run:
	scripts/dev run

# ---- install ---------------------------------------------------------------
# Manual pages, samples and units name paths below /usr/local: they are installed with their own.
RELOCATE = sed -e 's|/usr/local/sbin|$(SBINDIR)|g' -e 's|/usr/local/bin|$(BINDIR)|g' \
	-e 's|/usr/local/libexec|$(LIBEXECDIR)|g' -e 's|/usr/local/share|$(DATADIR)|g' \
	-e 's|/usr/local/etc|$(SYSCONFDIR)|g'

install: all
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) \
	    $(DESTDIR)$(SYSCONFDIR)/berth/conf.d $(DESTDIR)$(DATADIR)/berth
	$(INSTALL) -m 755 build/berth-fcgi build/berth-worker $(DESTDIR)$(SBINDIR)/
	$(INSTALL) -m 755 build/berth $(DESTDIR)$(BINDIR)/berth
	$(INSTALL) -m 755 build/berth-inspect $(DESTDIR)$(LIBEXECDIR)/berth-inspect
	tar -C conf --exclude=./debian --exclude=./container -cf - . | tar -C $(DESTDIR)$(DATADIR)/berth -xf -
	for f in $$(grep -rl /usr/local conf --exclude-dir=debian); do \
	    $(RELOCATE) $$f >$(DESTDIR)$(DATADIR)/berth/$${f#conf/} || exit 1; done
	test -e $(DESTDIR)$(SYSCONFDIR)/berth/berth.conf || \
	    $(INSTALL) -m 640 $(DESTDIR)$(DATADIR)/berth/berth.conf $(DESTDIR)$(SYSCONFDIR)/berth/berth.conf
	for m in $(MANUALS); do s=$${m##*.}; f=$(DESTDIR)$(MANDIR)/man$$s/$${m##*/}; \
	    $(INSTALL) -d $${f%/*} && $(RELOCATE) $$m >$$f && chmod 644 $$f || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/berth-fcgi $(DESTDIR)$(SBINDIR)/berth-worker \
	    $(DESTDIR)$(BINDIR)/berth $(DESTDIR)$(LIBEXECDIR)/berth-inspect
	rm -rf $(DESTDIR)$(DATADIR)/berth
	for m in $(notdir $(MANUALS)); do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$$m; done

# Debian packages, of the tree as it is; `make check` first.  See conf/debian/ and berth-install(7).
DEB = build/deb/berth-$(VERSION)
deb:
	rm -rf build/deb build/*.deb
	mkdir -p $(DEB)
	tar --exclude=./build --exclude=./run --exclude=./.git -cf - . | tar -C $(DEB) -xf -
	cp -R conf/debian $(DEB)/debian
	cd $(DEB) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage -b -us -uc
	mv build/deb/*.deb build/
	rm -rf build/deb

# Three database hosts with Patroni and etcd in network namespaces, and two nodes, as root; takes some minutes.
check-fleet: all
	BERTH_BUILD=build t/run prove -v -It/lib t/fleet/fleet.t

# Installs the packages on machines of their own, as root: SUITES="bookworm trixie".
check-install:
	scripts/check-install $(SUITES)

DIST = build/berth-$(VERSION).tar.gz
dist:
	@mkdir -p build
	git archive --format=tar.gz --prefix=berth-$(VERSION)/ -o $(DIST) HEAD

clean:
	rm -rf build
