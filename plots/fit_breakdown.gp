# What each term adds to the prediction of each group, in percent of what was observed.
load home."/common.gp"
load dir."/labels.gp"
source = word(note, words(note))
set title "Where it goes: ".response." (".source."), by the fit"
set style data histograms
set style histogram rowstacked
set style fill solid 0.8 border lc rgb "#ffffff"
set boxwidth 0.75
set ylabel "part of what was observed (%)"
set xtics rotate by -40 left noenhanced
set key outside top center horizontal maxrows 2 noenhanced
set yrange [*<0:*]
set rmargin 8
plot for [i=1:terms] dir."/breakdown.csv" using (column(2+i)):xtic(1) ls i title columnheader(2+i), 100 with lines ls 9 notitle
