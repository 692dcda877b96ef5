@unsafe @preconcurrency internal import Glibc

/// Writes out what was printed and is still in the buffer of standard output.
///
/// - Throws: `SystemError` when something of what was printed since the start could not be written.
func flushStandardOutput() throws(SystemError) {
    // The C library keeps only that there was an error, not which one; what fails once mostly fails again.
    Glibc.errno = EIO
    guard unsafe fflush(stdout) == 0, unsafe ferror(stdout) == 0 else { throw SystemError.last }
}
