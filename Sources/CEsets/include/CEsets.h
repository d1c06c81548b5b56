#ifndef CEsets_H
#define CEsets_H
#include "esets.h"
#endif
