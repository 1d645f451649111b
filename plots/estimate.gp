# Predicted beside observed, on the diagonal if they agree. Left time (measured), right energy (see its label).
tall = 860
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
set multiplot title "What a layer of DeepRx costs\n{/*0.82 ".note."}\n{/*0.82 fits predict a layer they have not seen; bars: 95 % intervals of what was observed}"
head = 0.1; below = 0.075; foot = 0.13; left = 0.14; right = 0.045
fitted = 0
stats file using (fitted = fitted + (column("fitted_energy_mj") > 0), 1) nooutput
set logscale xy
set format xy "10^{%L}"
eval cell(1, 1, 2)
set xlabel "observed time of a call (ms), measured" offset 0,0.4+up
set ylabel "predicted (ms)" offset 1+in
set label 1 "run time (measured)" at graph 0.02,0.93 left
plot x with lines ls 9, \
     file using "time_ms":"clock_time_ms":"time_ci_lo_ms":"time_ci_hi_ms" with xerrorbars ls 2 dt 1 lw 1 ps 0.6, \
     file using "time_ms":"flop_fit_time_ms":"time_ci_lo_ms":"time_ci_hi_ms" with xerrorbars ls 4 dt 1 lw 1 ps 0.6, \
     file using "time_ms":"memory_fit_time_ms":"time_ci_lo_ms":"time_ci_hi_ms" with xerrorbars ls 3 dt 1 lw 1 ps 0.6
eval cell(2, 1, 2)
set xlabel "observed energy of a call (mJ), ".source offset 0,0.4+up
set ylabel "predicted (mJ)" offset 1+in
set label 1 (source eq "estimated" ? "energy (estimated by a profile: no evidence)" : "energy (".source.")") at graph 0.02,0.93 left
plot x with lines ls 9, \
     file using "energy_mj":"clock_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 2 dt 1 lw 1 ps 0.6, \
     file using "energy_mj":"access_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 5 dt 1 lw 1 ps 0.6, \
     file using "energy_mj":"fitted_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 6 dt 1 lw 1 ps 0.6, \
     file using "energy_mj":"flop_fit_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 4 dt 1 lw 1 ps 0.6, \
     file using "energy_mj":"memory_fit_energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with xerrorbars ls 3 dt 1 lw 1 ps 0.6
eval foot_legend
set key maxcols 2
plot NaN with lines ls 9 title "predicted = observed", NaN with points ls 2 title "datasheet", \
     NaN with points ls 5 title "access prices", NaN with points ls (fitted > 0 ? 6 : 0) title (fitted > 0 ? "this machine's prices" : ""), \
     NaN with points ls 4 title "fit: FLOPs", NaN with points ls 3 title "fit: FLOPs, accesses"
unset multiplot
