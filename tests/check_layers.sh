#!/bin/sh
# Who may include whom. Includes are written from the root, so this is a grep. Prints each offending line; exit 1 if any.
bad=0
rule() { # folder, what it may include
    hits=$(grep -rnE '^#include "' "$1" --include='*.[ch]' | grep -vE "#include \"($2)") || true
    [ -z "$hits" ] || { printf '%s\n' "$hits"; bad=1; }
}
rule harness/base 'harness/base/'
rule harness 'harness/|(meters|counters|build)\.inc'
rule kernels 'kernels/|harness/base/|(kernels|traced)\.inc'
rule models 'models/|kernels/|harness/base/'
rule models/link 'models/link/|harness/base/'
rule models/energy 'models/energy/|kernels/|harness/base/'
rule experiments 'experiments/|harness/|kernels/|models/|(experiments|commands|build|trace)\.inc'
[ $bad = 0 ] && echo "layers: ok"
exit $bad
