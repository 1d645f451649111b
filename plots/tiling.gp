# Tilings of each kind of layer: run time over the bytes between cache levels, all levels together; the Pareto front of
# time, energy and bytes is joined.
tall = 1250
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
list = ""; layers = ""
stats file using (strstrt(" ".list." ", " ".strcol("kind")." ") ? 1 : (layers = layers." ".strcol("layer"), once("kind", 1))) nooutput
kinds = words(list)
# three or so ticks a panel: the power of ten, or 2 or 5 of it, nearest to a third of what it spans
nice(span) = span > 0 ? (p = 10**floor(log10(span/3)), m = span/3/p, m < 1.5 ? p : m < 3.5 ? 2*p : m < 7.5 ? 5*p : 10*p) : 1
array step[kinds]
do for [k=1:kinds] {
  stats file using (strcol("kind") eq word(list, k) ? column("sim_bytes")/1e6 : NaN) name "X" nooutput
  step[k] = nice(X_max - X_min)
}
set datafile missing NaN # a point left out does not break the line
set multiplot title "The same FLOPs, seven tilings of each layer\n{/*0.82 time: measured, bars: 95 % intervals; bytes: simulated; energy: ".source."}"
small = kind eq "svg" ? 0.6 : 1
head = 0.068; below = 0.064; foot = 0.075; left = 0.13; right = 0.04; apart = 0.13
rows = (kinds + 1)/2
set yrange [0:*]
set offsets graph 0.08, graph 0.08, graph 0.2, 0
do for [k=1:kinds] {
  eval cell(k, 2, rows)
  set label 1 "{/*0.9 ".word(list, k)."}" at graph 0, graph 1.08 left
  set label 2 "{/*0.75 ".word(layers, k)."}" at graph 0.98, graph 0.93 right
  set xtics step[k]
  set xlabel (k > kinds - 2 ? "MB a call, between caches" : "") offset 0,0.4+up
  set ylabel (k % 2 ? "ms a call" : "") offset 1+in
  here(name) = strcol("kind") eq word(list, k) ? column(name) : NaN
  marked(mark) = column(mark) == 1 ? here("time_ms") : NaN
  plot file using (here("sim_bytes")/1e6):(marked("front")) with lines lc rgb "#1f77b4" lw 2, \
       file using (here("sim_bytes")/1e6):(here("time_ms")):(column("time_ci_lo_ms")):(column("time_ci_hi_ms")) with yerrorbars lc rgb "#777777" pt 6 ps 0.8*small lw 1.3, \
       file using (here("sim_bytes")/1e6):(marked("front")) with points lc rgb "#1f77b4" pt 7 ps 0.8*small, \
       file using (here("sim_bytes")/1e6):(marked("is_default")) with points lc rgb "#000000" pt 2 ps 1.3*small lw 2, \
       file using (here("sim_bytes")/1e6):(marked("best_time")) with points lc rgb "#96231a" pt 10 ps 1.9*small lw 1.8, \
       file using (here("sim_bytes")/1e6):(marked("best_energy")) with points lc rgb "#2e7d32" pt 4 ps 1.9*small lw 1.8
}
eval foot_legend
set key maxcols 3
plot NaN with points lc rgb "#777777" pt 6 ps 0.8*small title "tiling", \
     NaN with linespoints lc rgb "#1f77b4" pt 7 ps 0.8*small title "Pareto front", \
     NaN with points lc rgb "#000000" pt 2 ps 1.3*small lw 2 title "default", \
     NaN with points lc rgb "#96231a" pt 10 ps 1.9*small lw 1.8 title "best by time", \
     NaN with points lc rgb "#2e7d32" pt 4 ps 1.9*small lw 1.8 title "best by energy"
unset multiplot
