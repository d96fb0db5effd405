#!/bin/sh
# Every header compiles by itself, and twice in a row (its guard works).
set -eu
cd "$(dirname "$0")/.."

status=0
for header in $(find lexer proto gate bench engine tests -name '*.h' | sort); do
    printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
        "${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror -fsyntax-only -x c - || {
        printf '%s: does not compile by itself\n' "$header"
        status=1
    }
done
exit $status
