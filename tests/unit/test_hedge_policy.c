/* The budget and the automatic delay: arithmetic, checked against their definitions. */
#include "engine/hedge_policy.h"

#include "engine/limits.h"

#include <criterion/criterion.h>

static uint64_t take_all(struct hedge_budget *b, uint64_t requests)
{
    uint64_t n = 0;
    while (hedge_budget_take(b, requests))
        n++;
    return n;
}

/* Of n requests at most max(burst, share * n), whenever one asks. */
Test(hedge_budget, is_never_exceeded)
{
    static const uint32_t shares_ppm[] = {1, 1000, 20000, 500000, 1000000};
    for (size_t i = 0; i < sizeof shares_ppm / sizeof *shares_ppm; i++) {
        struct hedge_budget b;
        uint64_t taken = 0;
        hedge_budget_init(&b, shares_ppm[i]);
        for (uint64_t n = 0; n < 30000; n += 1 + n % 7) {
            taken += take_all(&b, n);
            uint64_t share = n * shares_ppm[i] / 1000000;
            cr_assert_eq(taken, share > LIMIT_HEDGE_BURST ? share : LIMIT_HEDGE_BURST,
                         "%u ppm of %lu", shares_ppm[i], (unsigned long)n);
        }
    }
}

Test(hedge_budget, what_is_saved_is_a_window_at_most)
{
    const uint64_t later = UINT64_C(100) * LIMIT_HEDGE_WINDOW;
    struct hedge_budget b;
    hedge_budget_init(&b, 20000);
    cr_expect_eq(take_all(&b, later), LIMIT_HEDGE_WINDOW / 50);
    cr_expect_eq(take_all(&b, later + 49), 0);
    cr_expect_eq(take_all(&b, later + 50), 1);
}

Test(hedge_budget, nothing_is_nothing)
{
    struct hedge_budget b;
    hedge_budget_init(&b, 0);
    cr_expect_eq(take_all(&b, 1000000), 0);
}

Test(hedge_budget, a_refund_can_be_taken_again)
{
    struct hedge_budget b;
    hedge_budget_init(&b, 20000);
    cr_assert_eq(take_all(&b, 0), LIMIT_HEDGE_BURST);
    hedge_budget_refund(&b);
    cr_expect_eq(take_all(&b, 0), 1);
}

/* ---- automatic delay ------------------------------------------------------------------------ */

/* A window of requests without bytes to predict, of which one in every takes slow_ns. */
static uint64_t delay_of(struct hedge_history *h, uint64_t usual_ns, uint32_t every,
                         uint64_t slow_ns)
{
    uint64_t delay_ns = 0;
    uint32_t n = 0;
    while (!hedge_history_add(h, 0, ++n % every == 0 ? slow_ns : usual_ns, &delay_ns))
        cr_assert_lt(n, LIMIT_HEDGE_HISTORY);
    cr_assert_eq(n, LIMIT_HEDGE_HISTORY, "nothing before there is a window");
    return delay_ns;
}

Test(hedge_history, the_delay_is_the_quantile_that_the_budget_allows)
{
    struct hedge_history h;
    hedge_history_init(&h, 20000);
    /* 1 % slow: within 2 %, so the usual time counts, clamped. 4 %: the slow one does. */
    cr_expect_eq(delay_of(&h, 10000, 100, 15000000), LIMIT_HEDGE_AUTO_MIN_US * 1000);
    uint64_t delay_ns = delay_of(&h, 10000, 25, 15000000);
    cr_expect_geq(delay_ns, 15000000);
    cr_expect_leq(delay_ns, 15000000 * 5 / 4, "within a bucket");
    cr_expect_eq(delay_of(&h, 10000, 25, UINT64_C(90000000000)), LIMIT_HEDGE_AUTO_MAX_MS * 1000000);
    /* Windows do not mix. */
    cr_expect_eq(delay_of(&h, 10000, 100, 15000000), LIMIT_HEDGE_AUTO_MIN_US * 1000);
}

/* Whatever a request takes, the delay that comes of it lies at or above it by at most a quarter. */
Test(hedge_history, buckets_are_a_quarter_of_an_octave)
{
    for (uint64_t ns = 600000; ns < 90000000; ns += ns / 7) {
        struct hedge_history h;
        hedge_history_init(&h, 20000);
        uint64_t delay_ns = delay_of(&h, ns, 1, ns);
        cr_expect_geq(delay_ns, ns);
        cr_expect_leq(delay_ns, ns + ns / 4 + 1000, "%lu for %lu", (unsigned long)delay_ns,
                      (unsigned long)ns);
    }
}

/* A document that takes long because it is large is no reason to wait longer for small ones. */
Test(hedge_history, size_is_predicted)
{
    struct hedge_history h;
    uint64_t delay_ns = 0;
    hedge_history_init(&h, 20000);
    for (int window = 0; window < 3; window++)
        while (!hedge_history_add(&h, 1000000, 1500000, &delay_ns)) /* 1.5 ns a byte */
            ;
    cr_expect_eq(delay_ns, LIMIT_HEDGE_AUTO_MIN_US * 1000);
    cr_expect_geq(hedge_history_predict_ns(&h, 1000000), 1400000);
    cr_expect_leq(hedge_history_predict_ns(&h, 1000000), 1600000);
    for (int i = 0; i < 100; i++) /* stalls do not spoil it */
        (void)hedge_history_add(&h, 1000000, 100000000, &delay_ns);
    cr_expect_leq(hedge_history_predict_ns(&h, 1000000), 10000000);
}
