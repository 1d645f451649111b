# Estimates of whole networks beside what was observed, on the diagonal if they agree: inference below, training above.
tall = 760
load home."/common.gp"
file = dir."/summary.csv"
source = ""
stats file using (source = strcol("energy_source"), 1) nooutput
set multiplot title "What a slot costs, networks of three widths\n{/*0.82 time: measured, energy: ".source."}\n{/*0.82 filled: inference, open: training; bars: 95 % intervals of what was observed}"
head = 0.115; below = 0.08; foot = 0.1; left = 0.15; right = 0.045
fitted = 0
stats file using (fitted = fitted + (column("fitted_energy_mj") > 0), 1) nooutput
is(step, name) = strcol("step") eq step ? column(name) : NaN
set logscale xy
set format xy "10^{%L}"
eval cell(1, 1, 2)
set xlabel "observed time of a slot (ms), measured" offset 0,0.4+up
set ylabel "estimated (ms)" offset 1+in
set label 1 "run time (measured)" at graph 0.02,0.93 left
plot x with lines ls 9, \
     file using (is("inference", "time_ms")):"clock_time_ms":"time_ci_lo_ms":"time_ci_hi_ms" with xerrorbars ls 2 dt 1 lw 1 pt 5 ps 0.8, \
     file using (is("training", "time_ms")):"clock_time_ms":"time_ci_lo_ms":"time_ci_hi_ms" with xerrorbars ls 2 dt 1 lw 1 pt 4 ps 0.8
eval cell(2, 1, 2)
set xlabel "observed energy of a slot (mJ), ".source offset 0,0.4+up
set ylabel "estimated (mJ)" offset 1+in
set label 1 (source eq "estimated" ? "energy (estimated by a profile: no evidence)" : "energy (".source.")") at graph 0.02,0.93 left
if (fitted == 0) {
  plot x with lines ls 9, \
       file using (is("inference", "energy_mj")):"clock_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 2 dt 1 lw 1 pt 5 ps 0.8, \
       file using (is("training", "energy_mj")):"clock_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 2 dt 1 lw 1 pt 4 ps 0.8, \
       file using (is("inference", "energy_mj")):"access_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 5 dt 1 lw 1 pt 11 ps 0.8, \
       file using (is("training", "energy_mj")):"access_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 5 dt 1 lw 1 pt 10 ps 0.8
} else {
  plot x with lines ls 9, \
       file using (is("inference", "energy_mj")):"clock_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 2 dt 1 lw 1 pt 5 ps 0.8, \
       file using (is("training", "energy_mj")):"clock_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 2 dt 1 lw 1 pt 4 ps 0.8, \
       file using (is("inference", "energy_mj")):"access_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 5 dt 1 lw 1 pt 11 ps 0.8, \
       file using (is("training", "energy_mj")):"access_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 5 dt 1 lw 1 pt 10 ps 0.8, \
       file using (is("inference", "energy_mj")):"fitted_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 6 dt 1 lw 1 pt 7 ps 0.8, \
       file using (is("training", "energy_mj")):"fitted_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 6 dt 1 lw 1 pt 6 ps 0.8
}
eval foot_legend
set key maxcols 2
plot NaN with lines ls 9 title "estimated = observed", NaN with points ls 2 title "datasheet", \
     NaN with points ls 5 title "access prices", NaN with points ls (fitted > 0 ? 6 : 0) title (fitted > 0 ? "this machine's prices" : "")
unset multiplot
