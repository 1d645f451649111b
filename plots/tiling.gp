# Three views of the same 24 tilings: time, energy, bytes between L1 and L2; one curve for each (oc, ic) block.
tall = 940
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
ocs = "32 64 256"
ics = "32 256"
oc(i) = word(ocs, (i-1)/2 + 1)
ic(i) = word(ics, (i-1)%2 + 1)
at(i) = column("oc") == oc(i) && column("ic") == ic(i) ? column("f") : NaN
set multiplot title "One layer, one FLOP count, 24 tilings\n{/*0.82 pointwise, 256 to 256 channels; bars: 95 % intervals}\n{/*0.82 ".note.", cache traffic: simulated}"
head = 0.095; below = 0.06; foot = 0.085; left = 0.13
set logscale x 2
set xrange [0.7:450]
set xtics ("1" 1, "8" 8, "39" 39, "312" 312)
set yrange [0:*]
set xlabel "block of subcarriers f" offset 0,0.4+up
quantity(p) = word("time energy bytes", p)
do for [p=1:3] {
  eval cell(p, 1, 3)
  set ylabel (p == 1 ? "time of a call (ms)" : p == 2 ? "energy of a call (mJ)" : "L1 to L2 (MB a call)") offset 1+in
  set label 1 (p == 1 ? "run time (measured)" : p == 2 ? "energy (".source.")" : "traffic (simulated)") at graph 0.03,0.1 left
  name = quantity(p); unit = p == 1 ? "_ms" : "_mj"
  if (p < 3) {
    plot for [i=1:6] file using (at(i)):(column(name.unit)):(column(name."_ci_lo".unit)):(column(name."_ci_hi".unit)) with yerrorbars ls i dt 1 ps 0.7, \
         for [i=1:6] file using (at(i)):(column(name.unit)) with lines ls i
  } else {
    plot for [i=1:6] file using (at(i)):(column("sim_l2_bytes")/1e6) with linespoints ls i ps 0.7
  }
}
eval foot_legend
set key maxcols 3 title "blocks of channels, out and in"
plot for [i=1:6] NaN with linespoints ls i ps 0.7 title oc(i).", ".ic(i)
unset multiplot
