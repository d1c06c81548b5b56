// libelf: reading and writing ELF files.
#ifndef CELF_H
#define CELF_H
#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#endif
