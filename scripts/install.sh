#!/bin/bash
# make install: programs, lexer and client library with headers and pkg-config files, unit,
# configuration and man pages, below DESTDIR and PREFIX. An existing configuration stays.
set -eu
cd "$(dirname "$0")/.."

: "${DESTDIR=}" "${PREFIX:=/usr/local}" "${SYSCONFDIR:=/etc}" "${BIN:=bin}"
VERSION=$(sed -n 's/^#define L0_VERSION "\(.*\)"/\1/p' proto/version.h)
root=$DESTDIR$PREFIX
case $PREFIX in /*) ;; *) echo "install: PREFIX=$PREFIX is not an absolute path" >&2 && exit 64 ;; esac

for program in l0-lexd l0-lex l0-bench l0-gate; do
    install -D -m 0755 "$BIN/$program" "$root/bin/$program"
done

# Includes are written from the top ("lexer/lexer.h"), so they keep their folder below include/l0.
install_library() { # ARCHIVE INSTALLED_NAME DESCRIPTION HEADER…
    local archive=$1 name=$2 description=$3
    shift 3
    install -D -m 0644 "$archive" "$root/lib/lib$name.a"
    for header in "$@"; do
        install -D -m 0644 "$header" "$root/include/l0/$header"
    done
    mkdir -p "$root/lib/pkgconfig"
    cat >"$root/lib/pkgconfig/$name.pc" <<END
prefix=$PREFIX
includedir=\${prefix}/include/l0
libdir=\${prefix}/lib

Name: $name
Description: $description
Version: $VERSION
Cflags: -I\${includedir}
Libs: -L\${libdir} -l$name
END
}

# Every header of ours that header $1 needs, itself included.
needed_headers() {
    gcc -std=gnu11 -D_GNU_SOURCE -I. -MM "$1" | grep -oE '[a-z0-9_/]+\.h'
}
mapfile -t lexer_headers < <(needed_headers lexer/lexer.h)
mapfile -t client_headers < <(needed_headers proto/client.h)
install_library build/release/liblexer.a lexer 'LaTeX lexer' "${lexer_headers[@]}" lexer/issue.h lexer/character.h lexer/token.h
install_library build/release/libproto.a l0 'client of the L0 lexing service' "${client_headers[@]}"

unit_dir=$root/lib/systemd/system
mkdir -p "$unit_dir"
sed "s|/usr/bin/|$PREFIX/bin/|; s|/etc/l0-lex/|$SYSCONFDIR/l0-lex/|" conf/l0-lex.service >"$unit_dir/l0-lex.service"
chmod 0644 "$unit_dir/l0-lex.service"

configuration=$DESTDIR$SYSCONFDIR/l0-lex/l0-lex.conf
if [ -e "$configuration" ]; then
    install -D -m 0644 conf/l0-lex.conf "$configuration.new"
    echo "install: $configuration is there and stays; the new one is $configuration.new" >&2
else
    install -D -m 0644 conf/l0-lex.conf "$configuration"
fi
for example in conf/prometheus.yml conf/latency-gate.yml conf/latency.rules scripts/latency_gate.sh; do
    install -D -m 0644 "$example" "$root/share/doc/l0-lex/$(basename "$example")"
done

for page in */*.[1-8]; do
    [ -e "$page" ] || continue
    section=${page##*.}
    install -D -m 0644 "$page" "$root/share/man/man$section/$(basename "$page")"
done
