#!/bin/sh
# Every external symbol of a module carries the module's prefix: the first word of the file's name,
# its layer's name, or the name of a type that the module's header defines. proto/client.c is the
# client library, whose prefix is l0_.
#   check_symbols.sh BUILD_DIR     (compiled objects, such as build/release)
set -eu
cd "$(dirname "$0")/.."
build_dir=${1:?usage: check_symbols.sh BUILD_DIR}

for source in $(find lexer proto gate bench engine -name '*.c' | sort); do
    object=$build_dir/${source%.c}.o
    [ -r "$object" ] || {
        printf '%s: %s is not built\n' "$source" "$object"
        continue
    }
    types=$(sed -nE 's/^(struct|enum|union) ([a-z0-9_]+) \{.*/\2/p' "${source%.c}.h" 2>/dev/null || true)
    # shellcheck disable=SC2016 # an awk program
    nm --defined-only --extern-only -P "$object" | awk -v source="$source" -v types="$types" '
        BEGIN {
            layer = source
            sub(/\/.*/, "", layer)
            module = source
            sub(/.*\//, "", module)
            sub(/\.c$/, "", module)
            word = module
            sub(/_.*/, "", word)
            if (source == "proto/client.c")
                word = "l0"
            n_types = split(types, type)
        }
        $1 == "main" || index($1, layer "_") == 1 || index($1, word) == 1 { next }
        {
            for (i = 1; i <= n_types; i++)
                if (index($1, type[i] "_") == 1)
                    next
        }
        # glibc reads these from the program.
        $1 ~ /^argp_(program|err)_/ { next }
        { printf "%s: %s has no prefix (%s_, %s_)\n", source, $1, word, layer }'
done >"$build_dir/symbols.log"
cat "$build_dir/symbols.log"
[ ! -s "$build_dir/symbols.log" ]
