/* Receivers on the slots that a command line asks for: the evaluator with progress and Ctrl-C. */
#ifndef EXPERIMENTS_LINK_RUN_H
#define EXPERIMENTS_LINK_RUN_H
#include "experiments/link_options.h"
#include "models/link/evaluate.h"

/**
 * lk_evaluate() of `count` receivers on the slots of `link`, under the name of the command. e->relative_precision is
 * the caller's, all else is filled here; lk_evaluation_fini() is the caller's too. What lk_evaluate() returns.
 */
int ex_link_run(const struct ex_link *link, const char *name, int quiet, const struct lk_receiver *receivers, int count,
                struct lk_evaluation *e);

/** argp_parse() of a command that has ex_link_argp among its children; then ex_link_check(). */
int ex_link_parse(const struct argp *argp, int argc, char **argv, void *input, const struct ex_link *link);

#endif
