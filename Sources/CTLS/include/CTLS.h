#ifndef CTLS_H
#define CTLS_H
#endif
