// What Swift's Glibc overlay does not export, as namespaced functions. System calls only: no logic.
#ifndef CLINUX_H
#define CLINUX_H
#include "CLinuxFiles.h"
#include "CLinuxEventLoop.h"
#include "CLinuxDaemon.h"
#include "CLinuxConfinement.h"
#endif
