# The cells of `joulerx measure` in the order of summary.csv: run time and share of the peak measured beside them.
load home."/common.gp"
file = dir."/summary.csv"
set multiplot title "Cells of joulerx measure, as numbered in summary.csv\n{/*0.8 time: measured, energy: ".word(note, words(note))."}"
set xlabel "row of summary.csv"
set yrange [0:*]
eval panel(1, 2)
set title "Run time"
set ylabel "time of a call (ms)"
plot file using 0:(strcol("kernel") eq "peak" ? NaN : column("time_ms")):"time_ci_lo_ms":"time_ci_hi_ms" with yerrorbars ls 1
eval panel(2, 2)
set title "Share of the measured peak"
set ylabel "FLOP/s over those of the peak"
plot file using 0:"peak_ratio":"peak_ci_lo_ratio":"peak_ci_hi_ratio" with yerrorbars ls 3
unset multiplot
