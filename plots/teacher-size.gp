# Error floor of a student, and of its teachers, against the width of the teacher.
tall = 460
load home."/common.gp"
file = dir."/summary.csv"
stats file using (keep(1, column("trainings"))) nooutput
trainings = last
stats file using "width_ratio" nooutput
narrow = STATS_min; wide = STATS_max
set title "The size of the teacher\n{/*0.82 counted on a simulated 5G uplink, two highest SINR}\n{/*0.82 ".(trainings > 1 ? sprintf("students: mean of %d trainings", trainings) : "one training each")."; bars: 95 % intervals}"
set logscale x 2
set xtics 2
set xrange [narrow/1.2:wide*1.9]
set format y "%g"
set xlabel "width of the teacher (factor on channels)" offset 0,0.4+up
set ylabel "uncoded bit error rate" offset 1+in
unset key
low_of(name) = column(name."_ci_lo_ratio") > 0 ? column(name."_ci_lo_ratio") : column(name."_ratio")
alone(x) = column("student_ratio")/column("over_scratch_ratio")
low = 99; high = -99; logarithm = 1; label_x = wide*1.08
names = "'teacher' 'its student' 'alone'"
height(i) = i == 1 ? column("teacher_ratio") : i == 2 ? column("student_ratio") : alone(0)
style(i) = word("1 3 9", i)
do for [i=1:3] {
  stats file using (log10(height(i))) nooutput
  low = STATS_min < low ? STATS_min : low; high = STATS_max > high ? STATS_max : high
  if (i < 3) {
    ends = i == 1 ? "teacher" : "student"
    stats file using (log10(low_of(ends))) nooutput
    low = STATS_min < low ? STATS_min : low
    stats file using (column(ends."_ci_hi_ratio") > 0 ? log10(column(ends."_ci_hi_ratio")) : log10(height(i))) nooutput
    high = STATS_max > high ? STATS_max : high
  }
  last = NaN; stats file using (keep(column("width_ratio") == wide, log10(height(i)))) nooutput
  ignored = name_end(word(names, i), int(style(i)))
}
low = low - 0.1; high = high + 0.1; gap = (high-low) * 15.0/290
load home."/labels.gp"
set logscale y 10
set yrange [10**low:10**high]
eval (high - low < 0.9 ? fine_ytics : ytics)
plot file using "width_ratio":"teacher_ratio":(low_of("teacher")):"teacher_ci_hi_ratio" with yerrorbars ls 1 dt 1, \
     file using "width_ratio":"teacher_ratio" with lines ls 1, \
     file using "width_ratio":"student_ratio":(low_of("student")):"student_ci_hi_ratio" with yerrorbars ls 3 dt 1, \
     file using "width_ratio":"student_ratio" with lines ls 3, \
     file using "width_ratio":(alone(0)) with lines ls 9
