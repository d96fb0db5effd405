/* The pool of requests, and lexing in slices. */
#include "engine/request.h"

#include "engine/limits.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct lexer_options lexer_options = {.regime = LEXER_LUALATEX};

static struct heap *heap;
static struct request_pool pool;

enum { CAP = 5 };

static void begin(void)
{
    cr_assert_eq(lexer_init(NULL), 0);
    heap = heap_new();
    cr_assert_not_null(heap);
    request_pool_init(&pool, heap, CAP, 3);
}

static void end(void)
{
    heap_destroy(heap);
}

TestSuite(request, .init = begin, .fini = end);

Test(request, cap_and_one_past)
{
    struct request *open[CAP];
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < CAP; i++) {
            open[i] = request_open(&pool, i);
            cr_assert_not_null(open[i]);
            cr_expect_eq(open[i]->bracket.t_in_start, i);
            for (unsigned j = 0; j < i; j++)
                cr_expect_neq(open[i], open[j]);
        }
        cr_expect_null(request_open(&pool, 0));
        cr_expect_eq(pool.in_hand, CAP);
        request_close(&pool, open[2]);
        open[2] = request_open(&pool, 9);
        cr_assert_not_null(open[2]);
        cr_expect_null(request_open(&pool, 0));
        for (unsigned i = 0; i < CAP; i++)
            request_close(&pool, open[i]);
        cr_expect_eq(pool.in_hand, 0);
        cr_expect_eq(pool.made, CAP, "what was made is used again");
    }
}

Test(request, a_used_one_is_like_a_new_one)
{
    struct request *r = request_open(&pool, 1);
    cr_assert_not_null(r);
    request_begin(r, 3, &lexer_options);
    cr_assert_eq(request_lex(r, (const uint8_t *)"abc", 3, 100), 0);
    cr_expect(request_lexed(r));
    r->bracket = (struct bracket){1, 2, 3, 4, 5, 6};
    request_close(&pool, r);
    struct request *again = request_open(&pool, 42);
    cr_assert_eq(again, r);
    const struct bracket fresh = {.t_in_start = 42};
    cr_expect_eq(memcmp(&again->bracket, &fresh, sizeof fresh), 0);
    cr_expect_eq(again->body_bytes | again->fed_bytes, 0);
    cr_expect_not(request_lexed(again));
    request_close(&pool, again);
}

static const char document[] = "\\section{Größe} a $x^2$ % c\n\n \\begin{x}\\foo^^41  }\n{\xff\xfe";

/* Slices of every size, and bytes that come in pieces of every size, give the one-shot counts. */
Test(request, slices_of_every_size)
{
    const uint8_t *bytes = (const uint8_t *)document;
    const uint32_t n = sizeof document - 1;
    struct lexer_counts want;
    cr_assert_eq(lexer_run(&lexer_options, bytes, n, NULL, &want), 0);
    for (uint32_t slice = 1; slice <= n + 1; slice++)
        for (uint32_t piece = 1; piece <= n; piece++) {
            struct request *r = request_open(&pool, 0);
            uint32_t have = 0;
            unsigned turns = 0;
            request_begin(r, n, &lexer_options);
            while (!request_lexed(r)) {
                if (r->fed_bytes == have)
                    have = have + piece < n ? have + piece : n;
                uint32_t before = r->fed_bytes;
                cr_assert_eq(request_lex(r, bytes, have, slice), 0);
                cr_assert_leq(r->fed_bytes - before, slice);
                cr_assert_leq(r->fed_bytes, have);
                cr_assert_lt(turns++, 2 * n);
            }
            cr_assert_eq(memcmp(&r->counts, &want, sizeof want), 0, "slice %u, piece %u", slice,
                         piece);
            request_close(&pool, r);
        }
}

Test(request, nothing_new_is_nothing_to_do)
{
    struct request *r = request_open(&pool, 0);
    request_begin(r, 2, &lexer_options);
    cr_assert_eq(request_lex(r, (const uint8_t *)"a", 0, 10), 0);
    cr_expect_eq(r->fed_bytes, 0);
    cr_assert_eq(request_lex(r, (const uint8_t *)"a", 1, 10), 0);
    cr_assert_eq(request_lex(r, (const uint8_t *)"a", 1, 10), 0);
    cr_expect_eq(r->fed_bytes, 1);
    cr_expect_not(request_lexed(r));
    request_close(&pool, r);
}

/* The block may move between slices: nothing points into the old place. */
Test(request, the_body_may_move)
{
    const uint32_t n = sizeof document - 1;
    struct lexer_counts want;
    cr_assert_eq(lexer_run(&lexer_options, (const uint8_t *)document, n, NULL, &want), 0);
    struct request *r = request_open(&pool, 0);
    request_begin(r, n, &lexer_options);
    for (uint32_t have = 1; have <= n; have++) {
        uint8_t *copy = malloc(have); /* exactly what is here, so that a sanitizer sees more */
        cr_assert_not_null(copy);
        memcpy(copy, document, have);
        cr_assert_eq(request_lex(r, copy, have, n), 0);
        memset(copy, 0, have);
        free(copy);
    }
    cr_assert(request_lexed(r));
    cr_expect_eq(memcmp(&r->counts, &want, sizeof want), 0);
    request_close(&pool, r);
}

/* A duplicate goes on where the lexer was before the frame was whole, or begins anew where that is
 * not worth it; either way with the same result, while the first one goes on as well. */
Test(request, a_duplicate_gives_the_same)
{
    enum { BYTES = 200000, SLICE = 7000 };
    static const char text[] = "a \\b{c} $d$ % e\n\n\\verb|f| ^^41 }{";
    static uint8_t body[BYTES];
    for (uint32_t i = 0; i < BYTES; i++)
        body[i] = (uint8_t)text[i % (sizeof text - 1)];
    static const uint32_t aheads[] = {
        0, 1, SLICE, LIMIT_MARK_BYTES - 1, LIMIT_MARK_BYTES, LIMIT_MARK_BYTES + 1, BYTES - 1};
    for (size_t i = 0; i < sizeof aheads / sizeof *aheads; i++) {
        struct request *first = request_open(&pool, 1), *own = request_open(&pool, 2);
        cr_assert(first != NULL && own != NULL);
        request_begin(first, BYTES, &lexer_options);
        cr_assert_eq(request_lex(first, body, aheads[i], BYTES), 0);
        request_mark(first);
        cr_assert_eq(request_lex(first, body, BYTES, SLICE), 0);
        request_duplicate(own, first, &lexer_options);
        cr_expect_eq(own->fed_bytes, aheads[i] >= LIMIT_MARK_BYTES ? aheads[i] : 0);
        while (!request_lexed(first))
            cr_assert_eq(request_lex(first, body, BYTES, SLICE), 0);
        while (!request_lexed(own))
            cr_assert_eq(request_lex(own, body, BYTES, SLICE + 1), 0);
        cr_expect_arr_eq(&own->counts, &first->counts, sizeof own->counts, "ahead %u", aheads[i]);
        cr_expect_gt(own->counts.n_issues, 0);
        request_close(&pool, own);
        request_close(&pool, first);
    }
}
