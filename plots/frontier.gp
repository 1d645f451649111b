# Energy per correct bit and per slot, and time, against BER: towards the lower left is better.
tall = 980
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
stats file using "sinr_db" nooutput
set multiplot title sprintf("What a correct bit costs, at %g dB SINR\n{/*0.82 ".note."}\n{/*0.82 errors: counted on a simulated uplink; width in brackets; 95 %% intervals}", STATS_min)
head = 0.09; below = 0.06; left = 0.15
kinds = "teacher scratch distilled ls lmmse genie"
style(i) = word("1 2 3 4 6 5", i)
is(i) = (strcol("role") eq word(kinds, i) || strcol("receiver") eq word(kinds, i))
# Of a kind the widest is named, the others have their width. Alone and distilled cost the same: the better one is named below.
width(kind, widest) = column("width_ratio") < widest ? sprintf("(%g)", column("width_ratio")) : kind
stats file using (strcol("role") eq "teacher" ? column("width_ratio") : NaN) nooutput
widest_teacher = STATS_max
stats file using (strcol("role") eq "distilled" ? column("width_ratio") : NaN) nooutput
widest = STATS_max
last = NaN; stats file using (keep(strcol("role") eq "scratch" && column("width_ratio") == widest, column("ber_ratio"))) nooutput
alone = last
last = NaN; stats file using (keep(strcol("role") eq "distilled" && column("width_ratio") == widest, column("ber_ratio"))) nooutput
alone_is_worse = alone > last
above(i) = i == 6 || (i == 2 && !alone_is_worse) || (i == 3 && (alone_is_worse || column("width_ratio") < widest)) ? 0.85 : 1.17
student(i) = i == 2 ? (column("width_ratio") < widest ? "" : "alone") : width(sprintf("distilled (%g)", widest), widest)
named(i) = "{/*0.8 ".(i == 1 ? width("teacher", widest_teacher) : i < 4 ? student(i) : i == 4 ? "LS" : i == 5 ? "LMMSE" : "known channel")."}"
set logscale xy
eval ytics
set xtics (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
set format "%g"
set autoscale fix
set yrange [*:* < 0.7] # past chance an interval says nothing more
set offsets graph 0.06, graph 0.3, graph 0.12, graph 0.1
set ylabel "uncoded bit error rate" offset 1+in
do for [p=1:3] {
  what = word("energy_per_correct_bit energy time", p)
  unit = word("_uj _mj _ms", p)
  set xlabel (p == 1 ? "energy per correct bit (µJ), ".source : p == 2 ? "energy per slot (mJ), ".source : "time of a slot on one thread (ms), measured") offset 0,0.4+up
  eval cell(p, 1, 3)
  plot for [i=1:6] file using (is(i) ? column(what.unit) : NaN):"ber_ratio":(column(what."_ci_lo".unit)):(column(what."_ci_hi".unit)): \
      "ber_ci_lo_ratio":"ber_ci_hi_ratio" with xyerrorbars ls style(i) dt 1 ps 1.1, \
    for [i=1:6] file using (is(i) ? column(what.unit) : NaN):(column("ber_ratio")*above(i)):(named(i)) with labels left offset 0.9 textcolor ls style(i)
}
unset multiplot
