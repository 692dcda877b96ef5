internal import Glibc
internal import NIOCore
internal import NIOHTTP1

/// What a server owes to a connection beside the answers themselves (RFC 9112): where a body ends, for a client of
/// HTTP/1.0 as well, and when and how the connection is closed.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// A request that is not answered yet.
    private struct Exchange {
        /// Whether the answer has no body, whatever its header says.
        let isHead: Bool
        /// Whether the client knows only HTTP/1.0, which has no chunks.
        let isOld: Bool
        /// Whether the connection is closed after the answer.
        var isLast: Bool
        /// Whether all of the request has come.
        var isWhole = false
    }

    /// How long a client that was told that the connection ends may take to end it, too.
    private static let farewell = TimeAmount.seconds(1)

    private let connections: Connections
    private var exchanges: [Exchange] = []
    /// Whether what the client still sends is thrown away.
    private var isDeaf = false

    init(_ connections: Connections) { self.connections = connections }

    func handlerAdded(context: ChannelHandlerContext) {
        connections.opened(context.channel)
        guard let options = context.channel.syncOptions else { return }
        // What is not acknowledged within this time ends the connection, also when the client's window is closed
        // (tcp(7)); in milliseconds. TCP_USER_TIMEOUT is 18 in linux/tcp.h.
        try? options.setOption(ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 18)), value: 20_000)
        // The kernel's buffer would grow to megabytes for each, and all that it takes is copied at once, while others wait.
        try? options.setOption(ChannelOptions.socketOption(.so_sndbuf), value: 65_536)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDeaf else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            // Two names are no name (RFC 9112, 3.2).
            guard head.headers["host"].count < 2 else {
                isDeaf = true
                return context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
            }
            Self.unfold(&head)
            let isOld = (head.version.major, head.version.minor) < (1, 1)
            exchanges.append(Exchange(isHead: head.method == .HEAD, isOld: isOld, isLast: !head.isKeepAlive))
            // A client of HTTP/1.0 need not say whom it asks; every browser does (RFC 9112, 3.3).
            if isOld, !head.headers.contains(name: "host") { head.headers.add(name: "Host", value: "localhost") }
            connections.progressed(context.channel)
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body:
            context.fireChannelRead(data)
        case .end:
            if let last = exchanges.indices.last {
                exchanges[last].isWhole = true
                isDeaf = exchanges[last].isLast
            }
            context.fireChannelRead(data)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            // Without a request, it says that what came is none.
            var exchange = exchanges.first ?? Exchange(isHead: false, isOld: false, isLast: true)
            frame(&head, &exchange)
            if exchanges.isEmpty { exchanges.append(exchange) } else { exchanges[0] = exchange }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            guard exchanges.first?.isHead != true else { return promise?.succeed() ?? () }
            connections.progressed(context.channel)
            context.write(data, promise: promise)
        case .end:
            guard !exchanges.isEmpty else { return context.write(data, promise: promise) }
            if exchanges.removeFirst().isLast { return end(context: context, data, promise) }
            connections.progressed(context.channel)
            context.write(data, promise: promise)
        }
    }

    /// A body that ends with the connection must not seem complete when it is not: the client gets an error instead.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .all, exchanges.first?.isOld == true {
            (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                .whenFailure { _ in }
        }
        context.close(mode: mode, promise: promise)
    }

    /// A target that is a whole address names the host; what the header says does not count then (RFC 9112, 3.2.2).
    private static func unfold(_ head: inout HTTPRequestHead) {
        guard let scheme = ["http://", "https://"].first(where: { head.uri.lowercased().hasPrefix($0) }) else { return }
        let address = head.uri.dropFirst(scheme.count)
        let host = address.prefix { $0 != "/" && $0 != "?" }
        let rest = address.dropFirst(host.count)
        head.headers.replaceOrAdd(name: "Host", value: String(host))
        head.uri = rest.hasPrefix("/") ? String(rest) : "/" + rest
    }

    /// Says where the body ends, and whether the connection does.
    private func frame(_ head: inout HTTPResponseHead, _ exchange: inout Exchange) {
        head.headers.remove(name: "transfer-encoding")
        if !head.status.mayHaveResponseBody {
            head.headers.remove(name: "content-length")
        } else if exchange.isHead {
            // The router takes an answer whose length is not known for an empty one.
            if head.headers.first(name: "content-length") == "0" { head.headers.remove(name: "content-length") }
        } else if !head.headers.contains(name: "content-length") {
            if exchange.isOld {
                exchange.isLast = true
            } else {
                head.headers.add(name: "Transfer-Encoding", value: "chunked")
            }
        }
        if head.headers[canonicalForm: "connection"].contains("close") { exchange.isLast = true }
        // Who is answered before the end of a request would otherwise hold the connection by sending the rest slowly.
        if !exchange.isWhole { exchange.isLast = true }
        if exchange.isLast {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        } else if exchange.isOld {
            head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
        }
    }

    /// Sends the end of the last answer and then closes, the client first where it can: what it is still sending would
    /// otherwise make the system take the answer back (RFC 9112, 9.6).
    private func end(context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        isDeaf = true
        let channel = context.channel
        context.writeAndFlush(data).whenComplete { result in
            promise?.completeWith(result)
            channel.close(mode: .output, promise: nil)
            channel.eventLoop.scheduleTask(in: Self.farewell) { channel.close(mode: .all, promise: nil) }
        }
    }
}
