#include "gate/proportion.h"

#include <assert.h>
#include <math.h>

#define NEGLIGIBLE     1e-22L
#define TAIL           0.025L
#define NORMAL_975     1.959963984540054
#define BISECTIONS_MAX 80

/* P(X >= k) for X ~ Binomial(n, p), 0 < p < 1, with k not so far from n p that a term leaves the
 * range of a long double. Terms relative to that of k. */
static long double at_least(uint64_t n, uint64_t k, long double p)
{
    long double odds = p / (1 - p);
    long double up = 0;
    long double down = 0;
    long double term = 1;
    for (uint64_t i = k; i <= n; i++) {
        up += term;
        term *= (long double)(n - i) / (long double)(i + 1) * odds;
        if (term < up * NEGLIGIBLE) {
            break;
        }
    }
    term = 1;
    for (uint64_t i = k; i > 0; i--) {
        term *= (long double)i / ((long double)(n - i + 1) * odds);
        down += term;
        if (term < (up + down) * NEGLIGIBLE) {
            break;
        }
    }
    return up / (up + down);
}

/* Where P(X >= k) is `probability`, between low and high: it grows with p. */
static double solve(uint64_t n, uint64_t k, long double probability, double low, double high)
{
    for (int i = 0; i < BISECTIONS_MAX; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high) {
            break;
        }
        if (at_least(n, k, middle) < probability) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low + (high - low) / 2;
}

static struct proportion wilson(double k, double n, double z)
{
    double p = k / n;
    double centre = p + z * z / (2 * n);
    double reach = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    double scale = 1 + z * z / n;
    return (struct proportion){fmax(0, (centre - reach) / scale),
                               fmin(1, (centre + reach) / scale)};
}

struct proportion proportion_interval(uint64_t k, uint64_t n)
{
    assert(n >= 1 && k <= n);
    if (n > PROPORTION_EXACT_N_MAX) {
        return wilson((double)k, (double)n, NORMAL_975);
    }
    /* Where to look: far wider than the answer, near enough for at_least. */
    struct proportion wide = wilson((double)k, (double)n, 4 * NORMAL_975);
    struct proportion interval = {0, 1};
    if (k > 0) {
        interval.low = solve(n, k, TAIL, wide.low, (double)k / (double)n);
    }
    if (k < n) { /* P(X <= k) = 2.5 % where P(X >= k + 1) = 97.5 % */
        interval.high = solve(n, k + 1, 1 - TAIL, (double)k / (double)n, wide.high);
    }
    return interval;
}
