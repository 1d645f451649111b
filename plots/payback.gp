# Slots in service until a distilled student has paid back its making, against its width.
tall = 660
load home."/common.gp"
file = dir."/summary.csv"
source = ""
teacher = ""
stats file using (source = strcol("energy_source"), teacher = strcol("teacher_processor_source"), 1) nooutput
processor = teacher eq "measured" ? "measured" : "the teacher's part ".teacher
set multiplot title "When a distilled student has paid back its making\n{/*0.82 slots in service until inference beside the teacher has saved what training took}\n{/*0.82 bars: 95 % intervals of what a slot saves; a day: 1000 slots a second}"
head = 0.13; below = 0.085; left = 0.14
stats file using "width_ratio" nooutput
first = STATS_min; widest = STATS_max
set logscale x 2
set xtics 2
set xrange [first/1.2:widest*(widest > first ? 2.6 : 1.6)]
set logscale y
set format y "10^{%L}"
set xlabel "width of the student (factor on channels)" offset 0,0.4+up
set ylabel "slots in service" offset 1+in/3
label_x = widest*1.06; logarithm = 1
day = 8.64e7 # slots of 1 ms
do for [p=1:2] {
  what = p == 1 ? "energy" : "time"
  share = what."_payback_slots"; whole = what."_payback_whole_slots"
  eval cell(p, 1, 2)
  set yrange [*:*]
  # no student may pay back: stats then has no valid point and sets nothing
  low = NaN; stats file using (column(share) > 0 && !(log10(column(share)) >= low) ? (low = log10(column(share)), 1) : 1) nooutput
  least = (low == low ? low : 5) - 0.5; high = log10(day) + 0.5
  gap = (high-least) * 15.0/220
  last = NaN; stats file using (keep(column(share) > 0, log10(column(share)))) nooutput
  ignored = name_end("its share", p == 1 ? 2 : 1)
  last = NaN; stats file using (keep(column(whole) > 0, log10(column(whole)))) nooutput
  ignored = name_end("whole teacher", 6)
  last = log10(day) + 0.27; ignored = name_end("one day", 9)
  load home."/labels.gp"
  set label 20 (p == 1 ? "energy (".source.")" : "processor time (".processor.")").(low == low ? "" : "\nno student pays back") at graph 0.02,0.76 left
  set yrange [10**least:10**high]
  plot day with lines ls 9, \
    file using (column("width_ratio")/1.02):share:(column(what."_payback_ci_lo_slots")):(column(what."_payback_ci_hi_slots")) with yerrorbars ls (p == 1 ? 2 : 1) dt 1, \
    file using (column("width_ratio")/1.02):share with lines ls (p == 1 ? 2 : 1), \
    file using (column("width_ratio")*1.02):whole with linespoints ls 6
}
unset multiplot
