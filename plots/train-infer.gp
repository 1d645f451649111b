# Bars: inference beside the stacked parts of a training step, for each width.
tall = 700
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
set multiplot title "One slot of 26 PRB through DeepRx on one thread\n{/*0.82 ".note."; bars: 95 % intervals}"
head = 0.09; below = 0.085; foot = 0.1; left = 0.13
set style fill solid 1.0 border lc rgb "black"
set boxwidth 0.34
set xrange [-0.6:5.6]
set xtics scale 0
set yrange [0:*]
dark = "#111111"; middle = "#5b8fc4"; light = "#c6dbef"; white = "#f4f4f4"; grey = "#c8a24a"
do for [i=1:2] {
  what = i == 1 ? "_time" : "_energy"
  unit = i == 1 ? "_ms" : "_mj"
  scale = i == 1 ? 1 : 1e-3
  eval cell(i, 1, 2)
  set xlabel "width of the network; batch" offset 0,0.4+up
  set ylabel i == 1 ? "time of a slot (ms)" : "energy of a slot (J)" offset 1+in
  set label 1 (i == 1 ? "run time (measured)" : "energy (".source.")") at graph 0.02,0.93 left
  forward = "forward".what.unit; backward = "backward".what.unit; update = "update".what.unit; drawn = "data".what.unit; inference = "inference".what
  height(name) = scale * column(name)
  all(x) = height(forward)+height(backward)+height(update)+height(drawn)
  plot file using ($0+0.19):(all(0)) with boxes fc rgb grey, \
       file using ($0+0.19):(height(forward)+height(backward)+height(update)) with boxes fc rgb dark, \
       file using ($0+0.19):(height(forward)+height(backward)) with boxes fc rgb middle, \
       file using ($0+0.19):(height(forward)):xtic(strcol("width_ratio")."; ".strcol("batch")) with boxes fc rgb light, \
       file using ($0-0.19):(height(inference.unit)) with boxes fc rgb white, \
       file using ($0-0.19):(height(inference."_ci_lo".unit)):(0):(height(inference."_ci_hi".unit)-height(inference."_ci_lo".unit)) \
           with vectors nohead lc rgb "black" lw 3, \
       file using ($0+0.19):(height(forward)+height("backward".what."_ci_lo".unit)):(0): \
           (height("backward".what."_ci_hi".unit)-height("backward".what."_ci_lo".unit)) with vectors nohead lc rgb "black" lw 3
}
unset label
eval foot_legend
set key maxcols 3
plot NaN with boxes fc rgb white title "inference", NaN with boxes fc rgb light title "forward", \
     NaN with boxes fc rgb middle title "backward", NaN with boxes fc rgb dark title "update", NaN with boxes fc rgb grey title "data", \
     NaN with lines lc rgb "black" lw 3 title "95 %"
unset multiplot
