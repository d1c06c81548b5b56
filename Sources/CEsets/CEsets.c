#include "CEsets.h"

