# Energy per correct bit, and time, against BER: towards the lower left is better.
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
stats file using "sinr_db" nooutput
set multiplot title sprintf("What a correct bit costs, at %g dB SINR\n{/*0.8 ".note."; bit error rate: counted on a simulated uplink; numbers: width of the students}", STATS_min)
kinds = "teacher scratch distilled ls lmmse genie"
names = "'teacher' 'students from scratch' 'students distilled' 'LS' 'LMMSE' 'known channel'"
style(i) = word("1 2 3 4 6 5", i)
is(i) = (strcol("role") eq word(kinds, i) || strcol("receiver") eq word(kinds, i))
set logscale xy
set ytics (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5, 1e-5)
set format y "%g"
set autoscale fix
set offsets graph 0.1, graph 0.1, graph 0.1, graph 0.1
eval panel(1, 2)
set title "Energy (".source.")"
set xlabel "energy per correct bit (µJ), ".source
set ylabel "uncoded bit error rate" offset 1
plot for [i=1:6] file using (is(i) ? column("energy_per_correct_bit_uj") : NaN):"ber_ratio": \
    "energy_per_correct_bit_ci_lo_uj":"energy_per_correct_bit_ci_hi_uj":"ber_ci_lo_ratio":"ber_ci_hi_ratio" with xyerrorbars ls style(i) ps 1.4, \
    for [i=3:3] file using (is(i) ? column("energy_per_correct_bit_uj") : NaN):"ber_ratio":(sprintf("%g", column("width_ratio"))) with labels offset 0,-1.1 font ",13"
eval panel(2, 2)
set title "Run time (measured)"
set xlabel "time of a slot on one thread (ms), measured"
unset ylabel
plot for [i=1:6] file using (is(i) ? column("time_ms") : NaN):"ber_ratio": \
    "time_ci_lo_ms":"time_ci_hi_ms":"ber_ci_lo_ratio":"ber_ci_hi_ratio" with xyerrorbars ls style(i) ps 1.4, \
    for [i=3:3] file using (is(i) ? column("time_ms") : NaN):"ber_ratio":(sprintf("%g", column("width_ratio"))) with labels offset 0,-1.1 font ",13"
eval legend
set key maxcols 3
plot for [i=1:6] NaN with points ls style(i) ps 1.4 title word(names, i)
unset multiplot
