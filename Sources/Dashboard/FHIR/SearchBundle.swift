/// What was found: http://hl7.org/fhir/R4/bundle.html
struct SearchBundle: Encodable {
    struct Link: Encodable { let relation, url: String }
    struct Search: Encodable { let mode = "match" }

    /// One of the resources.
    struct SearchEntry: Encodable {
        let resource: any Encodable
        private let search = Search()

        init(_ resource: any Encodable) { self.resource = resource }

        private enum CodingKeys: CodingKey { case resource, search }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(search, forKey: .search)
            try resource.encode(to: container.superEncoder(forKey: .resource))
        }
    }

    private let resourceType = "Bundle"
    private let type = "searchset"
    private let link: [Link]
    /// An empty array is forbidden.
    private let entry: [SearchEntry]?

    init(_ links: [Link], _ resources: [any Encodable]) {
        link = links
        entry = resources.isEmpty ? nil : resources.map { SearchEntry($0) }
    }
}
