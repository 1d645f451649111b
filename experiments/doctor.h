/*
 * What can be measured on a machine, why the rest cannot, and what would change that: what `joulerx doctor` prints and
 * every run keeps as doctor.json. Looks and changes nothing.
 */
#ifndef EXPERIMENTS_DOCTOR_H
#define EXPERIMENTS_DOCTOR_H
#include <jansson.h>
#include <stdio.h>

/**
 * Tries every meter and counter source and reads the machine's state. sysfs: root of /sys and /proc for tests, NULL or
 * "": this machine. *report: machine, meters, counters, state, warnings; json_decref() it. 0, JRX_EIO, JRX_ENOMEM.
 */
int ex_doctor(const char *sysfs, json_t **report);

/** Writes what ex_doctor() finds to <dir>/doctor.json, without the remedies; one that is there stays as it is. 0; what
 * ex_doctor() returns, JRX_EPERMISSION. */
int ex_doctor_keep(const char *sysfs, const char *dir);

/** The report as lines for people. */
void ex_doctor_print(const json_t *report, FILE *to);

#endif
