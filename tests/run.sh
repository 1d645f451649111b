#!/bin/sh
# Runs cmocka programs, shows each one's summary, and closes with one line: N passed, N failed, N skipped.
# RUNNER, if set, is put before each program (valgrind). JOBS programs run at the same time (1: tests that time themselves are
# undisturbed). A program's whole output is kept beside it (.log) and shown when something failed.
# Threads that wait sleep instead of spinning: machines that run tests are shared.
# No simulation is read back from an earlier run.
export RUNNER OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}" JOULERX_CACHE=
count() { sed -n "s/^\[  $2 *\] \([0-9]*\) test(s).*/\1/p" "$1.log" | tail -n 1; }
if [ "$1" = --one ]; then
    $RUNNER "$2" >"$2.log" 2>&1
    echo $? >"$2.status"
    passed=$(count "$2" PASSED) failed=$(count "$2" FAILED) skipped=$(count "$2" SKIPPED)
    [ "$(cat "$2.status")" = 0 ] || { cat "$2.log"; [ "${failed:-0}" -gt 0 ] || echo "[  FAILED  ] 1 test(s) (the program itself)" >>"$2.log"; }
    printf '%-44s %3d passed %3d failed %3d skipped\n' "$(basename "$2")" "${passed:-0}" "$(count "$2" FAILED | grep . || echo 0)" "${skipped:-0}"
    grep '^skip:' "$2.log" | sed 's/^/    /'
    exit 0
fi
[ $# -gt 0 ] || { echo "tests/run.sh: no test has '$T' in its name; ls tests/test_*.c shows them" >&2; exit 2; }
printf '%s\n' "$@" | xargs -P "${JOBS:-1}" -n 1 sh "$0" --one
passed=0 failed=0 skipped=0
for program; do
    p=$(count "$program" PASSED) f=$(count "$program" FAILED) s=$(count "$program" SKIPPED)
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0})) skipped=$((skipped + ${s:-0}))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
