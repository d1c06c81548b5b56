/// Feeds bytes to every decoder of the protocol, as packets of one connection. What decodes must encode
/// to something that decodes to the same value.
///
/// The input is a row of packets, each after a 16-bit little-endian length.
package func fuzzScanProtocol(_ input: UnsafeRawBufferPointer) {
    var assembler = PacketAssembler(limit: WireLimits.request)
    var rest = UnsafeRawBufferPointer(rebasing: input[...])
    while rest.count >= 2 {
        let length = min(Int(rest[0]) | Int(rest[1]) << 8, rest.count - 2)
        let packet = UnsafeRawBufferPointer(rebasing: rest[2..<2 + length])
        rest = UnsafeRawBufferPointer(rebasing: rest[(2 + length)...])
        do throws(WireError) {
            guard let message = try assembler.add(packet) else { continue }
            roundTrips(message)
        } catch {
            assembler = PacketAssembler(limit: WireLimits.request)
        }
    }
}

private func roundTrips(_ message: WireMessage) {
    if let value = try? ScanRequest(message) {
        require((try? ScanRequest(value.message(request: message.request))) == value)
    }
    if let value = try? ScanReply(message) {
        require((try? ScanReply(value.message(request: message.request))) == value)
    }
    if let value = try? ControlRequest(message) { require((try? ControlRequest(value.message())) == value) }
    if let value = try? ControlReply(message) { require((try? ControlReply(value.message())) == value) }
    if let value = try? WorkerOrder(message) { require((try? WorkerOrder(value.message)) == value) }
    if let value = try? WorkerReport(message) { require((try? WorkerReport(value.message)) == value) }
}

private func require(_ condition: Bool) {
    precondition(condition, "a decoded message does not survive encoding")
}
