# Error floor against the width of the student; and what distillation makes of it.
tall = 640
load home."/common.gp"
file = dir."/summary.csv"
stats file using "width_ratio" nooutput
first = STATS_min; widest = STATS_max
trainings = NaN
stats file using (keep(1, column("trainings"))) nooutput
trainings = last
set multiplot title "Error floor of students\n{/*0.82 counted on a simulated 5G uplink, two highest SINR}\n{/*0.82 ".(trainings > 1 ? sprintf("mean of %d trainings", trainings) : "one training each")."; bars: 95 % intervals}"
head = 0.115; below = 0.085; left = 0.185
set logscale x 2
set xrange [first/1.15:widest*(widest > first ? 1.75 : 1.3)]
set xtics 2
set xlabel "width of the student (factor on channels)" offset 0,0.5+up
ratio(name) = name."_ratio"
low_of(name) = column(name."_ci_lo_ratio") > 0 ? column(name."_ci_lo_ratio") : column(name."_ratio")
label_x = widest*1.06
names = "genie teacher scratch distilled"
texts = "'known ch.' 'teacher' 'alone' 'distilled'"
style(i) = word("9 1 2 3", i)
top = -99; low = 99
do for [i=1:4] {
  last = NaN
  stats file using (keep(column(ratio(word(names, i))) > 0, log10(column(ratio(word(names, i)))))) nooutput
  ignored = name_end(word(texts, i), int(style(i)))
  stats file using (column(ratio(word(names, i))) > 0 ? log10(column(ratio(word(names, i)))) : NaN) nooutput
  top = STATS_max > top ? STATS_max : top; low = STATS_min < low ? STATS_min : low
}
high = top + 0.2; low = low - 0.2
logarithm = 1; gap = (high-low) * 15.0/240
eval cell(1, 1, 2)
load home."/labels.gp"
set logscale y
set yrange [10**low:10**high]
eval (high - low < 0.9 ? fine_ytics : ytics)
set format y "%g"
set ylabel "uncoded bit error rate" offset 0.4+in
plot file using "width_ratio":"genie_ratio" with lines ls 9, \
     file using "width_ratio":"teacher_ratio":(low_of("teacher")):"teacher_ci_hi_ratio" with yerrorlines ls 1, \
     file using (column("width_ratio")/1.02):"scratch_ratio":(low_of("scratch")):"scratch_ci_hi_ratio" with yerrorbars ls 2 dt 1, \
     file using (column("width_ratio")/1.02):"scratch_ratio" with lines ls 2, \
     file using (column("width_ratio")*1.02):"distilled_ratio":(low_of("distilled")):"distilled_ci_hi_ratio" with yerrorbars ls 3 dt 1, \
     file using (column("width_ratio")*1.02):"distilled_ratio" with lines ls 3
eval cell(2, 1, 2)
unset label
# a ratio: half and twice are equally far from 1; an interval wider than tenfold is cut off at the frame
set yrange [0.1:10]
set ytics (0.1, 0.2, 0.5, 1, 2, 5, 10)
set ylabel "BER distilled / alone" offset 0.8+in/4
set label "{/*0.85 below 1: distillation helps}" at graph 0.98,0.06 right textcolor ls 9
plot 1 with lines ls 9, \
     file using "width_ratio":"distilled_over_scratch_ratio":"distilled_over_scratch_ci_lo_ratio":"distilled_over_scratch_ci_hi_ratio" with yerrorbars ls 3 dt 1, \
     file using "width_ratio":"distilled_over_scratch_ratio" with lines ls 3
unset multiplot
