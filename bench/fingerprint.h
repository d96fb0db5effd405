/* What was measured on and with: two runs are compared only when this agrees. */
#ifndef L0_BENCH_FINGERPRINT_H
#define L0_BENCH_FINGERPRINT_H

#include <jansson.h>

/* The machine: cpu, microcode, processors, memory_mb, kernel, kernel_version, command_line,
 * governor, mitigations; "unknown" for what it does not tell. A new reference, or NULL when memory
 * is short. */
json_t *fingerprint_machine(void);

/* This program's build id in hexadecimal, or "unknown". Static. */
const char *fingerprint_build_id(void);

#endif
