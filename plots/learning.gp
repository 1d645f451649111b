# Cross-entropy on fresh slots against training time and energy.
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
roles = "teacher scratch distilled"
names = "'teacher' 'student from scratch' 'student distilled'"
set multiplot title "Training on the simulated uplink\n{/*0.8 ".note."; each point: mean over a twentieth of the training}"
set yrange [0:*]
shown(i) = (column("shown") == 1 && strcol("role") eq word(roles, i))
eval panel(1, 2)
set xlabel "training time (s), measured"
set ylabel "cross-entropy (nat per bit)"
set title "Run time (measured)"
plot for [i=1:3] file using (shown(i) ? column("time_s") : NaN):"bce_ratio" with linespoints ls i
eval panel(2, 2)
set format x "%.0s%c"
set xlabel "training energy (J), ".source
set title "Energy (".source.")"
plot for [i=1:3] file using (shown(i) ? column("energy_j") : NaN):"bce_ratio" with linespoints ls i
eval legend
set key maxcols 3
plot for [i=1:3] NaN with linespoints ls i title word(names, i)
unset multiplot
