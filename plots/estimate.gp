# Predicted beside observed, on the diagonal if they agree. Left time (measured), right energy (see its label).
tall = 860
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
set multiplot title "What a layer of DeepRx costs\n{/*0.82 ".note."}\n{/*0.82 fits predict a layer they have not seen}"
head = 0.1; below = 0.075; foot = 0.13; left = 0.14
set logscale xy
set format xy "10^{%L}"
eval cell(1, 1, 2)
set xlabel "observed time of a call (ms), measured" offset 0,0.4
set ylabel "predicted (ms)" offset 1
set label 1 "run time (measured)" at graph 0.02,0.93 left
plot x with lines ls 9, \
     file using "time_ms":"clock_time_ms" with points ls 2 ps 0.6, \
     file using "time_ms":"flop_fit_time_ms" with points ls 4 ps 0.6, \
     file using "time_ms":"memory_fit_time_ms" with points ls 3 ps 0.6
eval cell(2, 1, 2)
set xlabel "observed energy of a call (mJ), ".source offset 0,0.4
set ylabel "predicted (mJ)" offset 1
set label 1 (source eq "estimated" ? "energy (estimated by a profile: no evidence)" : "energy (".source.")") at graph 0.02,0.93 left
plot x with lines ls 9, \
     file using "energy_mj":"clock_energy_mj" with points ls 2 ps 0.6, \
     file using "energy_mj":"access_energy_mj" with points ls 5 ps 0.6, \
     file using "energy_mj":"fitted_energy_mj" with points ls 6 ps 0.6, \
     file using "energy_mj":"flop_fit_energy_mj" with points ls 4 ps 0.6, \
     file using "energy_mj":"memory_fit_energy_mj" with points ls 3 ps 0.6
eval foot_legend
set key maxcols 2
plot NaN with lines ls 9 title "predicted = observed", NaN with points ls 2 title "datasheet", \
     NaN with points ls 5 title "access prices", NaN with points ls 6 title "fitted", \
     NaN with points ls 4 title "fit: FLOPs", NaN with points ls 3 title "fit: FLOPs, accesses"
unset multiplot
