# Cross-entropy on fresh slots against training time and energy.
tall = 660
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
roles = "teacher scratch distilled"
names = "'teacher' 'alone' 'distilled'"
last = NaN; stats file using (keep(column("shown") == 1 && strcol("role") eq "scratch", column("width_ratio"))) nooutput
student = last == last ? sprintf(", students of width %g", last) : ""
set multiplot title "Training on the simulated uplink".student."\n{/*0.82 ".note."}\n{/*0.82 one training of each, so no interval; points: means over a twentieth of it}"
head = 0.13; below = 0.085
shown(i) = (column("shown") == 1 && strcol("role") eq word(roles, i))
set ylabel "cross-entropy (nat per bit)" offset 1+in
logarithm = 0; low = 0
do for [p=1:2] {
  what = p == 1 ? "time_s" : "energy_j"
  set xlabel (p == 1 ? "training time (s), measured" : "training energy (J), ".source) offset 0,0.4+up
  set format x (p == 1 ? "%g" : "%.0s%c")
  set xrange [*:*]; set yrange [*:*]
  stats file using (column("shown") == 1 ? column(what) : NaN):(column("shown") == 1 ? column("bce_ratio") : NaN) nooutput
  high = STATS_max_y*1.05; longest = STATS_max_x
  gap = high * 15.0/230
  eval cell(p, 1, 2)
  unset label
  do for [i=1:3] {
    last = NaN; far = 0
    stats file using (shown(i) ? (last = column("bce_ratio"), far = column(what), 1) : 1) nooutput
    if (last == last) { set label i "{/*0.85 ".word(names, i)."}" at first far + (i == 1 ? longest*0.1 : 0), first last + (i == 1 ? 0 : i == 2 ? -gap : gap) center textcolor ls i }
  }
  set xrange [0:longest*1.2]; set yrange [0:high]
  plot for [i=1:3] file using (shown(i) ? column(what) : NaN):"bce_ratio" with linespoints ls i ps 0.7
}
unset multiplot
