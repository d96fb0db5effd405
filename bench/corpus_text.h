/* What the generators of the corpus write with: a seeded random sequence, a growing text, and
 * templates whose slots are filled at random. */
#ifndef L0_BENCH_CORPUS_TEXT_H
#define L0_BENCH_CORPUS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Invariant: bytes[0, len) is the text; once failed is set, every later call is a no-op. */
struct corpus_text {
    char *bytes;
    size_t len, cap;
    uint64_t random; /* state of the sequence */
    uint32_t serial; /* counts labels and macro names: each is used once */
    bool failed;     /* memory ran out */
};

void corpus_text_init(struct corpus_text *t, uint64_t seed);
void corpus_text_free(struct corpus_text *t);

/* A number below n, n > 0. */
uint32_t corpus_below(struct corpus_text *t, uint32_t n);
/* True once in n times. */
bool corpus_once_in(struct corpus_text *t, uint32_t n);
/* One of the n strings of a list. */
const char *corpus_pick(struct corpus_text *t, const char *const *list, size_t n);
#define CORPUS_PICK(t, list) corpus_pick(t, list, sizeof(list) / sizeof(list)[0])

void corpus_put(struct corpus_text *t, const char *text);
void corpus_put_bytes(struct corpus_text *t, const char *bytes, size_t n);
void corpus_put_number(struct corpus_text *t, uint64_t number);
/* A code point as UTF-8. */
void corpus_put_char(struct corpus_text *t, uint32_t code);
/* The number in letters: a, b, …, z, aa, ab, …: for names of macros. */
void corpus_put_letters(struct corpus_text *t, uint32_t number);

/* Writes a template; in it a slot is @ and a letter:
 *   @n noun  @a adjective  @v verb  @d adverb  @N name (often with accents)  @x variable
 *   @g Greek letter  @o operator  @r relation  @i integer  @f decimal fraction  @s serial number
 *   @l serial in letters  @m a mathematical term  @M a short one  @@ an @ */
void corpus_expand(struct corpus_text *t, const char *format);

/* Breaks the text from offset on at blanks into lines of about the given width. */
void corpus_wrap(struct corpus_text *t, size_t from, size_t width_bytes);

#endif
