// Stops one thread of another process, while its other threads go on: as if it hung in a call.

#pragma once

#include <sys/types.h>

// Stops a thread until the calling thread ends. Returns 0, or errno.
int stop_thread(pid_t thread);
