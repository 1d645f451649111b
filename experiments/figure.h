/*
 * Figures and the report: gnuplot draws what CSV files say, HTML shows it all on one page.
 */
#ifndef EXPERIMENTS_FIGURE_H
#define EXPERIMENTS_FIGURE_H

/**
 * Draws plots/<name>.gp over the CSV files of `dir` into <dir>/<name>.svg and <dir>/<name>.png.
 * `title_note` is shown in the figure: where its numbers come from ("energy: estimated").
 * Returns 0; JRX_EUNAVAILABLE if gnuplot or the script is missing; JRX_ECHECK with gnuplot's first line if it failed.
 */
int ex_figure(const char *dir, const char *name, const char *title_note);

/** Folder of the checkout that holds plots/ (found from the program's own path, or JOULERX_HOME) joined with `path`,
 * into text[]. */
int ex_home_path(const char *path, char *text, unsigned long size);

#endif
