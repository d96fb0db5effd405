/* The options that say how a file of latencies is read, shared by verify and compare. */
#ifndef L0_GATE_FORMAT_OPTIONS_H
#define L0_GATE_FORMAT_OPTIONS_H

#include "gate/sample.h"

#include <argp.h>
#include <stdint.h>

/* A child parser; its input is a struct sample_format *, all zero at the start. */
extern const struct argp format_options_argp;

/* Option arguments; a bad one ends the program through argp_error (exit GATE_USAGE). */
uint64_t format_option_ms(const struct argp_state *state, const char *name, const char *text);
/* "2%" or "0.02" to parts per million, from 0 to 100 %. */
uint32_t format_option_rate_ppm(const struct argp_state *state, const char *name, const char *text);
uint64_t format_option_count(const struct argp_state *state, const char *name, const char *text);

#endif
