/* harness/interrupt: one signal asks, the second ends. Each case is a process of its own. */
#include "harness/base/error.h"
#include "harness/interrupt.h"
#include "tests/support/test.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Exit status of fn in a child; 128 + signal if one killed it. */
static int in_child(int (*fn)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, SIG_DFL); /* a shell starts background jobs with SIGINT ignored */
        _exit(fn());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int one_signal(void)
{
    if (jrx_interrupt_catch() || jrx_interrupted() || jrx_interrupt_check())
        return 1;
    raise(SIGINT);
    if (!jrx_interrupted() || jrx_interrupt_check() != JRX_EINTERRUPTED || !strstr(jrx_last_error(), "Ctrl-C"))
        return 2;
    jrx_interrupt_release();
    return jrx_interrupted() ? 3 : 0;
}

static int term_is_the_same(void)
{
    jrx_interrupt_catch();
    raise(SIGTERM);
    return jrx_interrupt_check() == JRX_EINTERRUPTED && strstr(jrx_last_error(), "SIGTERM") ? 0 : 1;
}

static int second_signal(void)
{
    jrx_interrupt_catch();
    raise(SIGTERM);
    raise(SIGINT);
    return 0;
}

static int mine;
static void my_handler(int number)
{
    mine = number;
}

static int handlers_are_put_back(void)
{
    signal(SIGINT, my_handler);
    jrx_interrupt_catch();
    raise(SIGINT);
    if (mine || !jrx_interrupted())
        return 1;
    jrx_interrupt_release();
    raise(SIGINT);
    return mine == SIGINT && !jrx_interrupted() ? 0 : 2;
}

static int nohup_stays(void)
{
    signal(SIGINT, SIG_IGN);
    jrx_interrupt_catch();
    raise(SIGINT);
    return jrx_interrupted();
}

static int sleep_wakes(void)
{
    struct timespec long_time = {20, 0};
    jrx_interrupt_catch();
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        struct timespec a_moment = {0, 50000000};
        nanosleep(&a_moment, NULL);
        kill(parent, SIGTERM);
        _exit(0);
    }
    int rc = nanosleep(&long_time, NULL);
    return rc == -1 && errno == EINTR && jrx_interrupted() ? 0 : 1;
}

static void the_first_signal_sets_the_flag(void **state)
{
    (void)state;
    assert_int_equal(in_child(one_signal), 0);
    assert_int_equal(in_child(term_is_the_same), 0);
}

static void the_second_signal_ends_the_program(void **state)
{
    (void)state;
    assert_int_equal(in_child(second_signal), 128 + SIGINT);
}

static void handlers_of_before_come_back(void **state)
{
    (void)state;
    assert_int_equal(in_child(handlers_are_put_back), 0);
}

static void an_ignored_signal_stays_ignored(void **state)
{
    (void)state;
    assert_int_equal(in_child(nohup_stays), 0);
}

static void a_sleep_ends_at_once(void **state)
{
    (void)state;
    assert_int_equal(in_child(sleep_wakes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_signal_sets_the_flag), cmocka_unit_test(the_second_signal_ends_the_program),
        cmocka_unit_test(handlers_of_before_come_back),   cmocka_unit_test(an_ignored_signal_stays_ignored),
        cmocka_unit_test(a_sleep_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
