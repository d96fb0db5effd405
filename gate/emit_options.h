/* The options that say in which forms a verdict is written, shared by check and compare. */
#ifndef L0_GATE_EMIT_OPTIONS_H
#define L0_GATE_EMIT_OPTIONS_H

#include <argp.h>

/* A child parser; its input is a struct emit_targets *, all zero at the start. */
extern const struct argp emit_options_argp;

#endif
