# Three views of the same 24 tilings: time, energy, bytes between L1 and L2; one curve for each (oc, ic) block.
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
ocs = "32 64 256"
ics = "32 256"
oc(i) = word(ocs, (i-1)/2 + 1)
ic(i) = word(ics, (i-1)%2 + 1)
at(i) = column("oc") == oc(i) && column("ic") == ic(i) ? column("f") : NaN
set multiplot title "One layer, one FLOP count, 24 tilings (pointwise, 256 to 256 channels)\n{/*0.8 ".note.", cache traffic: simulated}"
set logscale x 2
set xrange [0.7:450]
set xtics ("1" 1, "8" 8, "39" 39, "312" 312)
set xlabel "block of subcarriers f"
set yrange [0:*]
eval panel(1, 3)
set title "Run time (measured)"
set ylabel "time of a call (ms)"
plot for [i=1:6] file using (at(i)):"time_ms":"time_ci_lo_ms":"time_ci_hi_ms" with yerrorlines ls i
eval panel(2, 3)
set title "Energy (".source.")"
set ylabel "energy of a call (mJ)"
plot for [i=1:6] file using (at(i)):"energy_mj":"energy_ci_lo_mj":"energy_ci_hi_mj" with yerrorlines ls i
eval panel(3, 3)
set title "Bytes L1–L2 (simulated)"
set ylabel "bytes of a call (MB)"
plot for [i=1:6] file using (at(i)):(column("sim_l2_bytes")/1e6) with linespoints ls i
eval legend
set key maxcols 3
plot for [i=1:6] NaN with linespoints ls i title "blocks of oc=".oc(i).", ic=".ic(i)." channels"
unset multiplot
