import Foundation
import Glibc
import Testing

@testable import Systemd

@Suite struct SystemdTests {
    @Test("states are assignments")
    func assignments() {
        #expect(ServiceState.ready.assignments == "READY=1")
        #expect(ServiceState.stopping.assignments == "STOPPING=1")
        #expect(ServiceState.watchdog.assignments == "WATCHDOG=1")
        #expect(ServiceState.status("20/s").assignments == "STATUS=20/s")
        #expect(ServiceState.reloading.assignments.wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=[0-9]+/) != nil)
    }

    @Test("a status cannot begin another assignment")
    func assignment() {
        #expect(ServiceState.status("a\nREADY=1\r\nb\0").assignments == "STATUS=a READY=1  b ")
    }

    @Test("states arrive together")
    func together() async {
        await #expect(processExitsWith: .success) {
            let path = FileManager.default.temporaryDirectory.appending(path: "heartbeat-\(UUID())").path
            let manager = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(manager, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(bound == 0)
            defer { unlink(path) }
            setenv("NOTIFY_SOCKET", path, 1)
            #expect(notify(.ready, .status("waiting")))
            var buffer = [UInt8](repeating: 0, count: 200)
            let count = recv(manager, &buffer, buffer.count, 0)
            #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "READY=1\nSTATUS=waiting")
        }
    }

    @Test("without a service manager nothing is told")
    func told() async {
        await #expect(processExitsWith: .success) {
            unsetenv("NOTIFY_SOCKET")
            unsetenv("WATCHDOG_USEC")
            #expect(!notify(.ready))
            #expect(Watchdog.interval == nil)
        }
    }

    @Test("the watchdog's interval")
    func interval() async {
        await #expect(processExitsWith: .success) {
            setenv("WATCHDOG_USEC", "1500000", 1)
            setenv("WATCHDOG_PID", "\(getpid())", 1)
            #expect(Watchdog.interval == .milliseconds(1500))
            setenv("WATCHDOG_PID", "1", 1)
            #expect(Watchdog.interval == nil)
        }
    }

    @Test("the journal is recognised by device and inode")
    func inode() throws {
        var status = stat()
        #expect(fstat(2, &status) == 0)
        #expect(Journal.isBehind(stream: "\(status.st_dev):\(status.st_ino)"))
        #expect(!Journal.isBehind(stream: "\(status.st_dev):\(status.st_ino + 1)"))
        #expect(!Journal.isBehind(stream: "\(status.st_dev + 1):\(status.st_ino)"))
        #expect(!Journal.isBehind(-1, stream: "\(status.st_dev):\(status.st_ino)"))
        for nonsense in [nil, "", ":", "1", "1:2:3", "a:b"] { #expect(!Journal.isBehind(stream: nonsense)) }
    }
}
