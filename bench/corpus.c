#include "bench/corpus.h"

#include "bench/corpus_kinds.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const struct corpus_source *const sources[CORPUS_KIND_COUNT] = {
    [CORPUS_PERF_SMOKE_BIG] = &corpus_perf_smoke_big,
    [CORPUS_EDIT_WINDOW_4KB] = &corpus_edit_window_4kb,
    [CORPUS_MACRO_DENSE] = &corpus_macro_dense,
    [CORPUS_CJK_DENSE] = &corpus_cjk_dense,
};

/* So many blocks are tried where only a small one still fits. */
#define FIT_TRIES 64

const char *corpus_name(enum corpus_kind kind)
{
    return sources[kind]->name;
}

size_t corpus_default_bytes(enum corpus_kind kind)
{
    return sources[kind]->default_bytes;
}

int corpus_find(const char *name)
{
    for (int kind = 0; kind < CORPUS_KIND_COUNT; kind++)
        if (strcmp(sources[kind]->name, name) == 0)
            return kind;
    return -ENOENT;
}

/* Comment lines of exactly n bytes together. */
static void pad(struct corpus_text *t, size_t n)
{
    size_t end = t->len + n;
    while (t->len < end && !t->failed) {
        size_t room = end - t->len, from = t->len;
        corpus_expand(t, "% the @a @n of @N @d @v the @n\n");
        if (t->len - from <= room)
            continue;
        /* Too long for the rest: the comment is cut, before a character that would be split. */
        size_t cut = from + room - 1;
        while (cut > from && ((unsigned char)t->bytes[cut] & 0xc0) == 0x80)
            t->bytes[cut--] = '.';
        if (cut > from && (unsigned char)t->bytes[cut] >= 0x80)
            t->bytes[cut] = '.';
        t->bytes[end - 1] = '\n';
        t->len = end;
    }
}

/* Writes blocks while they fit below end. */
static void fill(struct corpus_text *t, const struct corpus_source *source, size_t end)
{
    for (int misses = 0; misses < FIT_TRIES && !t->failed;) {
        size_t from = t->len;
        source->block(t);
        if (t->len > end) {
            t->len = from;
            misses++;
        }
    }
}

int corpus_make(enum corpus_kind kind, size_t bytes, char **text)
{
    assert(kind < CORPUS_KIND_COUNT);
    const struct corpus_source *source = sources[kind];
    size_t tail_bytes = strlen(source->tail);
    struct corpus_text t;
    corpus_text_init(&t, source->seed);
    source->head(&t);
    int rc = 0;
    if (t.len + tail_bytes > bytes || bytes > (size_t)1 << 30) {
        rc = -ERANGE;
    } else {
        size_t end = bytes - tail_bytes;
        fill(&t, source, end);
        pad(&t, end - t.len);
        corpus_put(&t, source->tail);
    }
    if (t.failed)
        rc = -ENOMEM;
    if (rc != 0) {
        corpus_text_free(&t);
        return rc;
    }
    assert(t.len == bytes);
    *text = t.bytes;
    return 0;
}
