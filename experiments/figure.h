/*
 * Figures and the report: gnuplot draws what CSV files say, HTML shows it all on one page.
 */
#ifndef EXPERIMENTS_FIGURE_H
#define EXPERIMENTS_FIGURE_H

/**
 * Draws plots/<name>.gp over the CSV files of `dir` into <dir>/<name>.svg, .png and .pdf.
 * `energy_source` ("estimated") stands in the figure, which says where its numbers are from.
 * Returns 0; JRX_EUNAVAILABLE if gnuplot or the script is missing; JRX_ECHECK with gnuplot's first line if it failed.
 */
int ex_figure(const char *dir, const char *name, const char *energy_source);

/** Likewise over one CSV file, beside it: curve.csv gives curve.svg and curve.png. */
int ex_figure_beside(const char *csv, const char *name, const char *energy_source);

/** Folder of the checkout that holds plots/ (found from the program's own path, or JOULERX_HOME) joined with `path`,
 * into text[]. */
int ex_home_path(const char *path, char *text, unsigned long size);

#endif
