#include "gate/interval.h"

#include "gate/sample.h"

#include <assert.h>

#define NEGLIGIBLE 1e-30L
#define TAIL_LIMIT (0.025L * (1.0L - 1e-9L))

static_assert(INTERVAL_CONFIDENCE_PERCENT == 95, "TAIL_LIMIT is half of what is left of 100 %");

/* The terms P(k) of the binomial for k in [first, last], relative to its largest. */
struct terms {
    uint64_t n;
    long double odds; /* q / (1 - q) */
    uint64_t first;
    uint64_t last;
    long double first_term;
    long double last_term;
    long double total;
};

/* P(k + 1) / P(k) */
static long double step_up(const struct terms *terms, uint64_t k)
{
    return (long double)(terms->n - k) / (long double)(k + 1) * terms->odds;
}

static struct terms sum_terms(uint64_t n, uint32_t q_ppm)
{
    struct terms terms = {.n = n, .odds = (long double)q_ppm / (long double)(GATE_PPM - q_ppm)};
    uint64_t mode = sample_rank(n, q_ppm); /* within one of the true mode: near enough to start */
    long double down = 0;
    long double up = 0;
    terms.first = terms.last = mode;
    terms.first_term = terms.last_term = 1;
    while (terms.first > 0 && terms.first_term > NEGLIGIBLE) {
        terms.first--;
        terms.first_term /= step_up(&terms, terms.first);
        down += terms.first_term;
    }
    while (terms.last < n && terms.last_term > NEGLIGIBLE) {
        terms.last_term *= step_up(&terms, terms.last);
        terms.last++;
        up += terms.last_term;
    }
    terms.total = down + 1 + up;
    return terms;
}

/* The largest l with P(B <= l - 1) <= limit, 0 if there is none. */
static uint64_t low_rank(const struct terms *terms)
{
    long double limit = TAIL_LIMIT * terms->total;
    long double term = terms->first_term;
    long double tail = term;
    uint64_t k = terms->first;
    /* Invariant: tail = P(B <= k). */
    while (tail <= limit) {
        assert(k < terms->last);
        term *= step_up(terms, k);
        k++;
        tail += term;
    }
    return k; /* P(B <= k - 1) is within the limit, P(B <= k) is not */
}

/* The smallest u with P(B >= u) <= limit, 0 if there is none in 1..n. */
static uint64_t high_rank(const struct terms *terms)
{
    long double limit = TAIL_LIMIT * terms->total;
    long double term = terms->last_term;
    long double tail = term;
    uint64_t k = terms->last;
    /* Invariant: tail = P(B >= k). */
    while (tail <= limit) {
        assert(k > terms->first);
        k--;
        term /= step_up(terms, k);
        tail += term;
    }
    return k == terms->n ? 0 : k + 1;
}

struct interval_ranks interval_of_quantile(uint64_t n, uint32_t q_ppm)
{
    assert(n >= 1 && q_ppm > 0 && q_ppm < GATE_PPM);
    struct terms terms = sum_terms(n, q_ppm);
    return (struct interval_ranks){low_rank(&terms), high_rank(&terms)};
}
