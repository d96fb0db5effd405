/* How the gate's functions report failure: an exit code and a sentence that says what, where and
 * what to do. The first error is kept, later ones are its consequences. */
#ifndef L0_GATE_ERROR_H
#define L0_GATE_ERROR_H

enum gate_exit {
    GATE_PASS = 0,
    GATE_USAGE = 2,   /* usage, or input that is missing or cannot be read */
    GATE_DATA = 3,    /* data insufficient, malformed or inconsistent; verify's target missed */
    GATE_FAILED = 4,  /* a gate or a rule failed; a comparison found worse */
    GATE_INVALID = 5, /* a run says of itself that it measured something else than the service */
};

struct gate_error {
    enum gate_exit code; /* GATE_PASS: no error */
    char text[768];
};

/* Sets *error unless it is set already. code is not GATE_PASS. Returns -1, for `return`. */
int gate_error_set(struct gate_error *error, enum gate_exit code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
