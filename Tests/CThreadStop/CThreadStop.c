#include "include/CThreadStop.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

int stop_thread(pid_t thread)
{
    // A tracee goes on by itself when the thread that traces it ends: there is no way to leave it stopped.
    if (ptrace(PTRACE_SEIZE, thread, 0, 0) != 0) return errno;
    if (ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0) return errno;
    int status;
    while (waitpid(thread, &status, __WALL) != thread)
        if (errno != EINTR) return errno;
    return 0;
}
