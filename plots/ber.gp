# BER against SINR, a panel for each width of the students, a curve for each kind of receiver: the mean over its trainings
# (geometric), within a band that is its 95 % interval.
list = ""
once(name, which) = (which && strstrt(" ".list." ", " ".strcol(name)." ") == 0 ? (list = list." ".strcol(name), 1) : 1)
set datafile separator ","; set datafile columnheaders; set datafile missing ""
file = dir."/curves.csv"
stats file using (once("width_ratio", strcol("curve") eq "scratch")) nooutput
widths = list
panels = words(widths) > 6 ? 6 : words(widths)
across = panels > 1 ? 2 : 1
down = (panels + across - 1) / across
tall = 120 + (panels > 1 ? 270 : 360) * down
load home."/common.gp"
head = 74.0/tall; below = 52.0/tall; apart = 0.015; left = 0.115; right = 0.005
trainings = 1
stats file using (keep(strcol("curve") eq "scratch", column("trainings")), column("ber_ratio") > 0 ? log10(column("ber_ratio")) : NaN) nooutput
trainings = last
low = STATS_min - 0.15; high = log10(0.6)
stats file using "sinr_db" nooutput
from = STATS_min; to = STATS_max
curves = "ls lmmse genie teacher scratch distilled"
names = "'LS' 'LMMSE' 'known ch.' 'teacher' 'alone' 'distilled'"
style(i) = word("4 6 9 1 2 3", i)
set multiplot title "Bit error rate, 16QAM, two antennas\n{/*0.82 counted on a simulated 5G uplink (TDL channels); students of each width}\n{/*0.82 alone and distilled, ".(trainings > 1 ? sprintf("mean of %d trainings", trainings) : "one training each")."; bands: 95 % intervals}"
set logscale y
set yrange [10**low:10**high]
set xrange [from-1:to+(to-from)*(across > 1 ? 0.55 : 0.3)]
set xtics from, (to-from > 16 ? 8 : 6), to
set style fill transparent solid 0.25 noborder
is(i, w) = strcol("curve") eq word(curves, i) && (i < 5 || strcol("width_ratio") eq w)
x(i, w) = is(i, w) && column("ber_ratio") > 0 ? column("sinr_db") : NaN
bottom(name) = column(name) > 10**low ? column(name) : 10**low
label_x = to + (to-from)*0.04
logarithm = 1
gap = (high-low) * (panels > 1 ? 14.0/230 : 14.0/310)
do for [p=1:panels] {
  eval cell(p, across, down)
  w = word(widths, p)
  do for [i=1:6] {
    last = NaN
    stats [*:*] [*:*] file using (keep(is(i, w) && column("ber_ratio") > 0, log10(column("ber_ratio")))) nooutput
    ignored = name_end(word(names, i), int(style(i)))
  }
  load home."/labels.gp"
  set label 20 "width ".w at graph 0.04,0.06 left
  set xlabel "SINR (dB)" offset 0,0.6+up*0.9
  if (p <= panels - across) { unset xlabel }
  if (p % across == 1 || across == 1) { set ylabel "uncoded bit error rate" offset 1.5+in; set format y "10^{%L}" } else { unset ylabel; set format y "" }
  plot for [i=5:6] file using (x(i, w)):(bottom("ber_ci_lo_ratio")):"ber_ci_hi_ratio" with filledcurves ls style(i) notitle, \
    for [i=1:6] file using (x(i, w)):"ber_ratio" with linespoints ls style(i) ps 0.6
}
unset multiplot
