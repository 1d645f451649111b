# Slots in service until a distilled student has paid back its making, against its width.
load home."/common.gp"
file = dir."/summary.csv"
source = ""
stats file using (source = strcol("energy_source"), 1) nooutput
set title "When a distilled student has paid back its making\n{/*0.8 processor time: measured, energy: ".source."; with its share of the teacher (bars: 95 % intervals of what a slot saves) or the whole}"
set lmargin 12
set rmargin 12
set bmargin 8
set logscale x 2
set logscale y
set format y "10^{%L}"
set xlabel "width of the student (factor on channels)"
set ylabel "slots in service"
set offsets graph 0.1, graph 0.1, 0, 0
set key at screen 0.52, 0.02 center bottom horizontal maxcols 4 samplen 4
set label "a day of\n1 ms slots" at graph 1.02, first 8.64e7
plot file using (column("width_ratio")/1.02):"energy_payback_slots":"energy_payback_ci_lo_slots":"energy_payback_ci_hi_slots" with yerrorlines ls 2 title "energy, share", \
     file using "width_ratio":"energy_payback_whole_slots" with linespoints ls 4 title "energy, whole", \
     file using (column("width_ratio")*1.02):"time_payback_slots":"time_payback_ci_lo_slots":"time_payback_ci_hi_slots" with yerrorlines ls 1 title "time, share", \
     file using "width_ratio":"time_payback_whole_slots" with linespoints ls 6 title "time, whole", \
     8.64e7 with lines ls 9 notitle
