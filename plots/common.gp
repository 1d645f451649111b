# What every figure shares. The program sets `dir` (where the CSV files are), `out` (file name without suffix) and `kind`
# (svg, png or pdf). Columns are read by name, so a missing one is an error and never a wrong curve; empty fields are gaps.
set datafile separator ","
set datafile columnheaders
set datafile missing ""
set encoding utf8
# A script that sets `tall` first is for a column of a paper, 85 mm wide and so high in parts of 540; others fill a page.
if (exists("tall")) {
  if (kind eq "svg") { set terminal svg size 540,tall dynamic font "DejaVu Sans,14" background "white" }
  if (kind eq "pdf") { set terminal pdfcairo size 3.35in,(3.35*tall/540)in font "DejaVu Sans,6.3" linewidth 0.45 pointscale 0.45 background "white" }
  if (kind eq "png") { set terminal pngcairo size 1080,2*tall font "DejaVu Sans,21" linewidth 2 pointscale 2 background "white" }
} else {
  if (kind eq "svg") { set terminal svg size 960,600 dynamic font "DejaVu Sans,15" background "white" }
  if (kind eq "pdf") { set terminal pdfcairo size 9.6in,6in font "DejaVu Sans,11" background "white" }
  if (kind eq "png") { set terminal pngcairo size 1440,900 font "DejaVu Sans,20" background "white" }
}
set output out.".".kind
# The SVG terminal takes letters for larger than they are: in a column, axis labels would be pushed off it
up = kind eq "svg" ? 0.6 : 0; in = kind eq "svg" ? 0.8 : 0
if (kind eq "svg") { set xtics offset 0,0.35 }

# Lines differ in darkness, dash and point, so a print in grey keeps them apart.
set style line 1 lc rgb "#000000" lw 2.2 dt 1 pt 7  ps 0.9
set style line 2 lc rgb "#96231a" lw 2.2 dt 2 pt 5  ps 0.9
set style line 3 lc rgb "#1f77b4" lw 2.2 dt 4 pt 9  ps 1.0
set style line 4 lc rgb "#8a8a8a" lw 2.2 dt 3 pt 13 ps 1.1
set style line 5 lc rgb "#2e7d32" lw 2.2 dt 5 pt 11 ps 1.0
set style line 6 lc rgb "#7b4fa3" lw 2.2 dt 6 pt 4  ps 0.9
set style line 9 lc rgb "#999999" lw 1.2 dt 2
set grid lc rgb "#dddddd" lw 1 dt 1
set border 3 lw 1.2
set tics nomirror out
set key nobox samplen 3

# Panels side by side with one legend below them all:
#   set multiplot title ...;  eval panel(1, 2);  plot ...;  eval panel(2, 2);  plot ...;  eval legend;  plot NaN ... title "..."
panel(i, n) = sprintf("set lmargin at screen %.3f; set rmargin at screen %.3f; set tmargin at screen 0.80; set bmargin at screen 0.27; unset key", \
                      0.115 + (i-1)*0.965/n, 0.02 + i*0.965/n)
legend = "set lmargin at screen 0.02; set rmargin at screen 0.98; set tmargin at screen 0.13; set bmargin at screen 0.01; unset title; ".\
         "unset xlabel; unset ylabel; unset tics; unset border; unset logscale; set xrange [0:1]; set yrange [0:1]; unset grid; set key center center horizontal nobox samplen 4"

# What `column` of `file` holds where `which` is true, each value once, in the order of the file:
#   list = ""; stats file using (once("width_ratio", column("seed") == 1)) nooutput;  do for [w in list] { ... }
once(name, which) = (which && strstrt(" ".list." ", " ".strcol(name)." ") == 0 ? (list = list." ".strcol(name), 1) : 1)

# In a column, panels lie in a grid of `columns`, counted from the upper left, `head` left for the title:
#   eval cell(i, columns, rows)
# Shares of the canvas: margins for ticks and labels on the left, below each row, and on the right.
# foot: share kept free at the bottom, for a legend (eval foot_legend; plot NaN ... title "...") where curves cannot be named.
head = 0.14; left = 0.13; below = 0.11; right = 0.02; apart = 0.03; foot = 0
foot_legend = "set lmargin at screen 0.02; set rmargin at screen 0.98; set tmargin at screen foot; set bmargin at screen 0.005; unset title; unset label; ".\
              "unset xlabel; unset ylabel; unset tics; unset border; unset logscale; set xrange [0:1]; set yrange [0:1]; unset grid; set key center center horizontal nobox samplen 2.5"
cell(i, columns, rows) = sprintf("set lmargin at screen %.4f; set rmargin at screen %.4f; set tmargin at screen %.4f; set bmargin at screen %.4f; unset key", \
    left + ((i-1)%columns) * (1-left-right+apart)/columns, left + ((i-1)%columns+1) * (1-left-right+apart)/columns - apart, \
    1 - head - int((i-1)/columns) * (1-head-foot)/rows, 1 - head - (int((i-1)/columns)+1) * (1-head-foot)/rows + below)

# Ticks of bit error rates: for decades, and for less than one
ytics = "set ytics (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5, 1e-5)"
fine_ytics = "set ytics (0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.04, 0.03, 0.02, 0.015, 0.01, 7e-3, 5e-3, 4e-3, 3e-3, 2e-3, 15e-4, 1e-3, 7e-4, 5e-4, 4e-4, 3e-4, 2e-4, 15e-5, 1e-4, 5e-5, 3e-5, 2e-5, 1e-5)"

# Direct labels: end(i, text, style) after last = ... of its curve; then load home."/labels.gp" before the plot.
array label_at[12]; array label_text[12]; array label_style[12]
labels = 0; last = NaN
keep(is, value) = (is && value == value ? (last = value, 1) : 1)
name_end(text, style) = (last == last ? (labels = labels + 1, label_at[labels] = last, label_text[labels] = text, label_style[labels] = style) : 0)
