/// One of the page's files, which are a part of the program so that the two cannot drift apart.
struct PageFile {
    let name: String
    let bytes: [UInt8]

    static let all: [PageFile] = [
        PageFile(name: "base.css", bytes: PackageResources.base_css),
        PageFile(name: "chart/bars.js", bytes: PackageResources.bars_js),
        PageFile(name: "chart/chart-theme.js", bytes: PackageResources.chart_theme_js),
        PageFile(name: "chart/episode-bands.js", bytes: PackageResources.episode_bands_js),
        PageFile(name: "chart/holes.js", bytes: PackageResources.holes_js),
        PageFile(name: "chart/line-chart-plugins.js", bytes: PackageResources.line_chart_plugins_js),
        PageFile(name: "chart/line-chart.js", bytes: PackageResources.line_chart_js),
        PageFile(name: "chart/trace.js", bytes: PackageResources.trace_js),
        PageFile(name: "customer.html", bytes: PackageResources.customer_html),
        PageFile(name: "customer.js", bytes: PackageResources.customer_js),
        PageFile(name: "frame/footer.html", bytes: PackageResources.footer_html),
        PageFile(name: "frame/head.html", bytes: PackageResources.head_html),
        PageFile(name: "frame/header.html", bytes: PackageResources.header_html),
        PageFile(name: "frame/health.html", bytes: PackageResources.health_html),
        PageFile(name: "icon.svg", bytes: PackageResources.icon_svg),
        PageFile(name: "index.html", bytes: PackageResources.index_html),
        PageFile(name: "lib/dom.js", bytes: PackageResources.dom_js),
        PageFile(name: "lib/episode.js", bytes: PackageResources.episode_js),
        PageFile(name: "lib/format.js", bytes: PackageResources.format_js),
        PageFile(name: "lib/live.js", bytes: PackageResources.live_js),
        PageFile(name: "lib/request.js", bytes: PackageResources.request_js),
        PageFile(name: "lib/series.js", bytes: PackageResources.series_js),
        PageFile(name: "overview.js", bytes: PackageResources.overview_js),
        PageFile(name: "parts.css", bytes: PackageResources.parts_css),
        PageFile(name: "parts/acknowledge.js", bytes: PackageResources.acknowledge_js),
        PageFile(name: "parts/anomalies.js", bytes: PackageResources.anomalies_js),
        PageFile(name: "parts/anomaly-pages.js", bytes: PackageResources.anomaly_pages_js),
        PageFile(name: "parts/cards.js", bytes: PackageResources.cards_js),
        PageFile(name: "parts/customers.js", bytes: PackageResources.customers_js),
        PageFile(name: "parts/episode-list.js", bytes: PackageResources.episode_list_js),
        PageFile(name: "parts/episodes.js", bytes: PackageResources.episodes_js),
        PageFile(name: "parts/frame.js", bytes: PackageResources.frame_js),
        PageFile(name: "parts/health.js", bytes: PackageResources.health_js),
        PageFile(name: "parts/history.js", bytes: PackageResources.history_js),
        PageFile(name: "parts/notices.js", bytes: PackageResources.notices_js),
        PageFile(name: "parts/person.js", bytes: PackageResources.person_js),
        PageFile(name: "parts/range-choice.js", bytes: PackageResources.range_choice_js),
    ]

    /// The description of the interface.
    static var openAPI: [UInt8] { PackageResources.openapi_json }
}
