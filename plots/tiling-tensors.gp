# What moves, by tensor: of each kind of layer the default tiling, the best by time, and those with least and most
# traffic; left what crosses between L1 and L2, right between L2 and L3.
tall = 1250
load home."/common.gp"
file = dir."/summary.csv"
list = ""; layers = ""
stats file using (strstrt(" ".list." ", " ".strcol("kind")." ") ? 1 : (layers = layers." ".strcol("layer"), once("kind", 1))) nooutput
kinds = words(list)
set multiplot title "Traffic by tensor: L1 to L2 on the left, L2 to L3 on the right of each panel\n{/*0.82 D default, T best by time (measured), L least and M most bytes; bytes: simulated}"
head = 0.068; below = 0.05; foot = 0.055; left = 0.13; apart = 0.13
rows = (kinds + 1)/2
marks = "is_default best_time best_bytes most_bytes"
tensors = "in weight bias out workspace"
levels = "l2 l3"
array shade[5] = [0x1f77b4, 0x111111, 0x9fcf9f, 0xd0a850, 0xffffff]
# bytes of the first `t` tensors at a level
up_to(level, t) = t == 0 ? 0 : column("sim_".level."_".word(tensors, t)."_bytes") + up_to(level, t-1)
set yrange [0:*]
set offsets 0, 0, graph 0.2, 0
set xrange [0.4:9.6]
set xtics ("D" 1, "T" 2, "L" 3, "M" 4, "D" 6, "T" 7, "L" 8, "M" 9) scale 0
set boxwidth 0.8
set style fill solid 1 border lc rgb "#444444"
do for [k=1:kinds] {
  eval cell(k, 2, rows)
  set label 1 "{/*0.9 ".word(list, k)."}" at graph 0, graph 1.08 left
  set label 2 "{/*0.75 ".word(layers, k)."}" at graph 0.98, graph 0.93 right
  set ylabel (k % 2 ? "MB a call" : "") offset 1+in
  here(mark) = strcol("kind") eq word(list, k) && column(mark) == 1
  plot for [t=5:1:-1] for [l=1:2] for [m=1:4] file using (here(word(marks, m)) ? m + 5*(l-1) : NaN):(up_to(word(levels, l), t)/1e6) with boxes lc rgb shade[t]
}
eval foot_legend
set key maxrows 2
plot for [t=1:5] NaN with boxes lc rgb shade[t] title word(tensors, t)
unset multiplot
