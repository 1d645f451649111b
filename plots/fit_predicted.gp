# What a fit predicts for groups of rows that it has not seen, beside what was observed.
load home."/common.gp"
load dir."/labels.gp"
source = word(note, words(note))
set title "Predicted against observed: ".response." (".source.")"
set xlabel "observed"
set ylabel "predicted"
set key top left
set format "%.3g"
plot x with lines ls 9 title "predicted = observed", \
     dir."/rows.csv" using "observed":"predicted" with points ls 3 ps 0.5 title "fit of all rows", \
     dir."/rows.csv" using "observed":"left_out" with points ls 2 ps 0.5 title "its group left out"
