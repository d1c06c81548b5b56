#include "CSlots.h"
