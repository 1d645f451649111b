# Each group of layers in a column. Above: our time beside the best peer's, a point a case, with the geometric mean and the bar
# that it has to reach. Below: shares of the FMA peak timed in the same rounds. Made by `make bench-kernels`.
groups = "pointwise fwd,pointwise bwd_data,pointwise bwd_weights,conv3x3 fwd wide,conv3x3 bwd_data wide,conv3x3 bwd_weights wide,".\
         "conv3x3 fwd ends,conv3x3 bwd_data ends,conv3x3 bwd_weights ends,separable fwd,separable bwd_data,separable bwd_weights,".\
         "depthwise fwd plain,depthwise bwd_data plain,depthwise bwd_weights plain,".\
         "depthwise fwd dilated,depthwise bwd_data dilated,depthwise bwd_weights dilated,".\
         "depthwise fwd multiplier 2,depthwise bwd_data multiplier 2,depthwise bwd_weights multiplier 2"
count = 1; do for [i=1:strlen(groups)] { if (groups[i:i] eq ",") { count = count + 1 } }
array name[count]; at = 1; k = 1
do for [i=1:strlen(groups)] { if (groups[i:i] eq ",") { name[k] = groups[at:i-1]; k = k + 1; at = i + 1 } }
name[count] = groups[at:strlen(groups)]

# the cases of a group lie beside one another
place(g) = (x = NaN, sum [i=1:count] (name[i] eq g ? (x = i) : 0), x)
spread(row) = 0.35 * sin(7.1 * row)
ours(y) = strcol("role") eq "ours" ? y : NaN
# sums of logarithms, by group, in one pass
array mean[count]; array bar[count]; array cases[count]
do for [i=1:count] { mean[i] = 0; bar[i] = NaN; cases[i] = 0 }
take(i, ratio, asked) = (i < 1 || ratio != ratio ? 0 : (mean[i] = mean[i] + log(ratio), cases[i] = cases[i] + 1, bar[i] = asked), 0)
stats csv using (take(place(strcol("group")), ours(column("best_peer_ratio")), column("bar_ratio"))) nooutput
do for [i=1:count] { mean[i] = cases[i] ? exp(mean[i] / cases[i]) : NaN }

set multiplot
set xrange [0.4:count + 0.6]
set lmargin at screen 0.12
set rmargin at screen 0.98
set format x ""
set xtics 1
set tmargin at screen 0.94
set bmargin at screen 0.60
set logscale y
set ytics format "%g"
set ylabel "best peer's time\nover ours"
set key at screen 0.98, screen 0.985 right top horizontal
do for [i=1:count] {
    if (cases[i]) { set label "" at first i, mean[i] point ls 1 front }
    if (bar[i] == bar[i]) { set arrow from first i - 0.42, bar[i] to first i + 0.42, bar[i] nohead ls 2 dt 1 front }
}
plot csv using (place(strcol("group")) + spread($0)):(ours(column("best_peer_ratio"))) with points ls 4 ps 0.6 title "a case", \
     NaN with points ls 1 title "geometric mean", NaN with lines ls 2 dt 1 title "bar", 1 with lines ls 9 notitle
unset label
unset arrow
set tmargin at screen 0.54
set bmargin at screen 0.29
unset logscale y
set yrange [0:1.2] # more is a peak that a busy machine held down
set ytics 0.25
set ylabel "share of the\nFMA peak"
set key at screen 0.98, screen 0.585 right top horizontal
set format x "%g"
unset xtics
set xtics rotate by 40 right noenhanced scale 0.3 font ",".(kind eq "png" ? 14 : 11) ()
do for [i=1:count] { set xtics add (name[i] i) }
peer(y) = strcol("role") eq "peer" ? y : NaN
plot csv using (place(strcol("group")) + spread($0)):(peer(column("peak_ratio"))) with points ls 4 ps 0.6 title "peers, all formats", \
     csv using (place(strcol("group")) + spread($0)):(ours(column("peak_ratio"))) with points ls 1 ps 0.6 title "ours"
unset multiplot
