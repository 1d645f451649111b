# Ours and the best peers as a share of the FMA peak timed in the same rounds, one point a case. Made by `make bench-kernels`.
set xlabel "case: the rows of the CSV"
set ylabel "share of the FMA peak"
set yrange [0:*]
who = "avx512 avx2 'oneDNN nChw16c' 'oneDNN any' OpenBLAS"
plot for [i=1:words(who)] csv using 0:(strcol("who") eq word(who, i) ? column("peak_ratio") : NaN) \
     with points ls i title word(who, i)
