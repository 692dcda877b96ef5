internal import NIOCore

/// Keeps a client that does not read from holding memory and a connection without end.
final class ConnectionLimits: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    func handlerAdded(context: ChannelHandlerContext) {
        guard let options = context.channel.syncOptions else { return }
        // What is not acknowledged within this time ends the connection, also when the client's window is closed
        // (tcp(7)); in milliseconds. TCP_USER_TIMEOUT is 18 in linux/tcp.h.
        try? options.setOption(ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 18)), value: 20_000)
        // The kernel's buffer would grow to megabytes for each.
        try? options.setOption(ChannelOptions.socketOption(.so_sndbuf), value: 262_144)
    }
}
