/// One of the page's files, which are a part of the program so that the two can not drift apart.
struct PageFile {
    let name: String
    let bytes: [UInt8]

    static var all: [PageFile] { [] }

    /// The description of the interface.
    static var openAPI: [UInt8] { PackageResources.openapi_json }
}
