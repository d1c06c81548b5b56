#include "CBase64.h"
