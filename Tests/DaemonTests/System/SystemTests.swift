import Daemon
import Foundation
import Testing

@Suite("System calls") struct SystemTests {
    @Test("a program is a file that may be run")
    func program() {
        for (path, errno) in [("/bin/sh", 0), ("/", EACCES), ("/etc/passwd", EACCES), ("/no/such", ENOENT)] {
            do throws(SystemError) {
                try checkProgram(path)
                #expect(errno == 0, "\(path)")
            } catch {
                #expect(error.errno == errno, "\(path)")
            }
        }
    }
}
