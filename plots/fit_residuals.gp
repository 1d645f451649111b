# What a fit leaves over, in percent of what was observed, against what it predicts.
load home."/common.gp"
load dir."/labels.gp"
source = word(note, words(note))
set title "Residuals: ".response." (".source.")"
set xlabel "predicted"
set ylabel "observed - predicted (% of observed)"
set format x "%.3g"
set key top left
plot 0 with lines ls 9 notitle, dir."/rows.csv" using "predicted":"residual_percent" with points ls 3 ps 0.5 notitle
