import Foundation
import Testing

@testable import Dashboard

struct PageFileTests {
    private static let folder =
        URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path + "/Sources/Dashboard/Page/"

    @Test("the page in the program is that of the folder")
    func page() throws {
        let names = try FileManager.default.subpathsOfDirectory(atPath: Self.folder).filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: Self.folder + name, isDirectory: &isFolder)
                && !isFolder.boolValue
        }
        #expect(PageFile.all.map(\.name).sorted() == names.sorted())
        for file in PageFile.all {
            let bytes = FileManager.default.contents(atPath: Self.folder + file.name).map(Array.init)
            #expect(bytes == file.bytes, "\(file.name)")
        }
    }

    @Test("each module is named by the pages that import it and by no other")
    func other() throws {
        let pages = PageFile.all.map(\.name).filter { $0.hasSuffix(".html") && !$0.contains("/") }
        let named = try pages.map { try modules($0) }
        for (page, modules) in zip(pages, named) {
            #expect(modules.isSuperset(of: ["lib/dom.js", "lib/format.js", "lib/live.js"]), "\(page)")
            #expect(modules.contains("chart/bars.js") == (page == "operations.html"), "\(page)")
            #expect(modules.contains("people/people.js") == (page == "index.html"), "\(page)")
        }
        // A script beside the pages is the page's own, and named in it.
        let scripts = PageFile.all.map(\.name).filter { $0.hasSuffix(".js") && $0.contains("/") }
        #expect(named.reduce(into: []) { $0.formUnion($1) } == Set(scripts))
    }

    /// The modules that a page preloads.
    private func modules(_ name: String) throws -> Set<String> {
        let files = Dictionary(
            uniqueKeysWithValues: PageFile.all.map { ($0.name, String(decoding: $0.bytes, as: UTF8.self)) })
        let text = HTMLPage { files[$0] }.complete(try #require(files[name]))
        #expect(!text.contains("<!-- include"))
        return Set(text.matches(of: /modulepreload" href="static\/([^"]+)"/).map { String($0.output.1) })
    }
}
