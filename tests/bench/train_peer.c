#include "tests/bench/train_peer.h"
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void train_peer_open(struct train_peer *peer)
{
    int in[2], out[2];
    char answer[64];
    const char *python = getenv("PYTHON") ? getenv("PYTHON") : "/usr/bin/python3";
    *peer = (struct train_peer){.there = 0};
    if (pipe(in) || pipe(out))
        return;
    signal(SIGPIPE, SIG_IGN);
    peer->pid = fork();
    if (peer->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execlp(python, python, "tests/bench/peer_torch.py", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    peer->to = fdopen(in[1], "w");
    peer->from = fdopen(out[0], "r");
    peer->there = peer->pid > 0 && peer->to && peer->from;
    peer->there = peer->there && !train_peer_ask(peer, answer, sizeof answer, "variants train");
    if (!peer->there)
        printf("no peer: %s has no PyTorch; install python3-torch, or set PYTHON\n", python);
}

void train_peer_close(struct train_peer *peer)
{
    if (peer->to)
        fclose(peer->to); /* it ends with its input */
    if (peer->from)
        fclose(peer->from);
    if (peer->pid > 0)
        waitpid(peer->pid, NULL, 0);
}

int train_peer_ask(struct train_peer *peer, char *answer, size_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vfprintf(peer->to, format, list);
    va_end(list);
    fputc('\n', peer->to);
    if (fflush(peer->to) || !fgets(answer, (int)size, peer->from))
        return -1;
    answer[strcspn(answer, "\n")] = '\0';
    return 0;
}

int train_peer_run(struct train_peer *peer, double *s, double *value)
{
    char answer[512];
    if (train_peer_ask(peer, answer, sizeof answer, "run"))
        return -1;
    return sscanf(answer, "%lf %lf", s, value) == 2 ? 0 : -1;
}
