# BER against SINR, one panel a width of the students, one curve a receiver; of several trainings each is a curve. Bars:
# 95 % intervals.
load home."/common.gp"
file = dir."/summary.csv"
list = ""
stats file using (once("width_ratio", strcol("role") eq "scratch" && column("compared") == 1)) nooutput
widths = list
panels = words(widths) > 3 ? 4 : words(widths)
stats file using (column("compared") == 1 && column("ber_ratio") > 0 ? column("ber_ratio") : NaN) nooutput
least = STATS_min
stats file using "sinr_db" nooutput
set multiplot title "Bit error rate, 16QAM, two antennas\n{/*0.8 counted on a simulated 5G uplink (TDL channels), 95 % intervals over slots; width: of the students}"
receivers = "ls lmmse genie teacher"
style(i) = word("4 6 9 1", i)
set logscale y
set format y "10^{%L}"
set yrange [10**floor(log10(least)):0.6]
set xrange [STATS_min-1:STATS_max+1]
set xtics STATS_min, (STATS_max-STATS_min > 16 ? 8 : 6)
bar(name) = (column(name) > 0 ? column(name) : column("ber_ratio")/10)
here(is) = (is && column("compared") == 1 && column("ber_ratio") > 0 ? column("sinr_db") : NaN)
do for [p=1:panels] {
  eval panel(p, panels)
  w = word(widths, p)
  set title (panels > 1 ? "width ".w : "")
  set xlabel (panels > 2 ? "SINR (dB)" : "SINR per resource element and antenna (dB)")
  if (p == 1) { set ylabel "uncoded bit error rate" } else { unset ylabel; set format y "" }
  plot for [i=1:4] file using (here(strcol("receiver") eq word(receivers, i))):"ber_ratio":(bar("ber_ci_lo_ratio")):"ber_ci_hi_ratio" with yerrorlines ls style(i), \
    for [s=1:9] file using (here(strcol("role") eq "scratch" && strcol("width_ratio") eq w && column("seed") == s)):"ber_ratio":(bar("ber_ci_lo_ratio")):"ber_ci_hi_ratio" with yerrorlines ls 2, \
    for [s=1:9] file using (here(strcol("role") eq "distilled" && strcol("width_ratio") eq w && column("seed") == s)):"ber_ratio":(bar("ber_ci_lo_ratio")):"ber_ci_hi_ratio" with yerrorlines ls 3
}
eval legend
set key maxcols 3
names = "'LS, interpolation' 'LMMSE estimate' 'known channel' 'teacher'"
plot for [i=1:4] NaN with linespoints ls style(i) title word(names, i), \
     NaN with linespoints ls 2 title "student from scratch", NaN with linespoints ls 3 title "student distilled"
unset multiplot
