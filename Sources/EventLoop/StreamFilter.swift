package import Bytes

/// What stands between the socket and the plain bytes of a stream: TLS. No I/O in it.
package protocol StreamFilter: AnyObject {
    /// The negotiation is over and plain bytes can be sent.
    var isEstablished: Bool { get }
    /// The peer ended its side in the filter's own way (close_notify).
    var isEnded: Bool { get }
    /// Begins: what must be sent first is appended to `wire`.
    func start(wire: inout [UInt8]) throws(StreamError)
    /// Bytes from the network; what they contain is appended to `plain`, what must be sent because of them to `wire`.
    /// When it throws, `wire` may hold an alert that is worth sending.
    func receive(_ bytes: ByteView, plain: InputBuffer, wire: inout [UInt8]) throws(StreamError)
    /// Plain bytes to send; their form for the network is appended to `wire`.
    func send(_ bytes: ByteView, wire: inout [UInt8]) throws(StreamError)
    /// No more will be sent.
    func finish(wire: inout [UInt8])
}
