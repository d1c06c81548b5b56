#include "CTime.h"
