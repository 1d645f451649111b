# Error floors, and their ratio, against the number of slots trained on.
load home."/common.gp"
file = dir."/summary.csv"
set multiplot title "Distillation and the number of training slots\n{/*0.8 counted on a simulated 5G uplink, two highest SINR; 95 % intervals, over trainings where there are several}"
set logscale x 2
set format x "%.0s%c"
set offsets graph 0.08, graph 0.08, 0, 0
set xlabel "slots trained on"
low(name) = (column(name."_ci_lo_ratio") > 0 ? column(name."_ci_lo_ratio") : column(name."_ratio"))
eval panel(1, 2)
set logscale y
set format y "10^{%L}"
set ylabel "uncoded bit error rate"
set title "Floor"
plot file using (column("slots")/1.02):"scratch_ratio":(low("scratch")):"scratch_ci_hi_ratio" with yerrorlines ls 2, \
     file using (column("slots")*1.02):"distilled_ratio":(low("distilled")):"distilled_ci_hi_ratio" with yerrorlines ls 3
eval panel(2, 2)
unset logscale y
set format y "%g"
set yrange [0:*]
unset ylabel
set title "BER distilled / BER from scratch"
plot 1 with lines ls 9, \
     file using "slots":"distilled_over_scratch_ratio":"distilled_over_scratch_ci_lo_ratio":"distilled_over_scratch_ci_hi_ratio" with yerrorlines ls 3
eval legend
set key maxcols 3
plot NaN with linespoints ls 2 title "from scratch", NaN with linespoints ls 3 title "distilled", NaN with lines ls 9 title "equal"
unset multiplot
