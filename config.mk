# The one file to edit. Everything here can also be given on the command line: make CC=clang O=build-clang
CC      ?= gcc
O       ?= build
# -Werror by default; WERROR= turns it off for a compiler we have not tried
WERROR  ?= -Werror
# extra flags for every object, e.g. SAN="-fsanitize=address,undefined"
SAN     ?=
PREFIX  ?= /usr/local
