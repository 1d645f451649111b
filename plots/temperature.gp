# Error floor of distilled students over that of the same from scratch: a line for each mix, against temperature.
tall = 460
load home."/common.gp"
file = dir."/summary.csv"
list = ""
stats file using (once("mix_ratio", 1)) nooutput
mixes = list
stats file using (keep(1, column("trainings"))) nooutput
trainings = last
stats file using "temperature_ratio" nooutput
coldest = STATS_min; hottest = STATS_max
set title "Temperature and mix of distillation\n{/*0.82 counted on a simulated 5G uplink, two highest SINR}\n{/*0.82 ".(trainings > 1 ? sprintf("mean of %d trainings", trainings) : "one training each")."; bars: 95 % intervals; mix: share of the teacher}"
set logscale x 2
set xrange [coldest/1.2:hottest*1.8]
set xlabel "temperature" offset 0,0.4+up
set ylabel "BER distilled / alone" offset 1+in
unset key
stats file using "over_scratch_ci_hi_ratio" nooutput
high = STATS_records > 0 ? STATS_max : NaN
stats file using "over_scratch_ratio" nooutput
high = high == high ? high : STATS_max
high = (high > 1 ? high : 1) * 1.03
stats file using "over_scratch_ci_lo_ratio" nooutput
low = STATS_records > 0 ? STATS_min : NaN
stats file using "over_scratch_ratio" nooutput
low = low == low ? low : STATS_min
low = (low < 1 ? low : 1) * 0.97
low = low - 0.12*(high-low) # for what is written below
set yrange [low:high]
logarithm = 0; gap = (high-low) * 15.0/290; label_x = hottest*1.1
do for [i=1:words(mixes)] {
  last = NaN; stats file using (keep(strcol("mix_ratio") eq word(mixes, i) && column("temperature_ratio") == hottest, column("over_scratch_ratio"))) nooutput
  ignored = name_end(sprintf("mix %g", real(word(mixes, i))), i)
}
load home."/labels.gp"
set label "{/*0.85 below 1: distillation helps}" at graph 0.98,0.06 right textcolor ls 9
shift(i) = 1.02**(2*i - words(mixes) - 1)
at(i) = strcol("mix_ratio") eq word(mixes, i) ? column("temperature_ratio")*shift(i) : NaN
plot (x < hottest*1.08 ? 1 : NaN) with lines ls 9, \
     for [i=1:words(mixes)] file using (at(i)):"over_scratch_ratio":"over_scratch_ci_lo_ratio":"over_scratch_ci_hi_ratio" with yerrorbars ls i dt 1, \
     for [i=1:words(mixes)] file using (at(i)):"over_scratch_ratio" with lines ls i
