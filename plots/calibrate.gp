# Fitted beside observed, on the diagonal if they agree: in the fit, and each kernel left out of it. Energies that are estimates
# are fitted to nothing: they are shown against the time of a call.
tall = 480
load home."/common.gp"
file = dir."/summary.csv"
source = word(note, words(note))
set title "What a kernel costs on this machine\n{/*0.82 ".note."}\n{/*0.82 ".(source eq "estimated" ? "estimated by a profile, so nothing is fitted" : "each kernel left out of its fit as well")."}"
set logscale xy
set format xy "10^{%L}"
set key bottom right
if (source eq "estimated") {
  set xlabel "time of a call (µs), measured"
  set ylabel "energy of a call (µJ), estimated"
  plot file using "time_us":(strcol("response") eq "package" ? column("energy_uj") : NaN) with points ls 1 title "package", \
       file using "time_us":(strcol("response") eq "dram" ? column("energy_uj") : NaN) with points ls 3 title "DRAM"
} else {
  stats file using "energy_uj" nooutput
  low = STATS_min/2; high = STATS_max*2
  set xrange [low:high]; set yrange [low:high]
  set xlabel "energy of a call (µJ), ".source
  set ylabel "fitted (µJ)"
  plot x with lines ls 9 title "fitted = observed", \
       file using "energy_uj":"fit_uj" with points ls 1 title "in the fit", \
       file using "energy_uj":"left_out_uj" with points ls 2 title "its kernel left out"
}
