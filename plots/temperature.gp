# Error floor of distilled students over that of the same from scratch: a line for each mix, against temperature.
load home."/common.gp"
file = dir."/summary.csv"
list = ""
stats file using (once("mix_ratio", 1)) nooutput
mixes = list
set title "Temperature and mix of distillation\n{/*0.8 counted on a simulated 5G uplink, two highest SINR; 95 % intervals, over trainings where there are several}"
set lmargin 12
set bmargin 8
set logscale x 2
set xlabel "temperature"
set ylabel "BER distilled / BER from scratch"
set offsets graph 0.05, graph 0.05, graph 0.1, graph 0.1
set key at screen 0.52, 0.02 center bottom horizontal maxcols 4 samplen 4
shift(i) = 1.02**(2*i - words(mixes) - 1)
plot 1 with lines ls 9 title "from scratch", \
     for [i=1:words(mixes)] file using (strcol("mix_ratio") eq word(mixes, i) ? column("temperature_ratio")*shift(i) : NaN): \
         "over_scratch_ratio":"over_scratch_ci_lo_ratio":"over_scratch_ci_hi_ratio" with yerrorlines ls i title "mix ".word(mixes, i)
