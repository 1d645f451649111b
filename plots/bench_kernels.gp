# Each group of layers that was run, a row each: left our speed beside the best peer's, a point a case, with the geometric
# mean and the bar that it has to reach; right the shares of the FMA peak timed in the same rounds. Made by
# `make bench-kernels`.
all = "pointwise fwd,pointwise bwd_data,pointwise bwd_weights,conv3x3 fwd wide,conv3x3 bwd_data wide,conv3x3 bwd_weights wide,".\
      "conv3x3 fwd ends,conv3x3 bwd_data ends,conv3x3 bwd_weights ends,separable fwd,separable bwd_data,separable bwd_weights,".\
      "depthwise fwd plain,depthwise bwd_data plain,depthwise bwd_weights plain,".\
      "depthwise fwd dilated,depthwise bwd_data dilated,depthwise bwd_weights dilated,".\
      "depthwise fwd multiplier 2,depthwise bwd_data multiplier 2,depthwise bwd_weights multiplier 2,"
seen = ","
stats csv using (seen = strstrt(seen, ",".strcol("group").",") ? seen : seen.strcol("group").",", 1) nooutput
array name[40]; count = 0; at = 1
do for [i=1:strlen(all)] {
    if (all[i:i] eq ",") {
        if (strstrt(seen, ",".all[at:i])) { count = count + 1; name[count] = all[at:i-1] }
        at = i + 1
    }
}

# a group's row, and its cases spread within it
place(g) = (x = NaN, sum [i=1:count] (name[i] eq g ? (x = i) : 0), x)
spread(row) = 0.26 * sin(7.1 * row)
row(g) = place(g) + spread($0)
as(role, y) = strcol("role") eq role ? y : NaN
# sums of logarithms, by group, in one pass
array mean[40]; array bar[40]; array cases[40]
do for [i=1:40] { mean[i] = 0; bar[i] = NaN; cases[i] = 0 }
take(i, ratio, asked) = (i < 1 || ratio != ratio ? 0 : (mean[i] = mean[i] + log(ratio), cases[i] = cases[i] + 1, bar[i] = asked), 0)
stats csv using (take(place(strcol("group")), as("ours", column("best_peer_ratio")), column("bar_ratio"))) nooutput
do for [i=1:count] { mean[i] = cases[i] ? exp(mean[i] / cases[i]) : NaN }
set multiplot
set yrange [count + 0.6 : 0.4]
set tmargin at screen 0.92
set bmargin at screen 0.13
dot = kind eq "svg" ? 0.3 : 0.5 # a terminal has its own size of points
small = kind eq "png" ? ",15" : kind eq "svg" ? ",11" : ",8"
set ytics () font "".small noenhanced scale 0.3
set grid ytics xtics
do for [i=1:count] { set ytics add (name[i] i) }
set key noautotitle horizontal samplen 1.2 font "".small
set lmargin at screen 0.285
set rmargin at screen 0.62
set logscale x
set xrange [0.5:*]
set xtics ("0.5" 0.5, "1" 1, "2" 2, "5" 5, "10" 10, "20" 20, "50" 50, "100" 100)
set xlabel "best peer's time over ours"
set label 100 "mean" at graph 1.13, graph 1.03 right font "".small
set key at screen 0.62, screen 0.97 right top maxrows 1
do for [i=1:count] {
    if (cases[i]) {
        set label i "" at first mean[i], i point ls 1 ps 1.6*dot front
        set label 50 + i sprintf(mean[i] < 9.95 ? "%.2f" : "%.0f", mean[i]) at graph 1.13, first i right font "".small
    }
    if (bar[i] == bar[i]) { set arrow i from first bar[i], i - 0.42 to first bar[i], i + 0.42 nohead ls 2 dt 1 front }
}
set arrow 100 from first 1, graph 0 to first 1, graph 1 nohead ls 9 back
plot csv using (as("ours", column("best_peer_ratio"))):(row(strcol("group"))) with points ls 4 ps dot, \
     NaN with points ls 4 ps 2*dot title "case", NaN with points ls 1 ps 1.6*dot title "geom. mean", NaN with lines ls 2 dt 1 title "bar"
unset label
unset arrow
set lmargin at screen 0.72
set rmargin at screen 0.97
unset logscale x
set xrange [0:100]
set xtics 25
unset ytics
set xlabel "share of the FMA peak [%]"
set key at screen 0.98, screen 0.97 right top
# a busy machine can hold the peak itself down: no more than all of it is drawn
peak(y) = y > 1 ? 100 : 100 * y
plot csv using (peak(as("peer", column("peak_ratio")))):(row(strcol("group"))) with points ls 4 ps dot, \
     csv using (peak(as("ours", column("peak_ratio")))):(row(strcol("group"))) with points ls 1 ps dot, \
     NaN with points ls 4 ps 2*dot title "peers", NaN with points ls 1 ps 1.6*dot title "ours"
unset multiplot
