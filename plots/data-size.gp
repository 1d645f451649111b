# Error floors, and their ratio, against the number of slots trained on.
tall = 640
load home."/common.gp"
file = dir."/summary.csv"
stats file using (keep(1, column("trainings"))) nooutput
trainings = last
stats file using "slots" nooutput
fewest = STATS_min; most = STATS_max
set multiplot title "Distillation and the number of training slots\n{/*0.82 counted on a simulated 5G uplink, two highest SINR}\n{/*0.82 ".(trainings > 1 ? sprintf("mean of %d trainings", trainings) : "one training each")."; bars: 95 % intervals}"
head = 0.135; below = 0.085; left = 0.175
set logscale x 2
list = ""
stats file using (once("slots", 1)) nooutput
set xtics ()
do for [s in list] { set xtics add (gprintf("%.0s%c", real(s)) real(s)) }
set xlabel "slots trained on" offset 0,0.5+up
low_of(name) = column(name."_ci_lo_ratio") > 0 ? column(name."_ci_lo_ratio") : column(name."_ratio")
high_of(name) = column(name."_ci_hi_ratio") > 0 ? column(name."_ci_hi_ratio") : column(name."_ratio")
stats file using (log10(low_of("scratch"))):(log10(low_of("distilled"))) nooutput
low = (STATS_min_x < STATS_min_y ? STATS_min_x : STATS_min_y) - 0.1
stats file using (log10(high_of("scratch"))):(log10(high_of("distilled"))) nooutput
high = (STATS_max_x > STATS_max_y ? STATS_max_x : STATS_max_y) + 0.1
label_x = most*1.08; logarithm = 1; gap = (high-low) * 15.0/220
last = NaN; stats file using (keep(column("slots") == most, log10(column("scratch_ratio")))) nooutput
ignored = name_end("alone", 2)
last = NaN; stats file using (keep(column("slots") == most, log10(column("distilled_ratio")))) nooutput
ignored = name_end("distilled", 3)
load home."/labels.gp"
set xrange [fewest/1.15:most*1.9]
eval cell(1, 1, 2)
set logscale y
set yrange [10**low:10**high]
eval (high - low < 0.9 ? fine_ytics : ytics)
set format y "%g"
set ylabel "uncoded bit error rate" offset 0.6+in/2
plot file using (column("slots")/1.02):"scratch_ratio":(low_of("scratch")):"scratch_ci_hi_ratio" with yerrorbars ls 2 dt 1, \
     file using (column("slots")/1.02):"scratch_ratio" with lines ls 2, \
     file using (column("slots")*1.02):"distilled_ratio":(low_of("distilled")):"distilled_ci_hi_ratio" with yerrorbars ls 3 dt 1, \
     file using (column("slots")*1.02):"distilled_ratio" with lines ls 3
eval cell(2, 1, 2)
unset label
unset logscale y
set ytics auto
set yrange [*:*]
set ylabel "BER distilled / alone" offset 0.8+in/4
set label "{/*0.85 below 1: distillation helps}" at graph 0.98,0.06 right textcolor ls 9
plot 1 with lines ls 9, \
     file using "slots":"distilled_over_scratch_ratio":"distilled_over_scratch_ci_lo_ratio":"distilled_over_scratch_ci_hi_ratio" with yerrorbars ls 3 dt 1, \
     file using "slots":"distilled_over_scratch_ratio" with lines ls 3
unset multiplot
