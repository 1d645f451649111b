# Kernels below the roofs of this machine: FLOP/s measured, intensity from simulated bytes. Made by `make roofline`:
# dir/measure/summary.csv of `joulerx measure`, dir/bandwidth.csv of tests/bench/bench_bandwidth.c.
file = dir."/measure/summary.csv"
roof = dir."/bandwidth.csv"
stats file using (strcol("kernel") eq "peak" ? column("rate_flop_per_s")*1e-9 : NaN) name "P" nooutput
peak = P_max
gb(level) = sprintf("< awk -F, -v l=%s '$1 == l {print $3*1e-9}' %s", level, roof)
set datafile separator whitespace
set datafile nocolumnheaders
array bw[4]
do for [i=1:4] { stats gb(word("L1 L2 L3 memory", i)) using 1 name "B" nooutput; bw[i] = B_max }
set datafile separator ","
set datafile columnheaders
set multiplot title sprintf("Kernels and the roofs of one thread: peak %.0f GFLOP/s; read L1 %.0f, L2 %.0f, L3 %.0f, memory %.0f GB/s\n{/*0.8 FLOP/s and roofs: measured; intensity: simulated bytes of a warm call; OpenBLAS has none}", peak, bw[1], bw[2], bw[3], bw[4])
set logscale xy
set xrange [0.01:200]
set yrange [0.1:2*peak]
set samples 400
isas = "ref baseline avx2 avx512" # not avx512bf16, which has another peak
under(x, level) = x * bw[level] < peak ? x * bw[level] : peak
at(c, isa) = strstrt(strcol("kernel")."$", "_".isa."$") ? column("flop") / column(c) : NaN
do for [i=1:2] {
    eval panel(i, 2)
    column_name = word("sim_l2_bytes sim_l3_bytes", i)
    set title word("L1-L2 L2-L3", i)." traffic"
    set xlabel "FLOP a simulated byte, ".word("L1-L2 L2-L3", i)
    if (i == 1) { set ylabel "GFLOP/s, measured" } else { unset ylabel }
    plot for [l=2:4] under(x, l) with lines lc rgb "#999999" lw 1.2 dt l, under(x, i + 1) with lines lc rgb "#000000" lw 2.5, \
         for [k=1:4] file using (at(column_name, word(isas, k))):(column("rate_flop_per_s")*1e-9) with points ls k
}
eval legend
set yrange [0:1]
plot NaN with lines lc rgb "#000000" lw 2.5 title "roof of that level", NaN with lines lc rgb "#999999" dt 3 title "other levels", \
     for [k=1:4] NaN with points ls k title word(isas, k)
unset multiplot
