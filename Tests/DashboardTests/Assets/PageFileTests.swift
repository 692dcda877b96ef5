import Foundation
import Testing

@testable import Dashboard

struct PageFileTests {
    @Test func thePageInTheProgramIsThatOfTheFolder() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let root = tests.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let folder = root.path + "/Sources/Dashboard/Page/"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(Set(PageFile.all.map(\.name)) == Set(names))
        for file in PageFile.all {
            #expect(FileManager.default.contents(atPath: folder + file.name).map(Array.init) == file.bytes)
        }
    }
}
