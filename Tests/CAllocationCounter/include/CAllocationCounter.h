// Counts the calling thread's heap allocations. Linking this replaces malloc in the whole test program.

#pragma once

#include <stdint.h>

// Calls of malloc, calloc, realloc, aligned_alloc, memalign and posix_memalign by this thread so far.
uint64_t allocation_count(void);
