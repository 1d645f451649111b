# Error floor against the width of the student; and what distillation makes of it.
load home."/common.gp"
file = dir."/summary.csv"
stats file using "width_ratio" nooutput
set multiplot title "Error floor of students\n{/*0.8 counted on a simulated 5G uplink, two highest SINR; 95 % intervals, over trainings where there are several}"
set logscale x 2
set xrange [STATS_min/1.5:STATS_max*1.5]
set xtics 2
set xlabel "width of the student (factor on channels)"
eval panel(1, 2)
set logscale y
set format y "10^{%L}"
set ylabel "uncoded bit error rate"
set title "Floor"
low(name) = (column(name."_ci_lo_ratio") > 0 ? column(name."_ci_lo_ratio") : column(name."_ratio"))
plot file using "width_ratio":"genie_ratio" with lines ls 9, \
     file using "width_ratio":"teacher_ratio":(low("teacher")):"teacher_ci_hi_ratio" with yerrorlines ls 1, \
     file using (column("width_ratio")/1.03):"scratch_ratio":(low("scratch")):"scratch_ci_hi_ratio" with yerrorlines ls 2, \
     file using (column("width_ratio")*1.03):"distilled_ratio":(low("distilled")):"distilled_ci_hi_ratio" with yerrorlines ls 3
eval panel(2, 2)
unset logscale y
set format y "%g"
set yrange [0:*]
unset ylabel
set title "BER distilled / BER from scratch"
plot 1 with lines ls 9, \
     file using "width_ratio":"distilled_over_scratch_ratio":"distilled_over_scratch_ci_lo_ratio":"distilled_over_scratch_ci_hi_ratio" with yerrorlines ls 3
eval legend
set key maxcols 4
plot NaN with linespoints ls 1 title "teacher", NaN with linespoints ls 2 title "student from scratch", \
     NaN with linespoints ls 3 title "student distilled", NaN with lines ls 9 title "known channel / equal"
unset multiplot
