# The cells of `joulerx measure` in the order of summary.csv: run time and share of the peak measured beside them.
load home."/common.gp"
file = dir."/summary.csv"
stats file using 0:(strcol("kernel") eq "peak" ? 0 : 1) nooutput
rows = STATS_records
set multiplot title "Cells of joulerx measure, as numbered in summary.csv\n{/*0.8 time: measured, energy: ".word(note, words(note)).", intervals: 95 %; the numbers left out are the peak's}"
set xlabel "row of summary.csv, from 0"
set xrange [-0.5:rows-0.5]
if (rows <= 16) { set xtics 0,1 } else { set xtics 0, 5*ceil(rows/50.) }
set yrange [0:*]
eval panel(1, 2)
set rmargin at screen 0.47
set title "Run time"
set ylabel "time of a call (ms)"
plot file using 0:(strcol("kernel") eq "peak" ? NaN : column("time_ms")):"time_ci_lo_ms":"time_ci_hi_ms" with yerrorbars ls 1 ps 1.3
eval panel(2, 2)
set title "Share of the measured peak"
set ylabel "FLOP/s over those of the peak"
plot file using 0:"peak_ratio":"peak_ci_lo_ratio":"peak_ci_hi_ratio" with yerrorbars ls 3 dt 1 ps 1.5
unset multiplot
