# How one network learnt: bit errors on training and validation slots, and cross-entropy against the energy of training,
# or its time where no energy is known.
load home."/common.gp"
source = word(note, words(note))
nice(max) = max > 0 ? 10**floor(log10(max / 3)) * (max / 3 / 10**floor(log10(max / 3)) >= 5 ? 5 : max / 3 / 10**floor(log10(max / 3)) >= 2 ? 2 : 1) : 1
set multiplot title "One training on the simulated uplink\n{/*0.8 ".note."; training: mean since the point before; validation: TDL-A and E, always the same slots}"
eval panel(1, 2)
stats file using "slots" nooutput
set xtics nice(STATS_max)
set logscale y
set yrange [*:0.6]
set ytics (0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.003, 0.002, 0.001, 1e-4, 1e-5)
set format x "%.0s%c"
set xlabel "slots trained on"
set ylabel "bit error rate" offset 1
set title "Bit errors"
plot file using "slots":"ber_ratio" with lines ls 3, file using "slots":"validation_ber_ratio" with lines ls 1
eval panel(2, 2)
unset logscale y
set yrange [*:*]
set ytics auto
set ylabel "cross-entropy (bit per bit)"
# without a known energy: the time, which always is
stats file using "energy_j" nooutput
known = exists("STATS_max")
if (!known) { stats file using "time_s" nooutput }
column = known ? "energy_j" : "time_s"
set title known ? "Energy (".source.")" : "Time; no energy is known"
set xtics nice(STATS_max)
set xlabel known ? "training energy (J), ".source : "training time (s), measured"
plot file using column:"bce_bit" with lines ls 3, file using column:"validation_bce_bit" with lines ls 1
eval legend
plot NaN with lines ls 3 title "training", NaN with lines ls 1 title "validation"
unset multiplot
