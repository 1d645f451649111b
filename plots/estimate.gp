# Predicted beside observed, on the diagonal if they agree. Left time (measured), right energy (see its label).
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
set multiplot title "What a layer of DeepRx costs: predicted against observed\n{/*0.8 ".note."; fits predict a layer they have not seen}"
set logscale xy
set format xy "10^{%L}"
eval panel(1, 2)
set xlabel "observed time of a call (ms), measured"
set ylabel "predicted (ms)"
set title "Run time"
plot x with lines ls 9, \
     file using "time_ms":"clock_time_ms" with points ls 2 ps 0.6, \
     file using "time_ms":"flop_fit_time_ms" with points ls 4 ps 0.6, \
     file using "time_ms":"memory_fit_time_ms" with points ls 3 ps 0.6
eval panel(2, 2)
set xlabel "observed energy of a call (mJ), ".source
set ylabel "predicted (mJ)"
set title source eq "estimated" ? "Energy (estimated by a profile: no evidence)" : "Energy (".source.")"
plot x with lines ls 9, \
     file using "energy_mj":"clock_energy_mj" with points ls 2 ps 0.6, \
     file using "energy_mj":"access_energy_mj" with points ls 5 ps 0.6, \
     file using "energy_mj":"fitted_energy_mj" with points ls 6 ps 0.6, \
     file using "energy_mj":"flop_fit_energy_mj" with points ls 4 ps 0.6, \
     file using "energy_mj":"memory_fit_energy_mj" with points ls 3 ps 0.6
eval legend
set key maxcols 2
plot NaN with lines ls 9 title "predicted = observed", NaN with points ls 2 title "datasheet: FLOPs per clock", \
     NaN with points ls 5 title "access: cited prices", NaN with points ls 6 title "fitted: this machine", \
     NaN with points ls 4 title "fit: FLOPs", NaN with points ls 3 title "fit: FLOPs and memory accesses"
unset multiplot
