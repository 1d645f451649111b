#!/bin/sh
# Runs cmocka programs, shows each one's summary, and closes with one line: N passed, N failed, N skipped.
# RUNNER, if set, is put before each program (valgrind). A program's whole output is kept beside it (.log) and shown when something failed.
# more threads than cores, here and in other programs: waiting threads sleep rather than spin
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
passed=0 failed=0 skipped=0
for program; do
    $RUNNER "$program" >"$program.log" 2>&1
    status=$?
    p=$(grep -c '^\[       OK \]' "$program.log")
    s=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test(s).*/\1/p' "$program.log")
    f=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p' "$program.log")
    s=${s:-0} f=${f:-0}
    [ "$status" = 0 ] || { cat "$program.log"; [ "$f" -gt 0 ] || f=1; }
    printf '%-44s %3d passed %3d failed %3d skipped\n' "$(basename "$program")" "$p" "$f" "$s"
    grep '^skip:' "$program.log" | sed 's/^/    /'
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
