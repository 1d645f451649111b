# Error floor of a student, and of its teachers, against the width of the teacher.
load home."/common.gp"
file = dir."/summary.csv"
set title "The size of the teacher\n{/*0.8 counted on a simulated 5G uplink, two highest SINR; 95 % intervals, over trainings where there are several}"
set lmargin 12
set bmargin 8
set logscale xy 2
set logscale y 10
set ytics (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5, 1e-5)
set format y "%g"
set xlabel "width of the teacher (factor on channels)"
set ylabel "uncoded bit error rate"
set autoscale fix
set offsets graph 0.1, graph 0.1, graph 0.1, graph 0.1
set key at screen 0.52, 0.02 center bottom horizontal maxcols 4 samplen 4
low(name) = (column(name."_ci_lo_ratio") > 0 ? column(name."_ci_lo_ratio") : column(name."_ratio"))
plot file using "width_ratio":"teacher_ratio":(low("teacher")):"teacher_ci_hi_ratio" with yerrorlines ls 1 title "the teacher", \
     file using "width_ratio":"student_ratio":(low("student")):"student_ci_hi_ratio" with yerrorlines ls 3 title "its student", \
     file using "width_ratio":(column("student_ratio")/column("over_scratch_ratio")) with lines ls 9 title "student from scratch"
