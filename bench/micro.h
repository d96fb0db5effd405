/* The lexer alone, beside memcpy of the same bytes: times of single runs over warm memory. */
#ifndef L0_BENCH_MICRO_H
#define L0_BENCH_MICRO_H

#include "bench/document.h"
#include "gate/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum micro_work { MICRO_MEMCPY, MICRO_COUNT, MICRO_SPANS };

/* One thing that is timed. */
struct micro_variant {
    enum micro_work work;
    const char *kernel;  /* NULL for memcpy */
    bool is_static;      /* without the context layer: other tokens, where it has found something */
    struct sample times; /* per run of the document, sorted when micro_run is done */
    uint32_t n_tokens; /* what the lexer found: the same for every kernel and mode, static or not */
    uint32_t n_spans;  /* MICRO_SPANS only */
};

#define MICRO_VARIANTS_MAX 17

struct micro {
    struct micro_variant variants[MICRO_VARIANTS_MAX];
    size_t n_variants;
    uint32_t batch; /* runs timed together, so that the clock's own cost does not matter */
};

struct micro_options {
    enum lexer_regime regime;
    uint32_t n_samples; /* of each variant; 0: as many as fit */
    double seconds;     /* time for the whole, warm-up included; used when n_samples is 0 */
};

/* Times every kernel of this processor in both modes, with and without the context layer, and
 * memcpy; the variants take turns, so that
 * a disturbance meets all of them. 0, -ENOMEM, or -EBADMSG when two variants disagree about the
 * document. micro_free is due either way. Leaves the lexer's kernel as it was. */
int micro_run(struct micro *micro, const struct micro_options *options,
              const struct document *document);
void micro_free(struct micro *micro);

const char *micro_work_name(enum micro_work work);

/* The same without the context layer; NULL for memcpy and for what is static itself. */
const struct micro_variant *micro_static_of(const struct micro *micro,
                                            const struct micro_variant *variant);

#endif
