# Tilings that joulerx tune measured: time and bytes, each over the default's of its layer; the Pareto front is filled.
load home."/common.gp"
file = dir."/tune.csv"
set title "Tilings measured by joulerx tune, each beside the default of its layer\n{/*0.8 time: measured, bytes: simulated; front of time, energy and bytes, energy: ".word(note, words(note))."}"
set xlabel "bytes between cache levels, over the default's"
set ylabel "run time, over the default's"
set logscale xy
set autoscale xfix
set autoscale yfix
set offsets graph 0.05, graph 0.05, graph 0.05, graph 0.05
set xtics (0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20)
set ytics (0.3, 0.5, 0.7, 0.85, 1, 1.2, 1.5, 2, 3, 5, 10, 20, 50)
set bmargin 7
set key below
plot file using "sim_bytes_ratio":(column("front") == 0 && strcol("role") eq "tried" ? column("time_ratio") : NaN) with points lc rgb "#777777" pt 6 ps 1.1 lw 1.5 title "tried", \
     file using "sim_bytes_ratio":(column("front") == 1 ? column("time_ratio") : NaN) with points lc rgb "#1f77b4" pt 7 ps 1.4 title "on a Pareto front", \
     file using "sim_bytes_ratio":(strcol("role") eq "chosen" ? column("time_ratio") : NaN) with points lc rgb "#96231a" pt 8 ps 2.6 lw 2.5 title "chosen", \
     file using "sim_bytes_ratio":(strcol("role") eq "default" ? column("time_ratio") : NaN) with points lc rgb "#000000" pt 2 ps 1.8 lw 3 title "default"
