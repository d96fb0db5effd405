/* The programs inside l0-gate. Each takes its own argv (argv[0] its name for messages),
 * prints its report to standard output and errors to standard error, and returns an enum gate_exit.
 * A usage error ends the process with argp_err_exit_status. */
#ifndef L0_GATE_PROGRAMS_H
#define L0_GATE_PROGRAMS_H

int gate_verify(int argc, char **argv);
int gate_compare(int argc, char **argv);
int gate_check(int argc, char **argv);
int gate_report(int argc, char **argv);
int gate_simulate(int argc, char **argv);

#define GATE_EXITS_HELP                                                                            \
    "Exit codes: 0 pass; 2 usage, or input that is missing or unreadable; 3 data insufficient, "   \
    "malformed or inconsistent, or a rule or comparison inconclusive; 4 a gate or rule failed, "   \
    "or a "                                                                                        \
    "comparison found worse; 5 a run is not valid: the load generator was the bottleneck."

#endif
