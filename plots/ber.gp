# BER against SINR, one curve a receiver, bars: 95 % intervals.
load home."/common.gp"
file = dir."/summary.csv"
receivers = "ls scratch distilled teacher genie"
names = "'LS, interpolation, LMMSE' 'student from scratch' 'student distilled' 'teacher' 'known channel'"
style(i) = word("4 2 3 1 9", i)
set title "Bit error rate, 16QAM, 26 PRB, two antennas\n{/*0.8 counted on a simulated 5G uplink (TDL channels), 95 % intervals over slots}"
set lmargin 12
set bmargin 8
set logscale y
set format y "10^{%L}"
set xlabel "SINR per resource element and antenna, ensemble average (dB)"
set ylabel "uncoded bit error rate"
set xrange [-1:22]
set key at screen 0.52, 0.02 center bottom horizontal maxcols 3 samplen 4
plot for [i=1:5] file using (strcol("receiver") eq word(receivers, i) && column("ber_ratio") > 0 ? column("sinr_db") : NaN): \
    (column("ber_ratio")):(column("ber_ci_lo_ratio") > 0 ? column("ber_ci_lo_ratio") : column("ber_ratio")/10):(column("ber_ci_hi_ratio")) \
    with yerrorlines ls style(i) title word(names, i)
