/* Documents made at random of what means something to the lexer, so that every state meets every
 * construct (P06). libc only. */
#ifndef L0_TESTS_KERNELS_WORDS_H
#define L0_TESTS_KERNELS_WORDS_H

#include <stdint.h>

struct word {
    uint8_t *bytes;
    uint32_t n_bytes;
};

struct words {
    struct word *of;
    uint32_t n;
};

/* Reads a dictionary as of libFuzzer: lines of "text", with \\, \" and \xHH; others that are not
 * empty or comments (#) are an error. 0, or a negative errno. To be freed even then. */
int words_read(struct words *words, const char *path);
void words_free(struct words *words);

/* Writes words in a random order, those built in and more, until the next one would not fit. The
 * number of bytes. *seed as of draw(). */
uint32_t words_text(uint8_t *text, uint32_t n_max, const struct words *more, uint64_t *seed);

/* The same, with slices of the sample, random bytes, runs and repetitions in between. */
uint32_t words_document(uint8_t *text, uint32_t n_max, const struct words *more,
                        const struct word *sample, uint64_t *seed);

#endif
