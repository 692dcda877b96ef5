/// One of the page's files, which are a part of the program so that the two can not drift apart.
struct PageFile {
    let name: String
    let bytes: [UInt8]

    static let all: [PageFile] = [
        PageFile(name: "acknowledge.js", bytes: PackageResources.acknowledge_js),
        PageFile(name: "anomalies.js", bytes: PackageResources.anomalies_js),
        PageFile(name: "bars.js", bytes: PackageResources.bars_js),
        PageFile(name: "base.css", bytes: PackageResources.base_css),
        PageFile(name: "cards.js", bytes: PackageResources.cards_js),
        PageFile(name: "chart-theme.js", bytes: PackageResources.chart_theme_js),
        PageFile(name: "customer.html", bytes: PackageResources.customer_html),
        PageFile(name: "customer.js", bytes: PackageResources.customer_js),
        PageFile(name: "customers.js", bytes: PackageResources.customers_js),
        PageFile(name: "dom.js", bytes: PackageResources.dom_js),
        PageFile(name: "episode-bands.js", bytes: PackageResources.episode_bands_js),
        PageFile(name: "episode-list.js", bytes: PackageResources.episode_list_js),
        PageFile(name: "episodes.js", bytes: PackageResources.episodes_js),
        PageFile(name: "format.js", bytes: PackageResources.format_js),
        PageFile(name: "frame.js", bytes: PackageResources.frame_js),
        PageFile(name: "health.js", bytes: PackageResources.health_js),
        PageFile(name: "holes.js", bytes: PackageResources.holes_js),
        PageFile(name: "icon.svg", bytes: PackageResources.icon_svg),
        PageFile(name: "index.html", bytes: PackageResources.index_html),
        PageFile(name: "line-chart-plugins.js", bytes: PackageResources.line_chart_plugins_js),
        PageFile(name: "line-chart.js", bytes: PackageResources.line_chart_js),
        PageFile(name: "live.js", bytes: PackageResources.live_js),
        PageFile(name: "notices.js", bytes: PackageResources.notices_js),
        PageFile(name: "overview.js", bytes: PackageResources.overview_js),
        PageFile(name: "parts.css", bytes: PackageResources.parts_css),
        PageFile(name: "series.js", bytes: PackageResources.series_js),
    ]

    /// The description of the interface.
    static var openAPI: [UInt8] { PackageResources.openapi_json }
}
