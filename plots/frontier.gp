# Energy per correct bit, and time, against BER: towards the lower left is better.
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
networks = "teacher scratch distilled"
names = "'teacher' 'student from scratch' 'student distilled'"
set multiplot title "What a correct bit costs, at 15 dB SINR\n{/*0.8 ".note."; bit error rate: counted on a simulated uplink}"
set xrange [0:*]
set yrange [0:*]
set offsets 0, graph 0.15, graph 0.15, 0
eval panel(1, 2)
set title "Energy (".source.")"
set xlabel "energy per correct bit (µJ), ".source
set ylabel "uncoded bit error rate" offset 1.5
plot for [i=1:3] file using (strcol("network") eq word(networks, i) ? column("energy_per_correct_bit_uj") : NaN):"ber_ratio": \
    "energy_per_correct_bit_ci_lo_uj":"energy_per_correct_bit_ci_hi_uj":"ber_ci_lo_ratio":"ber_ci_hi_ratio" with xyerrorbars ls i ps 1.6
eval panel(2, 2)
set title "Run time (measured)"
set xlabel "time of a slot on one thread (ms), measured"
plot for [i=1:3] file using (strcol("network") eq word(networks, i) ? column("time_ms") : NaN):"ber_ratio": \
    "time_ci_lo_ms":"time_ci_hi_ms":"ber_ci_lo_ratio":"ber_ci_hi_ratio" with xyerrorbars ls i ps 1.6
eval legend
set key maxcols 3
plot for [i=1:3] NaN with points ls i ps 1.6 title word(names, i)
unset multiplot
