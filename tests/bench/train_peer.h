/*
 * The program tests/bench/peer_torch.py, as something to ask: a line there, a line back.
 */
#ifndef TESTS_BENCH_TRAIN_PEER_H
#define TESTS_BENCH_TRAIN_PEER_H
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct train_peer {
    FILE *to, *from;
    pid_t pid;
    int there; /* 0: no Python with PyTorch; says so on stdout, and asking it anything fails */
};

/** Starts $PYTHON (default /usr/bin/python3, where Debian's python3-torch lives). */
void train_peer_open(struct train_peer *peer);
void train_peer_close(struct train_peer *peer);
/** 0 and the answer, or -1. */
int train_peer_ask(struct train_peer *peer, char *answer, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/** One step or pass: its seconds and its loss. 0 or -1. */
int train_peer_run(struct train_peer *peer, double *s, double *value);

#endif
