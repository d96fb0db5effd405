#include "bench/corpus_text.h"

#include "bench/corpus_words.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void corpus_text_init(struct corpus_text *t, uint64_t seed)
{
    *t = (struct corpus_text){.random = seed};
}

void corpus_text_free(struct corpus_text *t)
{
    free(t->bytes);
    t->bytes = NULL;
}

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static uint64_t next_random(struct corpus_text *t)
{
    t->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = t->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t corpus_below(struct corpus_text *t, uint32_t n)
{
    assert(n > 0);
    return (uint32_t)((next_random(t) >> 32) * n >> 32);
}

bool corpus_once_in(struct corpus_text *t, uint32_t n)
{
    return corpus_below(t, n) == 0;
}

const char *corpus_pick(struct corpus_text *t, const char *const *list, size_t n)
{
    return list[corpus_below(t, (uint32_t)n)];
}

void corpus_put_bytes(struct corpus_text *t, const char *bytes, size_t n)
{
    if (t->failed)
        return;
    if (t->cap - t->len < n) {
        size_t cap = 2 * t->cap + n + 256;
        char *grown = realloc(t->bytes, cap);
        if (grown == NULL) {
            t->failed = true;
            return;
        }
        t->bytes = grown;
        t->cap = cap;
    }
    memcpy(t->bytes + t->len, bytes, n);
    t->len += n;
}

void corpus_put(struct corpus_text *t, const char *text)
{
    corpus_put_bytes(t, text, strlen(text));
}

void corpus_put_number(struct corpus_text *t, uint64_t number)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    corpus_put_bytes(t, digits, (size_t)n);
}

void corpus_put_char(struct corpus_text *t, uint32_t code)
{
    assert(code >= 0x80 && code < 0x110000);
    char utf8[4];
    size_t n = 0;
    if (code < 0x800) {
        utf8[n++] = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            utf8[n++] = (char)(0xe0 | code >> 12);
        } else {
            utf8[n++] = (char)(0xf0 | code >> 18);
            utf8[n++] = (char)(0x80 | (code >> 12 & 0x3f));
        }
        utf8[n++] = (char)(0x80 | (code >> 6 & 0x3f));
    }
    utf8[n++] = (char)(0x80 | (code & 0x3f));
    corpus_put_bytes(t, utf8, n);
}

void corpus_put_letters(struct corpus_text *t, uint32_t number)
{
    char letters[8];
    size_t at = sizeof letters;
    for (uint64_t rest = (uint64_t)number + 1; rest > 0; rest = (rest - 1) / 26)
        letters[--at] = (char)('a' + (rest - 1) % 26);
    corpus_put_bytes(t, letters + at, sizeof letters - at);
}

static void put_fraction(struct corpus_text *t)
{
    corpus_put_number(t, corpus_below(t, 100));
    corpus_put(t, ".");
    corpus_put_number(t, 100 + corpus_below(t, 900));
}

/* Writes a slot; or returns the template that is to be written in its place. */
static const char *fill_slot(struct corpus_text *t, char slot)
{
    switch (slot) {
    case 'n':
        corpus_put(t, CORPUS_PICK(t, corpus_nouns));
        break;
    case 'a':
        corpus_put(t, CORPUS_PICK(t, corpus_adjectives));
        break;
    case 'v':
        corpus_put(t, CORPUS_PICK(t, corpus_verbs));
        break;
    case 'd':
        corpus_put(t, CORPUS_PICK(t, corpus_adverbs));
        break;
    case 'N':
        corpus_put(t, CORPUS_PICK(t, corpus_names));
        break;
    case 'x':
        corpus_put_bytes(t, &"abcfghknpqrstuvwxyzABCDEFGHKLMNPQRSTUVWXYZ"[corpus_below(t, 42)], 1);
        break;
    case 'g':
        corpus_put(t, CORPUS_PICK(t, corpus_greek));
        break;
    case 'o':
        corpus_put(t, CORPUS_PICK(t, corpus_operators));
        break;
    case 'r':
        corpus_put(t, CORPUS_PICK(t, corpus_relations));
        break;
    case 'm':
        return CORPUS_PICK(t, corpus_terms);
    case 'M':
        return CORPUS_PICK(t, corpus_short_terms);
    case 'i':
        corpus_put_number(t, corpus_below(t, 1000));
        break;
    case 'f':
        put_fraction(t);
        break;
    case 's':
        corpus_put_number(t, t->serial++);
        break;
    case 'l':
        corpus_put_letters(t, t->serial++);
        break;
    default:
        assert(slot == '@');
        corpus_put(t, "@");
    }
    return NULL;
}

void corpus_expand(struct corpus_text *t, const char *format)
{
    /* A template with terms, a term, a short term. */
    const char *nested[3] = {format};
    size_t depth = 1;
    while (depth > 0) {
        const char *text = nested[depth - 1], *slot = strchr(text, '@');
        if (slot == NULL) {
            corpus_put(t, text);
            depth--;
            continue;
        }
        corpus_put_bytes(t, text, (size_t)(slot - text));
        nested[depth - 1] = slot + 2;
        const char *inner = fill_slot(t, slot[1]);
        if (inner != NULL) {
            assert(depth < sizeof nested / sizeof nested[0]);
            nested[depth++] = inner;
        }
    }
}

void corpus_wrap(struct corpus_text *t, size_t from, size_t width_bytes)
{
    if (t->failed)
        return;
    size_t line = from, blank = from;
    for (size_t i = from; i < t->len; i++) {
        if (t->bytes[i] == '\n') {
            line = blank = i + 1;
        } else if (t->bytes[i] == ' ') {
            if (i - line > width_bytes && blank > line) {
                t->bytes[blank] = '\n';
                line = blank + 1;
            }
            blank = i;
        }
    }
}
